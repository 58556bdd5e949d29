"""Paths into a record's fields, as forms write them: `depth_m`, or `splices/*/loss_db` for each row of a table."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake.position import number
from app.intake.strict_json import Json


def places(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Each place that the path names and that is there, with its value."""
    return _places(value, path.split("/"), "")


def numbers(value: Json, path: str) -> list[tuple[str, float]]:
    """The places that hold a finite number; texts and empty fields are left to the rules on the form."""
    found = ((place, number(raw)) for place, raw in places(value, path))
    return [(place, read) for place, read in found if read is not None]


def _places(value: Json, path: list[str], at: str) -> Iterator[tuple[str, Json]]:
    if not path:
        yield at, value
        return
    step, *rest = path
    if step == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, rest, f"{at}/{index}" if at else str(index))
    elif isinstance(value, dict) and step in value:
        yield from _places(value[step], rest, f"{at}/{step}" if at else step)
