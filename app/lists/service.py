"""Finding records: a page of what matches, how many match, and the numbers on top."""

from __future__ import annotations

import msgspec

from app.core import pages
from app.core.auth import Caller
from app.lists import store
from app.lists.filters import parameters
from app.lists.schemas import RecordCount, RecordFilter, RecordList, Stats
from app.review.schemas import RecordRow
from sql import Connection

COUNTED = 100_000
"""Records that are counted one by one; who has more is told so."""

_ATTENTION = ("held", "needs_input", "failed")


async def list_records(
    conn: Connection, caller: Caller, wanted: RecordFilter, *, limit: int, cursor: str | None
) -> RecordList:
    """A page, newest first. Raises `ProjectUnknown` and `MalformedRequest`."""
    place, size = pages.decode(cursor), pages.limit(limit)
    rows = await store.LIST_RECORDS(conn, **parameters(caller, wanted), at=place.at, after=place.id, limit=size + 1)
    shown = rows[:size]
    return RecordList(
        items=[msgspec.convert(row.row, RecordRow) for row in shown],
        next=pages.encode(pages.Place(shown[-1].received_at, shown[-1].id)) if len(rows) > size else None,
    )


async def count_records(conn: Connection, caller: Caller, wanted: RecordFilter) -> RecordCount:
    """Raises `ProjectUnknown`."""
    first, given = pages.FIRST, parameters(caller, wanted)
    found = (await store.COUNT_RECORDS(conn, **given, at=first.at, after=first.id, limit=COUNTED + 1)).count
    return RecordCount(count=min(found, COUNTED), more=found > COUNTED)


async def stats(conn: Connection, caller: Caller, *, project: str | None) -> Stats:
    """Raises `ProjectUnknown`."""
    row = await store.STATS(conn, projects=[caller.project(project).id] if project else caller.project_ids)
    return Stats(
        by_state=row.by_state,
        received_today=row.received_today,
        completed_today=row.completed_today,
        failed_open=row.by_state.get("failed", 0),
        needs_attention=sum(row.by_state.get(state, 0) for state in _ATTENTION),
        median_run_s=row.median_run_s,
    )
