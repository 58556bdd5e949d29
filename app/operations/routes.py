"""HTTP of operations: for operators, of one project or of all that they operate."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from app.core.auth import Caller
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import ProjectUnknown
from app.operations import failing, service
from app.operations.schemas import Acts, Backlog, FailingJobs, Failures, OpenQuestions, Throughput, Window, Workers

Ask = Request[Caller, Any, State]
Project = Annotated[
    str | None,
    QueryParameter(name="project", description="A project's code or id; without it all that the caller operates"),
]


@get(
    "/backlog",
    summary="Live jobs by what they wait for, and how long the oldest has",
    answers={200: "The backlog."},
    problems=(ProjectUnknown,),
)
async def backlog(request: Ask, pool: NamedDependency[Pool], in_project: Project = None) -> Backlog:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.backlog(conn, request.user, project=in_project)


@get(
    "/failures",
    summary="Jobs that have failed or try again, in groups of one cause",
    answers={200: "The groups, the largest first."},
    problems=(ProjectUnknown,),
)
async def failures(request: Ask, pool: NamedDependency[Pool], in_project: Project = None) -> Failures:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await failing.failures(conn, request.user, project=in_project)


@get(
    "/failures/{portal:str}/{fingerprint:str}/jobs",
    summary="A page of the jobs of one group, newest first",
    answers={200: "A page of jobs; empty when there is no such group any more."},
    problems=(ProjectUnknown,),
)
async def failing_jobs(
    request: Ask,
    portal: FromPath[str],
    fingerprint: FromPath[str],
    pool: NamedDependency[Pool],
    in_project: Project = None,
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> FailingJobs:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await failing.failing_jobs(
            conn,
            request.user,
            portal=portal,
            fingerprint=fingerprint,
            project=in_project,
            limit=limit,
            cursor=cursor,
        )


@get(
    "/workers",
    summary="Workers: alive, draining or lost, and what they run",
    answers={200: "The workers."},
    problems=(ProjectUnknown,),
)
async def workers(request: Ask, pool: NamedDependency[Pool], in_project: Project = None) -> Workers:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.workers(conn, request.user, project=in_project)


@get(
    "/throughput",
    summary="What came and went, how long it waited and how long it ran",
    answers={200: "The pieces of the window."},
    problems=(ProjectUnknown,),
)
async def throughput(
    request: Ask, pool: NamedDependency[Pool], in_project: Project = None, window: FromQuery[Window] = "day"
) -> Throughput:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.throughput(conn, request.user, project=in_project, window=window)


@get(
    "/questions",
    summary="Jobs that wait for a person, the most urgent first",
    answers={200: "The questions."},
    problems=(ProjectUnknown,),
)
async def questions(request: Ask, pool: NamedDependency[Pool], in_project: Project = None) -> OpenQuestions:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.questions(conn, request.user, project=in_project)


@get(
    "/audit",
    summary="A page of what people did, newest first",
    answers={200: "A page of acts."},
    problems=(ProjectUnknown,),
)
async def audit(
    request: Ask,
    pool: NamedDependency[Pool],
    in_project: Project = None,
    actor: Annotated[str, QueryParameter(description="A part of the name", max_length=100)] = "",
    action: Annotated[
        str, QueryParameter(description="How the action begins, as job. or job.retry", max_length=40)
    ] = "",
    record: FromQuery[UUID | None] = None,
    since: Annotated[datetime | None, QueryParameter(description="From this time on")] = None,
    until: Annotated[datetime | None, QueryParameter(description="Before this time")] = None,
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> Acts:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.audit(
            conn,
            request.user,
            project=in_project,
            actor=actor,
            action=action,
            record=record,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )


router = Router(
    "/api/operations",
    route_handlers=[backlog, failures, failing_jobs, workers, throughput, questions, audit],
    tags=["Operations"],
)
