"""Reading records for the office: pages, one record whole, photos, and the numbers on top."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import psycopg

from app.core import pages
from app.core.auth import Caller
from app.core.db import acting
from app.core.errors import DefectNotOpen, DefectUnknown, ReasonMissing, RecordUnknown
from app.jobs.schemas import AttemptView
from app.jobs.states import JobState
from app.review import store
from app.review.schemas import (
    DefectView,
    FormView,
    PhotoView,
    RecordDetail,
    RecordList,
    RecordRow,
    ReviewView,
    SiteView,
    Stats,
    TimelineEntry,
)
from sql import Connection

_NOT_OPEN, _NO_REASON = "AB409", "AB422"
_ATTENTION = ("held", "needs_input", "failed")


async def list_records(
    conn: Connection,
    caller: Caller,
    *,
    project: str,
    state: JobState | None,
    q: str,
    limit: int,
    cursor: str | None,
) -> RecordList:
    """A page, newest first. Raises `ProjectUnknown` and `MalformedRequest`."""
    found = caller.project(project)
    place, size = pages.decode(cursor), pages.limit(limit)
    page = {"project": found.id, "at": place.at, "after": place.id, "limit": size + 1}
    if q:
        rows = await store.SEARCH_RECORDS(conn, q=q, state=state, **page)
    elif state is not None:
        rows = await store.LIST_RECORDS_IN_STATE(conn, state=state, **page)
    else:
        rows = await store.LIST_RECORDS(conn, **page)
    shown = rows[:size]
    return RecordList(
        items=[msgspec.convert(row.row, RecordRow) for row in shown],
        next=pages.encode(pages.Place(shown[-1].received_at, shown[-1].id)) if len(rows) > size else None,
    )


async def get_record(conn: Connection, caller: Caller, record_id: UUID) -> RecordDetail:
    """Raises `RecordUnknown`, also for a record the caller may not see."""
    row = await store.GET_RECORD(conn, id=record_id, projects=caller.project_ids, device=caller.device_id)
    if row is None:
        raise RecordUnknown
    attempts = await store.ATTEMPTS_OF_RECORD(conn, record=record_id)
    timeline = await store.TIMELINE_OF_RECORD(conn, record=record_id)
    summary = msgspec.convert(row.row, RecordRow)
    return RecordDetail(
        **{name: getattr(summary, name) for name in RecordRow.__struct_fields__},
        fields=row.fields,
        h_accuracy_m=row.h_accuracy_m,
        review=msgspec.convert(row.review, ReviewView),
        approval_required=row.approval_required,
        site=msgspec.convert(row.site, SiteView),
        form=msgspec.convert(row.form, FormView),
        photo_list=[_photo(record_id, photo) for photo in row.photos],
        defect_list=msgspec.convert(row.defects, list[DefectView]),
        attempts=[msgspec.convert(attempt.view, AttemptView) for attempt in attempts],
        timeline=[msgspec.convert(msgspec.structs.asdict(entry), TimelineEntry) for entry in timeline],
    )


async def find_photo(conn: Connection, caller: Caller, record_id: UUID, name: str) -> store.PhotoRow:
    """Raises `RecordUnknown`, also for a photo whose bytes are not here."""
    row = await store.FIND_PHOTO(
        conn, record=record_id, name=name, projects=caller.project_ids, device=caller.device_id
    )
    if row is None:
        raise RecordUnknown
    return row


async def waive(conn: Connection, caller: Caller, record_id: UUID, defect_id: UUID, *, reason: str) -> DefectView:
    """A person lets a defect stand; with the last open blocker the job goes on.

    Raises `DefectUnknown`, also for one of a record the caller may not see, `Forbidden`, `DefectNotOpen`, `ReasonMissing`.
    """
    row = await store.FIND_DEFECT(
        conn, record=record_id, defect=defect_id, projects=caller.project_ids, device=caller.device_id
    )
    if row is None:
        raise DefectUnknown
    caller.demand("reviewer", row.project_id)
    try:
        async with acting(conn, caller.actor):
            done = await store.WAIVE_DEFECT(conn, defect=defect_id, reason=reason)
    except psycopg.Error as exc:
        if exc.sqlstate == _NOT_OPEN:
            raise DefectNotOpen(exc.diag.message_primary or "") from exc
        if exc.sqlstate == _NO_REASON:
            raise ReasonMissing(pointer="/reason") from exc
        raise
    return msgspec.convert(done.view, DefectView)


async def stats(conn: Connection, caller: Caller, *, project: str) -> Stats:
    """Raises `ProjectUnknown`."""
    row = await store.STATS(conn, project=caller.project(project).id)
    return Stats(
        by_state=row.by_state,
        received_today=row.received_today,
        completed_today=row.completed_today,
        failed_open=row.by_state.get("failed", 0),
        needs_attention=sum(row.by_state.get(state, 0) for state in _ATTENTION),
        median_run_s=row.median_run_s,
    )


def _photo(record_id: UUID, photo: dict[str, Any]) -> PhotoView:
    view = msgspec.convert(photo, PhotoView)
    if not photo["stored"]:
        return view
    return msgspec.structs.replace(view, url=f"/api/records/{record_id}/photos/{quote(view.name)}")
