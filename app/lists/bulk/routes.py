"""HTTP of bulk acts."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import ProjectUnknown, SelectionGrown
from app.lists.bulk import service
from app.lists.bulk.schemas import BulkAnswer, BulkRequest


@post(
    "/bulk",
    status_code=200,
    summary="Retry, hold, release or cancel many jobs, 200 a request",
    answers={200: "What came of each."},
    problems=(ProjectUnknown, SelectionGrown),
)
async def bulk(
    request: Request[Caller, Any, State], data: JSONBody[BulkRequest], pool: NamedDependency[Pool]
) -> BulkAnswer:
    async with unavailable_as_problem():
        return await service.act(pool, request.user, data)


router = Router("/api/jobs", route_handlers=[bulk], tags=["Jobs"])
