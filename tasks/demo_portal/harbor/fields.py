"""What each section of a close-out asks for, and the rules Harbor checks. Pure: values in, problems out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

AREAS = ("North", "South", "Harbor", "Valley")
SECTIONS: dict[str, tuple[str, ...]] = {
    "site": ("ticket", "reference", "area", "finished", "lead"),
    "plant": ("enclosure", "fibers", "loss", "splices", "lat", "lon", "remarks"),
}
KEYS = tuple(key for keys in SECTIONS.values() for key in keys)
_OPTIONAL = frozenset({"splices", "remarks"})
_LONGEST = {"splices": 4000, "remarks": 2000}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field."""

    field: str
    message: str


def check(section: str, keyed: Mapping[str, str]) -> list[Problem]:
    """The problems of a section, at most one a field; a section of no fields has none."""
    found = ((key, _complaint(key, keyed.get(key, ""))) for key in SECTIONS.get(section, ()))
    return [Problem(field=key, message=message) for key, message in found if message]


def _complaint(key: str, value: str) -> str:
    if not value:
        return "" if key in _OPTIONAL else "Please fill this in."
    if len(value) > _LONGEST.get(key, 60):
        return f"At most {_LONGEST.get(key, 60)} characters."
    rule = _RULES.get(key)
    return "" if rule is None else rule(value)


def _number(low: float, high: float) -> Callable[[str], str]:
    def rule(value: str) -> str:
        if re.fullmatch(r"[+-]?\d{1,9}(\.\d{1,12})?", value) and low <= float(value) <= high:
            return ""
        return f"A number from {low:g} to {high:g}, please."

    return rule


def _finished(value: str) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return "A date like 2026-11-24, please."
    # The earliest time zone is 14 hours ahead: a day that has begun somewhere is not in the future there.
    return "This day has not come yet." if day > (datetime.now(UTC) + timedelta(hours=14)).date() else ""


_RULES: dict[str, Callable[[str], str]] = {
    "ticket": lambda value: "" if re.fullmatch(r"WO-\d{4,8}", value) else "A ticket looks like WO-12345.",
    "area": lambda value: "" if value in AREAS else "Choose an area of the list.",
    "finished": _finished,
    "fibers": _number(1, 1728),
    "loss": _number(0, 5),
    "lat": _number(-90, 90),
    "lon": _number(-180, 180),
}
