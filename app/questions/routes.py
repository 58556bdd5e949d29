"""HTTP of questions: what a job asks, and a person's answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.core import errors
from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.settings import Settings
from app.core.vault import Vault
from app.jobs.schemas import JobView
from app.questions import service
from app.questions.schemas import Answer, InputList

Ask = Request[Caller, Any, State]


@get(
    "/{job_id:uuid}/inputs",
    summary="The questions of a job, newest first, without their answers",
    answers={200: "The questions."},
    problems=(errors.JobUnknown,),
)
async def inputs(request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool]) -> InputList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.inputs(conn, request.user, job_id)


@post(
    "/{job_id:uuid}/inputs/{input_id:uuid}",
    status_code=202,
    summary="Answer a question; the job goes on at once",
    answers={202: "The job, which goes on."},
    problems=(
        errors.JobUnknown,
        errors.InputUnknown,
        errors.InputAnswered,
        errors.InputExpired,
        errors.AnswersCannotBeKept,
    ),
)
async def answer(
    request: Ask,
    job_id: FromPath[UUID],
    input_id: FromPath[UUID],
    data: JSONBody[Answer],
    pool: NamedDependency[Pool],
    settings: NamedDependency[Settings],
) -> JobView:
    vault = Vault(settings.secret_key)
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.answer(conn, request.user, job_id, input_id, given=data, vault=vault)


router = Router("/api/jobs", route_handlers=[inputs, answer], tags=["Questions"])
