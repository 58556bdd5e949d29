"""Rows of exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from sql import load


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    schema: dict[str, Any]
    form_key: str
    version: int


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    row: dict[str, Any]
    fields: dict[str, Any]
    h_accuracy_m: float | None
    altitude_m: float | None
    received_at: datetime
    id: UUID


class PhotosRow(msgspec.Struct, frozen=True, kw_only=True):
    external_ref: str
    asset_key: str
    received_at: datetime
    id: UUID
    photos: list[dict[str, Any]]


_Q = load("exports")
FORMS_MATCHING = _Q.many("forms_matching", FormRow)
EXPORT_PAGE = _Q.many("export_page", ExportRow)
PHOTOS_PAGE = _Q.many("photos_page", PhotosRow)
