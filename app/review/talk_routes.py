"""HTTP of what is said about a record, and of what it said before: comments, revisions, differences."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import RecordUnknown, RevisionUnknown
from app.review import commenting, revising
from app.review.talk_schemas import CommentList, CommentRequest, CommentView, RevisionDiff, RevisionList

Ask = Request[Caller, Any, State]


@get(
    "/comments",
    summary="What people said about a record, newest first",
    answers={200: "A page of comments."},
    problems=(RecordUnknown,),
)
async def list_comments(
    request: Ask,
    record_id: FromPath[UUID],
    pool: NamedDependency[Pool],
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> CommentList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await commenting.comments(conn, request.user, record_id, limit=limit, cursor=cursor)


@post(
    "/comments",
    status_code=201,
    summary="Say something about a record to everybody who looks at it",
    answers={201: "The comment."},
    problems=(RecordUnknown,),
)
async def add_comment(
    request: Ask, record_id: FromPath[UUID], data: JSONBody[CommentRequest], pool: NamedDependency[Pool]
) -> CommentView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await commenting.say(conn, request.user, record_id, data.text)


@get(
    "/revisions",
    summary="Every content a record had, oldest first",
    answers={200: "The revisions."},
    problems=(RecordUnknown,),
)
async def list_revisions(request: Ask, record_id: FromPath[UUID], pool: NamedDependency[Pool]) -> RevisionList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await revising.revisions(conn, request.user, record_id)


@get(
    "/diff",
    summary="What changed between two revisions",
    answers={200: "The differences."},
    problems=(RecordUnknown, RevisionUnknown),
)
async def diff_revisions(
    request: Ask,
    record_id: FromPath[UUID],
    pool: NamedDependency[Pool],
    earlier: Annotated[int, QueryParameter(name="from", description="A revision")],
    later: Annotated[int, QueryParameter(name="to", description="Another")],
) -> RevisionDiff:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await revising.compare(conn, request.user, record_id, earlier=earlier, later=later)


router = Router(
    "/api/records/{record_id:uuid}",
    route_handlers=[list_comments, add_comment, list_revisions, diff_revisions],
    tags=["Review"],
)
