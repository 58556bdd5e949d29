"""Rows of bulk acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from sql import load


class TargetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job that the caller may see; `record_id` and `received_at` are its record's place in the list."""

    job_id: UUID
    project_id: UUID
    record_id: UUID
    received_at: datetime


class OutcomeRow(msgspec.Struct, frozen=True, kw_only=True):
    job_id: UUID
    outcome: str
    message: str | None
    view: dict[str, Any] | None


_Q = load("bulk")
JOBS_NAMED = _Q.many("jobs_named", TargetRow)
JOBS_MATCHING = _Q.many("jobs_matching", TargetRow)
ACT = _Q.many("act", OutcomeRow)
