"""The wire shapes of what phones read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.intake.schemas import DefectView, MediaView


class FormEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A form that takes records; one that is `closing` will take none soon. `url` is where the whole of it is."""

    form: str
    form_version: int
    title: str
    state: Literal["open", "closing"]
    url: str


class FormList(msgspec.Struct, frozen=True, kw_only=True):
    """By form, the newest version first."""

    items: list[FormEntry]


class PhoneForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form version whole: JSON Schema of the fields in the order of the page, photo shots, measures, thresholds."""

    form: str
    form_version: int
    title: str
    state: Literal["open", "closing", "closed"]
    schema: dict[str, Any]
    shots: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    rules: dict[str, Any]


class OpenDefect(DefectView, frozen=True, kw_only=True):
    """A finding that stands."""

    id: UUID


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """A record of this device that its crew should look at again, with every finding that stands."""

    record_id: UUID
    revision: int
    form: str
    form_version: int
    asset: str
    review_state: str
    review_note: str
    """What the office said with its last decision."""
    received_at: datetime
    automation_job_id: UUID
    job_status: str
    media: MediaView
    defects: list[OpenDefect]


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; `next` continues the list, null at its end."""

    items: list[InboxItem]
    next: str | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is taken. Bytes, pixels, characters, pieces; durations in seconds; 0 is no limit."""

    record_bytes: int
    record_depth: int
    record_values: int
    string_chars: int
    request_bytes: int
    request_parts: int
    photos: int
    photo_bytes: int
    photo_pixels: int
    photo_side_px: int
    photo_name_chars: int
    photo_types: dict[str, list[str]]
    """Types by the kind of photo; what counts is the content."""
    body_idle_s: float
    body_total_s: float
    uploads_per_s: float
    """In the long run, after a burst of `uploads_burst`."""
    uploads_burst: int
    requests_per_device: int
    """At once; more are answered 429."""
    upload_bytes: int
    """Of a resumable upload."""
    upload_ttl_s: float
    uploads_per_device: int
