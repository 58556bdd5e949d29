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


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """What the project plans for one asset; `expected` holds values by name."""

    kind: str = ""
    expected: dict[str, Json] = {}
    lat: float | None = None
    lon: float | None = None
    tolerance_m: float = 50.0


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another record of the same project."""

    id: str
    reference: str


class SerialElsewhere(Other, frozen=True, kw_only=True):
    """A serial number that another record reports, in a field of its own."""

    serial: str
    field: str


class PhotoElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of another record with the same bytes; a record of another project is not named."""

    sha256: str
    id: str | None = None
    reference: str | None = None
    name: str | None = None


class Previous(Other, frozen=True, kw_only=True):
    """The record that the same crew made with the same device before this one."""

    captured_at: datetime
    lat: float
    lon: float
    h_accuracy_m: float | None


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows beside the record: its asset's design, and what is here already."""

    design: Design | None = None
    has_design: bool = False
    recorded: Other | None = None
    photos: tuple[PhotoElsewhere, ...] = ()
    serials: tuple[SerialElsewhere, ...] = ()
    previous: Previous | None = None


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """One record, with the facts of those of its photos that are here, by clean name.

    `received_at` is the server's clock when the request's head came; `tz` and `starts_on` are the project's; `newer_version` is the form's latest one.
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
    related: Related = Related()

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
