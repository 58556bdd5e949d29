"""Rows of what phones read."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from sql import load


class FormEntryRow(msgspec.Struct, frozen=True, kw_only=True):
    form_key: str
    version: int
    title: str
    state: str


class FormRow(FormEntryRow, frozen=True, kw_only=True):
    schema: dict[str, Any]
    shots: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    rules: dict[str, Any]


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    revision: int
    form_key: str
    form_version: int
    asset_key: str
    review_state: str
    review_note: str
    received_at: datetime
    job_id: UUID
    job_state: str
    expected: int
    missing: list[str]
    defects: list[dict[str, Any]]


_Q = load("phone")
OPEN_FORMS = _Q.many("open_forms", FormEntryRow)
FORM = _Q.opt("form", FormRow)
INBOX = _Q.many("inbox", InboxRow)
