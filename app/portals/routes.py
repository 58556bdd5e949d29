"""HTTP of portal accounts: what they bear and who waits, pause and resume."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import PortalUnknown
from app.portals import service
from app.portals.schemas import LimitRequest, PauseRequest, PortalList

Ask = Request[Caller, Any, State]


@get(
    "/",
    summary="The accounts of the caller's portals: limits, who waits, pauses, breakers",
    answers={200: "The accounts."},
)
async def portals(request: Ask, pool: NamedDependency[Pool]) -> PortalList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.portals(conn, request.user)


@post(
    "/{portal:str}/pause",
    status_code=202,
    summary="Start no more runs at a portal",
    answers={202: "The accounts as they are now."},
    problems=(PortalUnknown,),
)
async def pause(
    request: Ask, portal: FromPath[str], data: JSONBody[PauseRequest], pool: NamedDependency[Pool]
) -> PortalList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.pause(conn, request.user, portal, data)


@post(
    "/{portal:str}/resume",
    status_code=202,
    summary="Let a paused portal go on, and close its breaker",
    answers={202: "The accounts as they are now."},
    problems=(PortalUnknown,),
)
async def resume(
    request: Ask, portal: FromPath[str], data: JSONBody[PauseRequest], pool: NamedDependency[Pool]
) -> PortalList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.resume(conn, request.user, portal, data)


@post(
    "/{portal:str}/limit",
    status_code=202,
    summary="Say how many runs a portal's accounts bear at once, and how many may start in a minute",
    answers={202: "The accounts as they are now."},
    problems=(PortalUnknown,),
)
async def limit(
    request: Ask, portal: FromPath[str], data: JSONBody[LimitRequest], pool: NamedDependency[Pool]
) -> PortalList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.set_limit(conn, request.user, portal, data)


router = Router("/api/portals", route_handlers=[portals, pause, resume, limit], tags=["Portals"])
