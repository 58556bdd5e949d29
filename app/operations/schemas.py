"""The wire shapes of operations. Counts and names are of the projects that the caller operates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from app.jobs.states import JobState


class BacklogRow(msgspec.Struct, frozen=True, kw_only=True):
    """Live jobs of one state that wait for one thing. `due`: so many of the retrying ones should have been taken up by now."""

    state: JobState
    wait_reason: str | None
    jobs: int
    oldest_at: datetime
    due: int


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` jobs wait for nothing but a worker, the oldest of them since `oldest_ready_at`. `at`: the server's time."""

    at: datetime
    items: list[BacklogRow]
    ready: int
    oldest_ready_at: datetime | None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What failures have in common. In `shape`, ‹text›, ‹id› and ‹n› stand for what differs from job to job."""

    portal: str
    fingerprint: str
    step: str | None
    code: str
    error_class: str | None
    shape: str


class FailureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that have failed, or try again by themselves after a failure, for one cause.

    `message` is the newest of them; `per_hour` counts the failed attempts of the last 24 hours, the running hour last.
    """

    cause: Cause
    jobs: int
    failed: int
    first_at: datetime
    last_at: datetime
    message: str
    per_hour: list[int]


class PastFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that attempts of the last 24 hours failed for, and no job does any more."""

    cause: Cause
    attempts: int
    last_at: datetime
    per_hour: list[int]


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Current failures in groups, the largest first: at most 100 of `groups`. `past` is over, and apart."""

    at: datetime
    items: list[FailureGroup]
    groups: int
    jobs: int
    past: list[PastFailure]


class FailingJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of a group."""

    id: UUID
    record_id: UUID
    project: str
    external_ref: str
    asset_key: str
    state: Literal["failed", "retrying"]
    message: str
    at: datetime
    attempt: int


class FailingJobs(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first."""

    items: list[FailingJob]
    next: str | None


class WorkerRun(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that a worker runs."""

    job_id: UUID
    record_id: UUID
    project: str
    external_ref: str
    attempt: int
    started_at: datetime


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker serves all projects: `busy` of its `places` are taken, `runs` names those of the caller's projects only.

    `lost`: three signs of life are missing; another worker takes its runs over.
    """

    worker: str
    state: Literal["alive", "draining", "lost"]
    version: str
    places: int
    busy: int
    started_at: datetime
    seen_at: datetime
    draining_at: datetime | None
    runs: list[WorkerRun]


class Workers(msgspec.Struct, frozen=True, kw_only=True):
    """Workers that have not ended by themselves, lost ones of the last day among them. `places` and `busy` are of live ones."""

    at: datetime
    items: list[Worker]
    alive: int
    places: int
    busy: int


Window = Literal["hour", "day", "week", "month"]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What came and went in a piece of time that begins `at`; attempts count when they end.

    `pickup`: from being in line, or due, to being taken up by a worker. `run`: of completed attempts. Halves and 95 of 100.
    """

    at: datetime | None
    uploads: int
    completed: int
    failed: int
    lost: int
    pickup_p50_s: float | None
    pickup_p95_s: float | None
    run_p50_s: float | None
    run_p95_s: float | None


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of `step_s` seconds, the last of which is under way, and all of them `whole`. Days are those of UTC."""

    at: datetime
    window: Window
    step_s: int
    items: list[Piece]
    whole: Piece


class OpenQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A job that waits for a person. `outcome`: nobody could prove whether the portal took the record; it has no deadline."""

    job_id: UUID
    record_id: UUID
    project: str
    external_ref: str
    asset_key: str
    portal: str
    kind: Literal["otp", "captcha", "approval", "choice", "fix", "outcome"]
    prompt: str
    asked_at: datetime
    expires_at: datetime | None


class OpenQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """The most urgent first, at most 200 of them."""

    at: datetime
    items: list[OpenQuestion]
    more: bool


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did, and why; `before` and `after` are the thing as it was and as it became."""

    id: int
    at: datetime
    actor: str
    action: str
    reason: str
    project: str | None
    record_id: UUID | None
    external_ref: str | None
    asset_key: str | None
    job_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Acts(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first. Uploads are on record too, and are not among these."""

    items: list[Act]
    next: str | None
