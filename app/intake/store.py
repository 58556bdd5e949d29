"""Rows of uploads in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.intake.schemas import PhotoKind
from sql import load


class ContextRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device's project and a form; `title` is null when there is no such form version."""

    project_id: UUID
    project_state: str
    tz: str
    starts_on: date | None
    site_lat: float | None
    site_lon: float | None
    site_radius_m: float
    boundary: dict[str, Any] | None
    has_portal: bool
    title: str | None
    form_state: str | None
    schema: dict[str, Any] | None
    shots: list[dict[str, Any]] | None
    measures: list[dict[str, Any]] | None
    rules: dict[str, Any] | None
    newer_version: int | None


class AcceptedRow(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str
    job_id: UUID | None
    job_state: str | None
    received_at: datetime | None


class RemainRow(msgspec.Struct, frozen=True, kw_only=True):
    remain: int


class OutcomeRow(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str


class ReceiptRow(msgspec.Struct, frozen=True, kw_only=True):
    record_id: UUID
    review_state: str
    received_at: datetime
    revision: int
    fingerprint: bytes
    job_id: UUID
    job_state: str
    photos: list[dict[str, Any]]
    defects: list[dict[str, Any]]


class StoredPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of a stored record; `stored` is the hash of the bytes that are here, in hex."""

    name: str
    shot: str
    kind: PhotoKind
    sha256: str | None
    size: int | None
    stored: str | None
    dhash: int | None
    checks: Literal["done", "deferred", "failed"]
    refused: str | None
    unreadable: str | None


class PhotoContextRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    device_id: UUID
    project: str
    form_key: str
    form_version: int
    asset_key: str
    fields: dict[str, Any]
    lat: float | None
    lon: float | None
    h_accuracy_m: float | None
    captured_at: datetime | None
    fingerprint: bytes
    twin: dict[str, Any] | None
    photos: list[dict[str, Any]] | None


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    fingerprint: bytes


_Q = load("intake")
INTAKE_CONTEXT = _Q.opt("intake_context", ContextRow)
ACCEPT_RECORD = _Q.one("accept_record", AcceptedRow)
CORRECT_RECORD = _Q.one("correct_record", OutcomeRow)
ACCEPT_PHOTO = _Q.one("accept_photo", OutcomeRow)
RECEIPT = _Q.opt("receipt", ReceiptRow)
PHOTO_CONTEXT = _Q.opt("photo_context", PhotoContextRow)
SETTLE_CHECK = _Q.one("settle_check", RemainRow)
CLAIM_KEY = _Q.one("claim_key", KeyRow)
