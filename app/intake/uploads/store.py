"""Rows of upload sessions in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.intake.schemas import PhotoKind
from sql import load


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A resumable upload; `received` bytes of `length` are safe."""

    id: UUID
    record_id: UUID
    name: str
    declared_sha256: bytes | None
    metadata: str
    length: int | None
    received: int
    state: Literal["receiving", "complete", "accepted", "refused"]
    refusal: dict[str, Any] | None
    expires_at: datetime
    expired: bool


class IdRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class TargetRow(msgspec.Struct, frozen=True, kw_only=True):
    kind: PhotoKind | None
    stored: bytes | None


class StrandedRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    record_id: UUID
    device_id: UUID
    label: str


_Q = load("uploads")
CREATE = _Q.opt("create_upload", Session)
TARGET = _Q.opt("upload_target", TargetRow)
FIND = _Q.opt("upload", Session)
PROGRESS = _Q.opt("upload_progress", Session)
SETTLE = _Q.opt("settle_upload", Session)
REMOVE = _Q.exec("remove_upload")
WAITING = _Q.many("waiting_uploads", IdRow)
STRANDED = _Q.many("stranded_uploads", StrandedRow)
EXPIRE = _Q.many("expire_uploads", IdRow)
NOTE_EXPIRED = _Q.exec("note_expired")
KNOWN = _Q.many("known_uploads", IdRow)
