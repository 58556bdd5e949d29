"""The wire contract of uploads: what a phone sends, and what it is told.

Only shapes; reading and normalising is `decode`, judging is `rules`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.intake.strict_json import Json

Severity = Literal["blocker", "major", "minor", "info"]
DoubtCode = Literal["unusable", "out-of-range", "null-island", "mock"]
PhotoKind = Literal["photo", "redline", "otdr", "signature", "other"]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A usable position: WGS 84 degrees, finite and in range; metres."""

    lat: float
    lon: float
    h_accuracy_m: float | None = None
    v_accuracy_m: float | None = None
    altitude_m: float | None = None
    fix_type: str | None = None
    source: str | None = None


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A storable value that no column can hold; it stays in `fields` under `field` and becomes a defect."""

    field: str
    reason: str
    raw: Json
    code: DoubtCode = "unusable"


class PhotoManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One photo the phone will send, or has sent, by its clean name."""

    name: str
    shot: str
    kind: PhotoKind = "photo"
    sha256: str | None = None
    """Lower-case hex."""
    size: int | None = None
    type: str | None = None
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


class RecordDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A record as a phone sends it. It is read with more patience than this: what is odd is stored, with a finding."""

    id: UUID
    """Made by the phone, new for each record."""
    project: str
    form: str
    form_version: int
    asset: str
    crew: str | None = None
    fields: dict[str, Any] = {}
    position: Position | None = None
    captured_at: datetime | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    photos: list[PhotoManifest] = []


class RecordUpload(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded record; every value fits its column."""

    id: UUID
    project: str
    form: str
    form_version: int
    asset: str
    crew: str | None = None
    fields: dict[str, Json]
    """The form's fields, unknown members of the document, and raw values that no column holds."""
    position: Position | None = None
    captured_at: datetime | None = None
    created_at: datetime | None = None
    sent_at: datetime | None = None
    photos: tuple[PhotoManifest, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    fingerprint: bytes
    """SHA-256 of the content; see `fingerprint`."""


class DefectView(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, as the phone is told."""

    rule: str
    severity: Severity
    field: str | None
    photo: str | None
    message: str


class MediaView(msgspec.Struct, frozen=True, kw_only=True):
    """Which photos are here."""

    expected: int
    received: int
    missing: list[str]


class AcceptedView(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an upload, and the receipt: 201 when stored now, 200 with `replayed` when stored before."""

    record_id: UUID
    automation_job_id: UUID
    job_status: str
    review_state: str
    media: MediaView
    defects: list[DefectView]
    received_at: datetime
    revision: int
    replayed: bool = False


class ReceiptPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of a stored record: here, refused with a reason, or still expected."""

    name: str
    shot: str
    received: bool
    sha256: str | None
    size: int | None
    rejected_reason: str | None


class ReceiptView(AcceptedView, frozen=True, kw_only=True):
    """The receipt: the answer to every answer that was lost on the way."""

    photos: list[ReceiptPhoto]
