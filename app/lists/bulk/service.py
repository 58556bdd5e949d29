"""Bulk acts in small transactions: no lock is held for longer than a few dozen jobs take, and each says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.core import pages
from app.core.auth import Caller, Role
from app.core.db import Pool, acting
from app.core.errors import (
    Forbidden,
    JobNotCancellable,
    JobNotHoldable,
    JobNotOnHold,
    JobNotRetryable,
    JobUnknown,
    MalformedRequest,
    SelectionGrown,
)
from app.jobs.states import JobState
from app.lists import store as lists
from app.lists.bulk import store
from app.lists.bulk.schemas import MOST, Act, BulkAnswer, BulkItem, BulkRequest
from app.lists.filters import parameters
from app.lists.schemas import RecordFilter

BATCH = 20
"""Jobs in one transaction: each takes a few milliseconds, and a hold or cancel keeps the gate of its account meanwhile."""

_ROLE: dict[Act, Role] = {"retry": "reviewer", "cancel": "reviewer", "hold": "operator", "release": "operator"}
_REFUSED: dict[Act, str] = {
    "retry": JobNotRetryable.code,
    "cancel": JobNotCancellable.code,
    "hold": JobNotHoldable.code,
    "release": JobNotOnHold.code,
}
_BUSY = "job-busy"


async def act(pool: Pool, caller: Caller, wanted: BulkRequest) -> BulkAnswer:
    """Do it. Raises `MalformedRequest`, `ProjectUnknown`, `Forbidden` (in no project has the caller the role), `SelectionGrown`."""
    role = _ROLE[wanted.action]
    if not any(caller.has(role, project.id) for project in caller.projects):
        raise Forbidden(f"this needs the role {role} in a project")
    missing: set[UUID] = set()
    left, following = 0, None
    if wanted.jobs is not None and wanted.filter is None:
        targets = await _named(pool, caller, wanted.jobs)
        missing = set(wanted.jobs) - {target.job_id for target in targets}
    elif wanted.filter is not None and wanted.jobs is None:
        targets, left, following = await _matching(pool, caller, wanted.filter, wanted.expect, wanted.cursor)
    else:
        raise MalformedRequest("give either jobs or a filter", pointer="/jobs")
    items = [_skipped(job, JobUnknown.code, JobUnknown.title()) for job in sorted(missing)]
    allowed = [target.job_id for target in targets if caller.has(role, target.project_id)]
    items += [
        _skipped(target.job_id, Forbidden.code, f"this needs the role {role} in the project")
        for target in targets
        if not caller.has(role, target.project_id)
    ]
    items += await _batches(pool, caller, wanted, allowed)
    done = sum(item.outcome == "done" for item in items)
    return BulkAnswer(
        action=wanted.action, done=done, skipped=len(items) - done, left=left, items=items, next=following
    )


async def _named(pool: Pool, caller: Caller, jobs: Sequence[UUID]) -> list[store.TargetRow]:
    async with pool.reading(caller.sight) as conn:
        return await store.JOBS_NAMED(conn, jobs=list(jobs), projects=caller.project_ids)


async def _matching(
    pool: Pool, caller: Caller, wanted: RecordFilter, expect: int | None, cursor: str | None
) -> tuple[list[store.TargetRow], int, str | None]:
    """The next jobs, how many records come after them, and the cursor to go on with."""
    if expect is None:
        raise MalformedRequest("with a filter, say how many records it is about", pointer="/expect")
    place, given = pages.decode(cursor), parameters(caller, wanted)
    where = {**given, "at": place.at, "after": place.id}
    async with pool.reading(caller.sight) as conn:
        there = (await lists.COUNT_RECORDS(conn, **where, limit=expect + 1)).count
        if there > expect:
            raise SelectionGrown(f"more than the {expect} records that were expected match by now")
        targets = await store.JOBS_MATCHING(conn, **where, limit=MOST)
    left = max(0, there - len(targets))
    last = targets[-1] if targets else None
    return targets, left, pages.encode(pages.Place(last.received_at, last.record_id)) if last and left else None


async def _batches(pool: Pool, caller: Caller, wanted: BulkRequest, jobs: Sequence[UUID]) -> list[BulkItem]:
    """What came of each; a job that somebody was at is asked for once more when the others are done."""
    items: list[BulkItem] = []
    busy: list[UUID] = []
    for last, these in ((False, jobs), (True, busy)):
        for at in range(0, len(these), BATCH):
            batch = list(these[at : at + BATCH])
            async with pool.connection() as conn, acting(conn, caller.actor, projects=caller.sight):
                rows = await store.ACT(conn, action=wanted.action, jobs=batch, reason=wanted.reason)
            for row in rows:
                if row.outcome == "busy" and not last:
                    busy.append(row.job_id)
                else:
                    items.append(_item(wanted.action, row))
    return items


def _item(action: Act, row: store.OutcomeRow) -> BulkItem:
    code = {"done": None, "busy": _BUSY, "unknown": JobUnknown.code}.get(row.outcome, _REFUSED[action])
    words = {"busy": "the job is being worked on at this moment", "unknown": JobUnknown.title()}
    view = row.view or {}
    return BulkItem(
        job_id=row.job_id,
        outcome="done" if row.outcome == "done" else "skipped",
        code=code,
        detail=row.message or words.get(row.outcome),
        external_ref=view.get("external_ref"),
        state=JobState(view["state"]) if view else None,
    )


def _skipped(job: UUID, code: str, detail: str) -> BulkItem:
    return BulkItem(job_id=job, outcome="skipped", code=code, detail=detail)
