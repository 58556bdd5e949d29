"""The wire shapes of resumable uploads."""

from __future__ import annotations

from uuid import UUID

import msgspec


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """A photo whose bytes are all here before its record: it becomes the record's photo when that arrives."""

    record_id: UUID
    name: str
    size: int
    waits_for_record: bool = True
