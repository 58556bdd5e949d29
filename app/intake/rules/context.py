"""What a rule may look at, and what it answers. A rule is a pure function of one `RuleContext`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from app.intake.form_defs import FormDef
from app.intake.photos import PhotoFacts
from app.intake.schemas import DefectView, PhotoManifest, RecordUpload, Severity
from app.intake.strict_json import Json


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work should be: inside `boundary` (GeoJSON, WGS 84) if there is one, else around a point.

    `radius_m` is the tolerance around either.
    """

    lat: float | None = None
    lon: float | None = None
    radius_m: float = 150.0
    boundary: dict[str, Json] | None = None


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """One record, with the facts of those of its photos that are here, by clean name.

    `received_at` is the server's clock; `tz` and `starts_on` are the project's; `newer_version` is the form's latest one.
    """

    form: FormDef
    upload: RecordUpload
    photos: Mapping[str, PhotoFacts] = {}
    site: Site = Site()
    tz: str = "UTC"
    starts_on: date | None = None
    received_at: datetime | None = None
    newer_version: int | None = None
    closing: Literal["form", "project"] | None = None

    def shown(self, photo: PhotoManifest) -> str:
        """A photo in the words of the form: its shot's label, and its name."""
        label = next((shot.label for shot in self.form.shots if shot.key == photo.shot), photo.shot)
        return f"Photo “{label}” ({photo.name})"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A defect before it is stored. `field` is a path (`depth_m`, `splices/3/loss_db`); `message` is for a crew."""

    rule: str
    severity: Severity
    field: str | None = None
    photo: str | None = None
    message: str
    evidence: dict[str, Json] = {}

    def view(self) -> DefectView:
        return DefectView(
            rule=self.rule, severity=self.severity, field=self.field, photo=self.photo, message=self.message
        )


Rule: TypeAlias = Callable[[RuleContext], Iterable[Finding]]


def said(value: Json) -> str:
    """A value as it may stand in a sentence: short, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a group of values"
    text = " ".join(str(value).split()) if isinstance(value, str) else f"{value:g}" if value is not None else "nothing"
    return f"“{text[:57]}…”" if len(text) > 60 else f"“{text}”" if isinstance(value, str) else text
