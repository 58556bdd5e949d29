"""A correction: other content under a stored record's id, from the phone that has seen the revision it corrects.

It is judged like an upload and stored as the next revision, unless a run may be keying the old one at this moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.auth import Caller
from app.core.crashpoints import before_commit, crashpoint
from app.core.db import unavailable_as_problem
from app.core.errors import (
    MalformedRequest,
    PhotoConflict,
    Problem,
    RecordLocked,
    RecordSubmitted,
    RecordUnknown,
    StaleRevision,
)
from app.core.etags import number
from app.intake import rows, store
from app.intake.context import Intake
from app.intake.decode import decode
from app.intake.photos import PhotoFacts
from app.intake.related import related
from app.intake.rules import check
from app.intake.schemas import AcceptedView, RecordUpload

_NOTHING = bytes(32)
_REFUSALS: Final[dict[str, type[Problem]]] = {
    "unknown": RecordUnknown,
    "stale": StaleRevision,
    "photo": PhotoConflict,
    "locked": RecordLocked,
    "submitted": RecordSubmitted,
}


def revision(if_match: str) -> int:
    """The revision that an If-Match names: itself, or the ETag of a receipt. Raises `MalformedRequest`."""
    found = number(if_match)
    if found is None:
        raise MalformedRequest("If-Match is the revision that is corrected, or the ETag of its receipt")
    return found


async def correct(
    intake: Intake, caller: Caller, raw: bytes, *, named: UUID, expected: int, arrived_at: datetime
) -> AcceptedView:
    """Store the next revision; its job waits for what it needs now. The same correction again is a replay.

    Raises the problems of `decode`, `ProjectUnknown`, `FormUnknown`, `FormClosed`, `RecordUnknown`, `StaleRevision`,
    `PhotoConflict`, `RecordLocked`, `RecordSubmitted`, `DatabaseUnavailable`.
    """
    await crashpoint("K1", subject=named)
    upload = decode(raw, max_bytes=intake.settings.record_bytes)
    if named != upload.id:
        raise MalformedRequest("the id in the document is not the one in the address", pointer="/id")
    context = await intake.contexts.find(
        device=caller.id, project=upload.project, form=upload.form, version=upload.form_version
    )
    context.demand_open()
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        row = await store.PHOTO_CONTEXT(conn, record=upload.id, device=caller.id, sha256=_NOTHING)
        if row is None:
            raise RecordUnknown
        facts = _of_those_that_stay(upload, rows.as_upload(row)[1])
        beside = await related(conn, context, upload, facts, device=caller.id)
        judged = context.judge(upload, facts, related=beside, received_at=arrived_at)
        async with before_commit(conn, "K2", subject=upload.id):
            done = await store.CORRECT_RECORD(
                conn,
                project=context.project_id,
                device=caller.id,
                expected=expected,
                record=Jsonb(rows.record_row(upload) | rows.compared(judged)),
                photos=Jsonb([rows.photo_row(photo, None) for photo in upload.photos]),
                defects=Jsonb(msgspec.to_builtins(check(judged))),
                fingerprint=upload.fingerprint,
                actor=caller.actor,
            )
        await crashpoint("K3", subject=upload.id)
        if done.outcome in _REFUSALS:
            raise _refusal(done.outcome)
        stored = await store.RECEIPT(conn, record=upload.id, device=caller.device_id, projects=[])
    if stored is None:
        raise RecordUnknown
    return msgspec.structs.replace(rows.replay(stored), replayed=done.outcome == "replayed")


def _of_those_that_stay(upload: RecordUpload, known: dict[str, PhotoFacts]) -> dict[str, PhotoFacts]:
    listed = {photo.name for photo in upload.photos}
    return {name: facts for name, facts in known.items() if name in listed}


def _refusal(outcome: str) -> Problem:
    kind = _REFUSALS[outcome]
    if kind is PhotoConflict:
        return PhotoConflict(
            "other bytes are stored under a name that the correction keeps: give the new photo a new name"
        )
    return kind(retry_after_s=30 if kind is RecordLocked else None)
