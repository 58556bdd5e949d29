"""Status, history, retry and cancel of jobs: Postgres answers, the cache adds the progress of a running attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from app.core import pages
from app.core.auth import Caller, Role
from app.core.cache import Progress, ProgressCache
from app.core.db import acting
from app.core.errors import (
    ConfirmationMissing,
    JobNotCancellable,
    JobNotCompleted,
    JobNotHoldable,
    JobNotOnHold,
    JobNotRetryable,
    JobUnknown,
    OutcomeNotAsked,
    Problem,
    RecordUnknown,
)
from app.jobs import store
from app.jobs.schemas import AttemptDetail, AttemptList, JobList, JobView, OutcomeRequest, RunAgainRequest
from app.jobs.states import JobState
from sql import Connection

NO_SUCH_JOB, NOT_FROM_THIS_STATE, NUMBER_MISSING = "AB404", "AB409", "AB422"


async def get_job(conn: Connection, cache: ProgressCache, caller: Caller, job_id: UUID) -> JobView:
    """Raises `JobUnknown`, also for a job the caller may not see."""
    return await _with_progress(conn, cache, await find(conn, caller, job_id))


async def find(conn: Connection, caller: Caller, job_id: UUID) -> store.JobRow:
    """The row of a job the caller may see. Raises `JobUnknown`."""
    row = await store.GET_JOB(conn, id=job_id, projects=caller.project_ids, device=caller.device_id)
    if row is None:
        raise JobUnknown
    return row


async def jobs_of_record(conn: Connection, cache: ProgressCache, caller: Caller, record_id: UUID) -> JobList:
    """Raises `RecordUnknown`, also for a record the caller may not see."""
    rows = await store.JOBS_OF_RECORD(conn, record=record_id, projects=caller.project_ids, device=caller.device_id)
    if not rows:
        raise RecordUnknown
    return JobList(items=[await _with_progress(conn, cache, row) for row in rows])


async def jobs_of_project(
    conn: Connection,
    cache: ProgressCache,
    caller: Caller,
    project: str,
    *,
    state: JobState | None,
    limit: int,
    cursor: str | None,
) -> JobList:
    """`project` is an id or a code. Raises `ProjectUnknown` and `MalformedRequest`."""
    found = caller.project(project)
    place, size = pages.decode(cursor), pages.limit(limit)
    query = store.JOBS_OF_PROJECT if state is None else store.JOBS_OF_PROJECT_IN_STATE
    rows = await query(conn, project=found.id, state=state, at=place.at, after=place.id, limit=size + 1)
    items = [await _with_progress(conn, cache, row) for row in rows[:size]]
    more = len(rows) > size
    return JobList(items=items, next=pages.encode(pages.Place(items[-1].created_at, items[-1].id)) if more else None)


async def retry(conn: Connection, caller: Caller, job_id: UUID, *, reason: str) -> JobView:
    """A fresh budget, picked up at once. Raises `JobUnknown`, `Forbidden` and `JobNotRetryable`."""
    async with _act(conn, caller, job_id, refusal=JobNotRetryable):
        done = await store.RETRY_JOB(conn, id=job_id, reason=reason)
    return view(done.view)


async def run_again(conn: Connection, caller: Caller, job_id: UUID, asked: RunAgainRequest) -> JobView:
    """A completed record is submitted once more. Raises `JobUnknown`, `Forbidden` and `JobNotCompleted`."""
    async with _act(conn, caller, job_id, refusal=JobNotCompleted, role="operator"):
        done = await store.RUN_JOB_AGAIN(conn, id=job_id, reason=asked.reason, confirmation=asked.confirmation)
    return view(done.view)


async def cancel(conn: Connection, caller: Caller, job_id: UUID, *, reason: str) -> JobView:
    """A job that runs is asked to stop, any other ends at once. Raises `JobUnknown`, `Forbidden`, `JobNotCancellable`."""
    async with _act(conn, caller, job_id, refusal=JobNotCancellable):
        done = await store.CANCEL_JOB(conn, id=job_id, reason=reason)
    return view(done.view)


async def answer_outcome(conn: Connection, caller: Caller, job_id: UUID, answer: OutcomeRequest) -> JobView:
    """Completed, or submitted again with a fresh budget.

    Raises `JobUnknown`, `Forbidden`, `OutcomeNotAsked` and `ConfirmationMissing`.
    """
    async with _act(conn, caller, job_id, refusal=OutcomeNotAsked, role="operator"):
        done = await store.ANSWER_OUTCOME(
            conn, id=job_id, submitted=answer.submitted, confirmation=answer.confirmation, reason=answer.reason
        )
    return view(done.view)


async def hold(conn: Connection, caller: Caller, job_id: UUID, *, reason: str) -> JobView:
    """It starts no run until it is released. Raises `JobUnknown`, `Forbidden` and `JobNotHoldable`."""
    async with _act(conn, caller, job_id, refusal=JobNotHoldable, role="operator"):
        done = await store.HOLD_JOB(conn, id=job_id, reason=reason)
    return view(done.view)


async def release(conn: Connection, caller: Caller, job_id: UUID, *, reason: str) -> JobView:
    """A job on hold goes on. Raises `JobUnknown`, `Forbidden` and `JobNotOnHold`."""
    async with _act(conn, caller, job_id, refusal=JobNotOnHold, role="operator"):
        done = await store.RELEASE_JOB(conn, id=job_id, reason=reason)
    return view(done.view)


async def attempts(conn: Connection, caller: Caller, job_id: UUID) -> AttemptList:
    """Newest first; traceback and log for operators of the project only. Raises `JobUnknown`."""
    job = await find(conn, caller, job_id)
    operator = caller.has("operator", job.project_id)
    rows = await store.ATTEMPTS_OF_JOB(conn, job=job_id)
    return AttemptList(
        items=[
            msgspec.convert(
                {
                    **row.view,
                    "progress": row.progress,
                    "exchange": row.exchange,
                    "traceback": row.traceback if operator else None,
                    "log": row.log.splitlines() if operator else None,
                },
                AttemptDetail,
            )
            for row in rows
        ]
    )


async def artifact(conn: Connection, caller: Caller, job_id: UUID, artifact_id: UUID) -> store.ArtifactRow:
    """Raises `JobUnknown`."""
    row = await store.FIND_ARTIFACT(
        conn, id=artifact_id, job=job_id, projects=caller.project_ids, device=caller.device_id
    )
    if row is None:
        raise JobUnknown
    return row


def view(body: dict[str, Any], progress: Progress | None = None) -> JobView:
    """The SQL function's object as the Struct of the wire."""
    job = msgspec.convert(body, JobView)
    return job if progress is None else msgspec.structs.replace(job, progress=progress)


@asynccontextmanager
async def _act(
    conn: Connection, caller: Caller, job_id: UUID, *, refusal: type[Problem], role: Role = "reviewer"
) -> AsyncIterator[None]:
    """A transaction for a person's act on a job, by the operators' own functions; `refusal` is raised for their "no"."""
    row = await find(conn, caller, job_id)
    caller.demand(role, row.project_id)
    try:
        async with acting(conn, caller.actor, projects=caller.sight):
            yield
    except psycopg.Error as exc:
        if exc.sqlstate == NOT_FROM_THIS_STATE:
            raise refusal(exc.diag.message_primary or "") from exc
        if exc.sqlstate == NO_SUCH_JOB:
            raise JobUnknown from exc
        if exc.sqlstate == NUMBER_MISSING:
            raise ConfirmationMissing(exc.diag.message_primary or "", pointer="/confirmation") from exc
        raise


async def _with_progress(conn: Connection, cache: ProgressCache, row: store.JobRow) -> JobView:
    if row.view["state"] != JobState.PROCESSING:
        return view(row.view)
    job_id = UUID(row.view["id"])
    progress = await cache.read(job_id, attempt=row.attempt)
    if progress is None:
        kept = await store.ATTEMPT_PROGRESS(conn, job=job_id, attempt=row.attempt)
        progress = msgspec.convert(kept.progress, Progress) if kept else None
    return view(row.view, progress)
