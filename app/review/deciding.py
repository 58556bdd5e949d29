"""The office's decision on a record: who may, on what they have seen, and what the database makes of it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
import psycopg

from app.core.auth import Caller, Role
from app.core.db import acting
from app.core.errors import (
    BlockerOpen,
    MalformedRequest,
    MatchMissing,
    Problem,
    ReasonMissing,
    RecordUnknown,
    StaleRevision,
)
from app.core.etags import number
from app.review import store
from app.review.schemas import ReviewRequest, ReviewView
from sql import Connection

_REFUSALS: Final[dict[str, type[Problem]]] = {
    "AB404": RecordUnknown,
    "AB409": BlockerOpen,
    "AB412": StaleRevision,
    "AB422": ReasonMissing,
}


async def find(conn: Connection, caller: Caller, record_id: UUID) -> UUID:
    """The record's project. Raises `RecordUnknown`, also for a record the caller may not see."""
    row = await store.PROJECT_OF_RECORD(conn, record=record_id, projects=caller.project_ids, device=caller.device_id)
    if row is None:
        raise RecordUnknown
    return row.project_id


async def demand(conn: Connection, caller: Caller, record_id: UUID, role: Role) -> None:
    """Raise `RecordUnknown` for a record the caller may not see, `Forbidden` for one they may only look at."""
    caller.demand(role, await find(conn, caller, record_id))


def seen(if_match: str | None) -> int:
    """The version that a reviewer has looked at. Raises `MatchMissing` and `MalformedRequest`."""
    if if_match is None:
        raise MatchMissing
    version = number(if_match)
    if version is None or version >= 2**31:
        raise MalformedRequest("If-Match is the ETag of the record that was looked at, or its version")
    return version


async def review(
    conn: Connection, caller: Caller, record_id: UUID, asked: ReviewRequest, *, if_match: str | None
) -> ReviewView:
    """Keep the decision; the record's job is held or goes on with it.

    Raises `RecordUnknown`, `Forbidden`, `MatchMissing`, `MalformedRequest`, `StaleRevision`, `BlockerOpen`, `ReasonMissing`.
    """
    await demand(conn, caller, record_id, "reviewer")
    version = seen(if_match)
    try:
        async with acting(conn, caller.actor, projects=caller.sight):
            done = await store.REVIEW_RECORD(
                conn, record=record_id, decision=asked.decision, note=asked.note, version=version
            )
    except psycopg.Error as exc:
        kind = _REFUSALS.get(exc.sqlstate or "")
        if kind is None:
            raise
        raise kind(exc.diag.message_primary or "", pointer="/note" if kind is ReasonMissing else None) from exc
    return msgspec.convert(done.view, ReviewView)
