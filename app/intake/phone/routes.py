"""HTTP of what phones read. Every answer has an ETag: a phone on a bad network asks often and gets little."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import Forbidden, FormUnknown
from app.core.etags import tagged
from app.core.settings import Settings
from app.intake.phone import service
from app.intake.phone.schemas import FormList, Inbox, Limits, PhoneForm

Ask = Request[Caller, Any, State]


@get("/forms", summary="The forms that take records", answers={200: "The forms."}, tagged=True)
async def get_forms(request: Ask, pool: NamedDependency[Pool]) -> Response[FormList]:
    async with unavailable_as_problem(), pool.connection() as conn:
        return tagged(request, await service.forms(conn))


@get(
    "/forms/{key:str}/{version:int}",
    summary="A form whole: fields, photo shots, measures",
    answers={200: "The form."},
    problems=(FormUnknown,),
    tagged=True,
)
async def get_form(
    request: Ask, key: FromPath[str], version: FromPath[int], pool: NamedDependency[Pool]
) -> Response[PhoneForm]:
    async with unavailable_as_problem(), pool.connection() as conn:
        return tagged(request, await service.form(conn, key=key, version=version))


@get(
    "/inbox",
    summary="This device's records that its crew should look at again",
    answers={200: "A page of the inbox."},
    problems=(Forbidden,),
    tagged=True,
)
async def get_inbox(
    request: Ask, pool: NamedDependency[Pool], limit: FromQuery[int] = 50, cursor: FromQuery[str | None] = None
) -> Response[Inbox]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return tagged(request, await service.inbox(conn, request.user, limit=limit, cursor=cursor))


@get("/limits", summary="How much a phone may send", answers={200: "The limits."}, tagged=True)
async def get_limits(request: Ask, settings: NamedDependency[Settings]) -> Response[Limits]:
    return tagged(request, service.limits(settings))


router = Router("/api/mobile", route_handlers=[get_forms, get_form, get_inbox, get_limits], tags=["Mobile"])
