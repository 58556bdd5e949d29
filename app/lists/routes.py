"""HTTP of lists: a page of records, how many there are, and the numbers on top."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, QueryParameter

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import ProjectUnknown
from app.lists import service
from app.lists.filters import from_query
from app.lists.schemas import RecordCount, RecordFilter, RecordList, Stats

Ask = Request[Caller, Any, State]


@get(
    "/records",
    summary="A page of the records that match, newest first",
    answers={200: "A page of records."},
    problems=(ProjectUnknown,),
)
async def list_records(
    request: Ask,
    pool: NamedDependency[Pool],
    wanted: NamedDependency[RecordFilter],
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> RecordList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.list_records(conn, request.user, wanted, limit=limit, cursor=cursor)


@get(
    "/records/count",
    summary="How many records match",
    answers={200: "The number."},
    problems=(ProjectUnknown,),
)
async def count_records(
    request: Ask, pool: NamedDependency[Pool], wanted: NamedDependency[RecordFilter]
) -> RecordCount:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.count_records(conn, request.user, wanted)


@get(
    "/stats",
    summary="The numbers on top of the page",
    answers={200: "The numbers."},
    problems=(ProjectUnknown,),
)
async def get_stats(
    request: Ask,
    pool: NamedDependency[Pool],
    project: Annotated[
        str | None, QueryParameter(description="A project's code or id; all that you may see without")
    ] = None,
) -> Stats:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.stats(conn, request.user, project=project)


router = Router(
    "/api",
    route_handlers=[list_records, count_records, get_stats],
    dependencies={"wanted": Provide(from_query, sync_to_thread=False)},
    tags=["Records"],
)
