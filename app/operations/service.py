"""What an operator sees of the projects that he or she operates, and of no other."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from app.core import pages
from app.core.auth import Caller
from app.core.errors import Forbidden, MalformedRequest
from app.jobs.states import JobState
from app.operations import store
from app.operations.schemas import (
    Acts,
    Backlog,
    OpenQuestions,
    Throughput,
    Window,
    Worker,
    WorkerRun,
    Workers,
)
from sql import Connection

PIECES: dict[Window, tuple[int, int]] = {
    "hour": (300, 12),
    "day": (3600, 24),
    "week": (6 * 3600, 28),
    "month": (86400, 30),
}
"""Seconds of a piece, and how many make the window."""
MOST_QUESTIONS = 200
_NEWEST = 2**63 - 1


def operated(caller: Caller, project: str | None) -> list[UUID]:
    """The project asked for, by id or code, or all that the caller operates. Raises `ProjectUnknown` and `Forbidden`."""
    if project:
        found = caller.project(project)
        caller.demand("operator", found.id)
        return [found.id]
    mine = [access.id for access in caller.projects if caller.has("operator", access.id)]
    if not mine:
        raise Forbidden("this needs the role operator in a project")
    return mine


async def backlog(conn: Connection, caller: Caller, *, project: str | None) -> Backlog:
    """Raises `ProjectUnknown` and `Forbidden`."""
    rows = await store.BACKLOG(conn, projects=operated(caller, project))
    ready = [row for row in rows if row.state == JobState.QUEUED and row.wait_reason is None]
    return Backlog(
        at=datetime.now(UTC),
        items=rows,
        ready=sum(row.jobs for row in ready) + sum(row.due for row in rows),
        oldest_ready_at=min((row.oldest_at for row in ready), default=None),
    )


async def workers(conn: Connection, caller: Caller, *, project: str | None) -> Workers:
    """Raises `ProjectUnknown` and `Forbidden`."""
    rows = await store.WORKERS(conn, projects=operated(caller, project))
    alive = [row for row in rows if row.state == "alive"]
    return Workers(
        at=datetime.now(UTC),
        items=[
            msgspec.convert({**msgspec.structs.asdict(row), "runs": msgspec.convert(row.runs, list[WorkerRun])}, Worker)
            for row in rows
        ],
        alive=len(alive),
        places=sum(row.places for row in alive),
        busy=sum(row.busy for row in alive),
    )


async def throughput(conn: Connection, caller: Caller, *, project: str | None, window: Window) -> Throughput:
    """Raises `ProjectUnknown` and `Forbidden`."""
    step_s, steps = PIECES[window]
    rows = await store.THROUGHPUT(conn, projects=operated(caller, project), step_s=step_s, steps=steps)
    return Throughput(at=datetime.now(UTC), window=window, step_s=step_s, items=rows[:-1], whole=rows[-1])


async def questions(conn: Connection, caller: Caller, *, project: str | None) -> OpenQuestions:
    """Raises `ProjectUnknown` and `Forbidden`."""
    rows = await store.QUESTIONS(conn, projects=operated(caller, project), limit=MOST_QUESTIONS + 1)
    return OpenQuestions(at=datetime.now(UTC), items=rows[:MOST_QUESTIONS], more=len(rows) > MOST_QUESTIONS)


async def audit(
    conn: Connection,
    caller: Caller,
    *,
    project: str | None,
    actor: str,
    action: str,
    record: UUID | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    cursor: str | None,
) -> Acts:
    """`actor` is part of a name, `action` how an action begins. Raises `ProjectUnknown`, `Forbidden`, `MalformedRequest`."""
    size = pages.limit(limit)
    rows = await store.AUDIT(
        conn,
        projects=operated(caller, project),
        before=_place(cursor),
        actor=actor or None,
        action=action or None,
        record=record,
        since=since,
        until=until,
        limit=size + 1,
    )
    more = len(rows) > size
    return Acts(items=rows[:size], next=str(rows[size - 1].id) if more else None)


def _place(cursor: str | None) -> int:
    if not cursor:
        return _NEWEST
    if not (cursor.isascii() and cursor.isdigit()) or int(cursor[:20]) > _NEWEST:
        raise MalformedRequest("the cursor is not one of ours", pointer="/cursor")
    return int(cursor)
