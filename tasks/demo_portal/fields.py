"""What each page of a draft asks for, and the rules the portal checks. Pure: values in, findings out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

Kind = Literal["text", "number", "date", "select", "textarea"]
ASSET_TYPES = ("Pole", "Fibre splice closure", "Transformer", "Conductor", "Underground cable", "Switch")
DISTRICTS = ("North", "South", "Harbor", "Valley")
POLE_CLASSES = (*(str(n) for n in range(1, 11)), *(f"H{n}" for n in range(1, 7)))
_POLE = ("Pole",)
_FIBRE = ("Fibre splice closure",)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One error on a page; `field` is what the page marks."""

    page: str
    field: str
    message: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input. `assets` limits it to those asset types, empty means all; `low` and `high` bound a number."""

    key: str
    label: str
    kind: Kind = "text"
    required: bool = False
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    longest: int = 60
    hint: str = ""
    assets: tuple[str, ...] = ()


JOB = (
    Field(
        key="work_order",
        label="Work order number",
        required=True,
        pattern=r"WO-\d{4,8}",
        hint="As on your work order: WO-12345",
    ),
    Field(
        key="reference",
        label="Contractor reference",
        required=True,
        longest=40,
        hint="Your own number for this as-built",
    ),
    Field(key="asset_type", label="Asset type", kind="select", required=True, options=ASSET_TYPES),
    Field(key="district", label="District", kind="select", required=True, options=DISTRICTS),
    Field(key="installed", label="Date installed", kind="date", required=True, hint="MM/DD/YYYY"),
    Field(key="crew", label="Crew", required=True),
)
DETAILS = (
    Field(key="pole_height", label="Pole height (ft)", kind="number", required=True, low=20, high=120, assets=_POLE),
    Field(key="pole_class", label="Class", kind="select", required=True, options=POLE_CLASSES, assets=_POLE),
    Field(key="material", label="Material", assets=_POLE),
    Field(key="depth", label="Setting depth (m)", kind="number", low=0, high=10, assets=_POLE),
    Field(key="earth", label="Earth resistance (ohm)", kind="number", low=0, high=10_000, assets=_POLE),
    Field(key="closure_model", label="Closure model", required=True, assets=_FIBRE),
    Field(key="fibre_count", label="Fibre count", kind="number", required=True, low=1, high=1728, assets=_FIBRE),
    Field(
        key="splice_loss",
        label="Splice loss (dB)",
        kind="number",
        required=True,
        low=0,
        high=5,
        hint="The highest of the closure",
        assets=_FIBRE,
    ),
    Field(
        key="splices",
        label="Splice schedule",
        kind="textarea",
        longest=4000,
        hint="One splice a line: tube, fibre, loss",
        assets=_FIBRE,
    ),
    Field(
        key="latitude", label="Latitude", kind="number", required=True, low=-90, high=90, hint="Decimal degrees, WGS 84"
    ),
    Field(
        key="longitude",
        label="Longitude",
        kind="number",
        required=True,
        low=-180,
        high=180,
        hint="Decimal degrees, WGS 84",
    ),
    Field(key="notes", label="Notes", kind="textarea", longest=2000),
)
PAGES: dict[str, tuple[Field, ...]] = {"job": JOB, "details": DETAILS}


def fields_of(page: str, *, asset_type: str) -> list[Field]:
    """The inputs of a page for this asset type, in order."""
    return [field for field in PAGES[page] if not field.assets or asset_type in field.assets]


def drifted(fields: list[Field], *, renamed: bool) -> list[Field]:
    """The inputs as they look after the portal's last release: the first label is another, and moved to the end."""
    if not renamed:
        return fields
    found = [field for field in fields if field.key == "work_order"]
    others = [field for field in fields if field.key != "work_order"]
    return others + [msgspec.structs.replace(field, label="Work order no.") for field in found]


def check(page: str, keyed: Mapping[str, str], *, asset_type: str, closed_district: str = "") -> list[Finding]:
    """All errors of one page as keyed, in the order of its inputs."""
    findings: list[Finding] = []
    for field in fields_of(page, asset_type=asset_type):
        value = keyed.get(field.key, "")
        message = _missing(field, value) if not value else _wrong(field, value)
        if not message and field.key == "district" and closed_district and value == closed_district:
            message = f"District {value} is closed for as-built entry"
        if message:
            findings.append(Finding(page=page, field=field.key, message=message))
    return findings


def _missing(field: Field, value: str) -> str:
    return f"{field.label} is required" if field.required and not value else ""


def _wrong(field: Field, value: str) -> str:
    if len(value) > field.longest:
        return f"{field.label} is longer than {field.longest} characters"
    if field.pattern and not re.fullmatch(field.pattern, value):
        return f"{field.label} must look like WO-12345"
    if field.kind == "select" and value not in field.options:
        return f"{field.label}: choose one of the list"
    if field.kind == "number":
        return _wrong_number(field, value)
    return _wrong_date(field, value) if field.kind == "date" else ""


def _wrong_number(field: Field, value: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,9}(\.\d{1,12})?", value):
        return f"{field.label} must be a number"
    low, high = field.low, field.high
    if (low is not None and float(value) < low) or (high is not None and float(value) > high):
        return f"{field.label} must be between {low:g} and {high:g}"
    return ""


def _wrong_date(field: Field, value: str) -> str:
    day = read_date(value)
    if day is None:
        return f"{field.label} must be a date like 11/24/2026"
    # The earliest time zone is 14 hours ahead: a day that has begun somewhere is not in the future there.
    if day > (datetime.now(UTC) + timedelta(hours=14)).date():
        return f"{field.label} is in the future"
    return ""


def read_date(value: str) -> date | None:
    """A day as typed, month first, or as a date picker sends it."""
    for shape in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(value, shape).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
