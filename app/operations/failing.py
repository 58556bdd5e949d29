"""Failures in groups of one cause: those that stand, and, apart, those of the last day that are over."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from app.core import pages
from app.core.auth import Caller
from app.operations import store
from app.operations.schemas import Cause, FailingJob, FailingJobs, FailureGroup, Failures, PastFailure
from app.operations.service import operated
from sql import Connection

MOST_GROUPS = 100
HOURS = 24

Key = tuple[str, str]


async def failures(conn: Connection, caller: Caller, *, project: str | None) -> Failures:
    """Raises `ProjectUnknown` and `Forbidden`."""
    projects = operated(caller, project)
    groups = await store.FAILURES(conn, projects=projects, limit=MOST_GROUPS)
    attempts: defaultdict[Key, list[store.AttemptsRow]] = defaultdict(list)
    for row in await store.FAILED_ATTEMPTS(conn, projects=projects):
        attempts[row.portal, row.fingerprint].append(row)
    items = [_group(row, attempts.pop((row.portal, row.fingerprint), [])) for row in groups]
    total = groups[0].groups if groups else 0
    # Beyond the limit, a cause without a group shown may well have one.
    past = [] if total > MOST_GROUPS else [_past(rows) for rows in attempts.values()]
    return Failures(
        at=datetime.now(UTC),
        items=items,
        groups=total,
        jobs=groups[0].all_jobs if groups else 0,
        past=sorted(past, key=lambda each: each.last_at, reverse=True)[:MOST_GROUPS],
    )


async def failing_jobs(
    conn: Connection,
    caller: Caller,
    *,
    portal: str,
    fingerprint: str,
    project: str | None,
    limit: int,
    cursor: str | None,
) -> FailingJobs:
    """Raises `ProjectUnknown`, `Forbidden` and `MalformedRequest`."""
    place, size = pages.decode(cursor), pages.limit(limit)
    rows = await store.FAILING_JOBS(
        conn,
        projects=operated(caller, project),
        portal=portal,
        fingerprint=fingerprint,
        at=place.at,
        after=place.id,
        limit=size + 1,
    )
    items = [
        FailingJob(
            id=row.id,
            record_id=row.record_id,
            project=row.project,
            external_ref=row.external_ref,
            asset_key=row.asset_key,
            state=row.state,
            message=row.message or "",
            at=row.at,
            attempt=row.attempt,
        )
        for row in rows[:size]
    ]
    last = rows[size - 1] if len(rows) > size else None
    return FailingJobs(items=items, next=pages.encode(pages.Place(last.created_at, last.id)) if last else None)


def _group(row: store.GroupRow, attempts: list[store.AttemptsRow]) -> FailureGroup:
    return FailureGroup(
        cause=_cause(row),
        jobs=row.jobs,
        failed=row.failed,
        first_at=row.first_at,
        last_at=row.last_at,
        message=row.message or "",
        per_hour=_per_hour(attempts),
    )


def _past(attempts: list[store.AttemptsRow]) -> PastFailure:
    return PastFailure(
        cause=_cause(attempts[0]),
        attempts=sum(row.attempts for row in attempts),
        last_at=max(row.last_at for row in attempts),
        per_hour=_per_hour(attempts),
    )


def _cause(row: store.GroupRow | store.AttemptsRow) -> Cause:
    return Cause(
        portal=row.portal,
        fingerprint=row.fingerprint,
        step=row.step,
        code=row.code,
        error_class=row.error_class,
        shape=row.shape or "",
    )


def _per_hour(attempts: list[store.AttemptsRow]) -> list[int]:
    counts = [0] * HOURS
    for row in attempts:
        counts[min(max(row.hour, 0), HOURS - 1)] += row.attempts
    return counts
