"""Form definitions: what a form asks for (JSON Schema, photo shots, measures), and those that ship, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from app.intake.form_rules import Thresholds, When
from app.intake.schemas import Severity
from app.intake.strict_json import Json


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """A named slot for photos."""

    key: str
    label: str
    min: int = 1
    max: int | None = None
    when: When | None = None


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted range. `field` is a path such as `depth_m` or, for each row of a table, `splices/*/loss_db`."""

    field: str
    unit: str
    min: float | None = None
    max: float | None = None
    severity: Severity = "major"
    when: When | None = None


class FormDef(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a form; immutable once records refer to it."""

    form_key: str
    version: int
    title: str
    schema: dict[str, Json]
    shots: tuple[Shot, ...] = ()
    measures: tuple[Measure, ...] = ()
    rules: Thresholds = Thresholds()

    def label(self, field: str) -> str:
        """The words a crew sees for a field, or for a column of a table (`splices/3/loss_db`, `splices/*/loss_db`)."""
        at: Json = self.schema
        words: list[str] = []
        for step in field.split("/"):
            at = _child(at, step)
            if step == "*":
                continue
            title = at.get("title") if isinstance(at, dict) else None
            words.append(str(int(step) + 1) if step.isdigit() else str(title or step.replace("_", " ")))
        return " ".join(words)


def applies(when: When | None, fields: Mapping[str, Json]) -> bool:
    """Whether a conditional shot or measure counts for these fields."""
    return when is None or all(fields.get(name) in values for name, values in when.items())


def bundled() -> list[FormDef]:
    """The forms that ship, from `forms/*.json`, by key."""
    return [msgspec.json.decode(text, type=FormDef) for text in _texts("forms")]


def examples() -> dict[str, dict[str, Json]]:
    """A complete record for each form that ships, as a phone sends it: by form key, from `forms/examples/*.json`."""
    records = [msgspec.json.decode(text, type=dict[str, Json]) for text in _texts("forms/examples")]
    return {str(record["form"]): record for record in records}


def _texts(folder: str) -> list[bytes]:
    found = files("app.intake").joinpath(folder).iterdir()
    return [entry.read_bytes() for entry in sorted(found, key=lambda each: each.name) if entry.name.endswith(".json")]


def _child(schema: Json, step: str) -> Json:
    if not isinstance(schema, dict):
        return None
    if step.isdigit() or step == "*":
        return schema.get("items")
    properties = schema.get("properties")
    return properties.get(step) if isinstance(properties, dict) else None
