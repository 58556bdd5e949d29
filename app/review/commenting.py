"""What people say to each other about a record: plain text, never changed, read by everybody who may see the record."""

from __future__ import annotations

from uuid import UUID

import msgspec
import psycopg

from app.core import pages
from app.core.auth import Caller
from app.core.db import acting
from app.core.errors import MalformedRequest, RecordUnknown
from app.review import deciding, store
from app.review.talk_schemas import CommentList, CommentView
from sql import Connection


async def comments(conn: Connection, caller: Caller, record_id: UUID, *, limit: int, cursor: str | None) -> CommentList:
    """A page, newest first. Raises `RecordUnknown` and `MalformedRequest`."""
    await deciding.find(conn, caller, record_id)
    place, size = pages.decode(cursor), pages.limit(limit)
    rows = await store.COMMENTS_OF_RECORD(conn, record=record_id, at=place.at, after=place.id, limit=size + 1)
    shown = rows[:size]
    return CommentList(
        items=[msgspec.convert(msgspec.structs.asdict(row), CommentView) for row in shown],
        next=pages.encode(pages.Place(shown[-1].at, shown[-1].id)) if len(rows) > size else None,
    )


async def say(conn: Connection, caller: Caller, record_id: UUID, text: str) -> CommentView:
    """Raises `RecordUnknown`, `Forbidden`, and `MalformedRequest` for a text of nothing but spaces."""
    await deciding.demand(conn, caller, record_id, "reviewer")
    try:
        async with acting(conn, caller.actor, projects=caller.sight):
            done = await store.ADD_COMMENT(conn, record=record_id, text=text)
    except psycopg.Error as exc:
        if exc.sqlstate == "AB404":
            raise RecordUnknown from exc
        if exc.sqlstate == "AB422":
            raise MalformedRequest(exc.diag.message_primary or "", pointer="/text") from exc
        raise
    return msgspec.convert(done.view, CommentView)
