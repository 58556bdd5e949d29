"""The revisions of a record and what they differ in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from app.core.auth import Caller
from app.core.errors import RevisionUnknown
from app.review import deciding, diff, store
from app.review.talk_schemas import RevisionDiff, RevisionList, RevisionView
from sql import Connection


async def revisions(conn: Connection, caller: Caller, record_id: UUID) -> RevisionList:
    """Every content the record had, oldest first. Raises `RecordUnknown`."""
    await deciding.find(conn, caller, record_id)
    rows = await store.REVISIONS_OF_RECORD(conn, record=record_id)
    return RevisionList(items=[msgspec.convert(msgspec.structs.asdict(row), RevisionView) for row in rows])


async def compare(conn: Connection, caller: Caller, record_id: UUID, *, earlier: int, later: int) -> RevisionDiff:
    """What changed between two revisions, in whichever order they are named. Raises `RecordUnknown`, `RevisionUnknown`."""
    await deciding.find(conn, caller, record_id)
    if not (0 < earlier < 2**31 and 0 < later < 2**31):
        raise RevisionUnknown
    rows = {
        row.revision: row
        for row in await store.REVISIONS_TO_COMPARE(conn, record=record_id, earlier=earlier, later=later)
    }
    if earlier not in rows or later not in rows:
        raise RevisionUnknown
    one, other = rows[earlier], rows[later]
    whole = bool(one.content and other.content)
    return RevisionDiff(
        earlier=earlier,
        later=later,
        whole=whole,
        changes=diff.changes(_document(one, whole=whole), _document(other, whole=whole)),
        photos=diff.photo_changes(one.content["photos"], other.content["photos"]) if whole else [],
    )


def _document(row: store.ContentRow, *, whole: bool) -> dict[str, Any]:
    rest = {key: value for key, value in row.content.items() if key != "photos" and value not in (None, "")}
    return {"fields": row.fields} | (rest if whole else {})
