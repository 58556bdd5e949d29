"""Records as CSV (RFC 4180), safe to open in a spreadsheet: text that would be taken for a formula gets an apostrophe before it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from app.lists.exports.store import ExportRow

_RECORD = (
    "id", "external_ref", "project", "form_key", "form_version", "asset_key", "crew", "device", "revision", "review_state",
    "media_state", "received_at", "captured_at", "lat", "lon",
)  # fmt: skip
_POSITION = ("h_accuracy_m", "altitude_m")
_COUNTS = {
    "photos_expected": ("photos", "expected"),
    "photos_received": ("photos", "received"),
    "open_blockers": ("defects", "blocker"),
    "open_major": ("defects", "major"),
    "open_minor": ("defects", "minor"),
    "open_info": ("defects", "info"),
}
_JOB = ("id", "state", "wait_reason", "attempt", "portal", "confirmation", "portal_url", "finished_at", "external_ref")
FIXED = (*_RECORD, *_POSITION, *_COUNTS, *(f"job_{name}" for name in _JOB), "error_code")
OTHER = "other_fields"
"""What a record says beside the fields of its form, as JSON."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BOM = "\ufeff"


def field_columns(schemas: Iterable[dict[str, Any]]) -> list[str]:
    """The fields of these forms, each once, in the order in which they first come."""
    return list(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))


def head(columns: Sequence[str], *, bom: bool) -> bytes:
    """The first line. With `bom`, Excel takes the file for UTF-8."""
    return (_BOM if bom else "").encode() + _written([[*FIXED, *(f"field.{name}" for name in columns), OTHER]])


def lines(rows: Iterable[ExportRow], columns: Sequence[str]) -> bytes:
    return _written(_cells(row, columns) for row in rows)


def _cells(row: ExportRow, columns: Sequence[str]) -> list[Any]:
    record, job = row.row, row.row["job"] or {}
    others = {name: value for name, value in row.fields.items() if name not in columns}
    return [
        *(record[name] for name in _RECORD),
        *(getattr(row, name) for name in _POSITION),
        *(record[group][name] for group, name in _COUNTS.values()),
        *(job.get(name) for name in _JOB),
        (job.get("error") or {}).get("code"),
        *(row.fields.get(name) for name in columns),
        others or None,
    ]


def _written(rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    # Every text in quotes: a semicolon in it begins no cell of its own where spreadsheets part cells at semicolons.
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def cell(value: Any) -> str | int | float:
    """A value as it stands in the table. Numbers stay numbers; only text can be a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
