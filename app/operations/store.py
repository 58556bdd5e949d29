"""Rows of operations out; every read carries the projects that the caller operates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.operations.schemas import Act, BacklogRow, OpenQuestion, Piece
from sql import load


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    portal: str
    fingerprint: str
    step: str | None
    code: str
    error_class: str | None
    shape: str | None
    message: str | None
    jobs: int
    failed: int
    first_at: datetime
    last_at: datetime
    groups: int
    all_jobs: int


class AttemptsRow(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that failed for one cause in one hour."""

    portal: str
    fingerprint: str
    step: str | None
    code: str
    error_class: str | None
    shape: str | None
    hour: int
    attempts: int
    last_at: datetime


class FailingJobRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    record_id: UUID
    project: str
    external_ref: str
    asset_key: str
    state: Literal["failed", "retrying"]
    message: str | None
    at: datetime
    attempt: int
    created_at: datetime


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    worker: str
    state: Literal["alive", "draining", "lost"]
    version: str
    places: int
    busy: int
    started_at: datetime
    seen_at: datetime
    draining_at: datetime | None
    runs: list[dict[str, Any]]


_Q = load("operations")
BACKLOG = _Q.many("backlog", BacklogRow)
FAILURES = _Q.many("failures", GroupRow)
FAILED_ATTEMPTS = _Q.many("failed_attempts", AttemptsRow)
FAILING_JOBS = _Q.many("failing_jobs", FailingJobRow)
WORKERS = _Q.many("workers", WorkerRow)
THROUGHPUT = _Q.many("throughput", Piece)
QUESTIONS = _Q.many("questions", OpenQuestion)
AUDIT = _Q.many("audit", Act)
