"""One record for the office: whole, with its photos, and what people decide on it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import psycopg

from app.core.auth import Caller
from app.core.db import acting
from app.core.errors import DefectNotOpen, DefectUnknown, ReasonMissing, RecordUnknown
from app.jobs.schemas import AttemptView
from app.review import store
from app.review.schemas import (
    DefectView,
    FormView,
    PhotoView,
    RecordDetail,
    RecordRow,
    ReviewView,
    SiteView,
    TimelineEntry,
)
from sql import Connection

_NOT_THERE, _NOT_OPEN, _NO_REASON = "AB404", "AB409", "AB422"


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
        async with acting(conn, caller.actor, projects=caller.sight):
            done = await store.WAIVE_DEFECT(conn, defect=defect_id, reason=reason)
    except psycopg.Error as exc:
        if exc.sqlstate == _NOT_OPEN:
            raise DefectNotOpen(exc.diag.message_primary or "") from exc
        if exc.sqlstate == _NOT_THERE:
            raise DefectUnknown from exc
        if exc.sqlstate == _NO_REASON:
            raise ReasonMissing(pointer="/reason") from exc
        raise
    return msgspec.convert(done.view, DefectView)


def _photo(record_id: UUID, photo: dict[str, Any]) -> PhotoView:
    view = msgspec.convert(photo, PhotoView)
    if not photo["stored"]:
        return view
    return msgspec.structs.replace(view, url=f"/api/records/{record_id}/photos/{quote(view.name)}")
