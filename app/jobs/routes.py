"""HTTP of jobs: status and lists, a person's acts, the attempts with their pictures."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from app.core import errors, serving
from app.core.auth import Caller
from app.core.blobs import Blobs
from app.core.cache import ProgressCache
from app.core.db import Pool, unavailable_as_problem
from app.jobs import service
from app.jobs.pace import Paces
from app.jobs.schemas import ActRequest, AttemptList, JobList, JobView, OutcomeRequest, Pace, RunAgainRequest
from app.jobs.states import JobState

Ask = Request[Caller, Any, State]


@get("/{job_id:uuid}", summary="A job with its progress", answers={200: "The job."}, problems=(errors.JobUnknown,))
async def get_job(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], cache: NamedDependency[ProgressCache]
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.get_job(conn, cache, request.user, job_id)


@get(
    "/record/{record_id:uuid}",
    summary="All jobs of a record, newest first",
    answers={200: "The jobs."},
    problems=(errors.RecordUnknown,),
)
async def jobs_of_record(
    request: Ask, record_id: FromPath[UUID], pool: NamedDependency[Pool], cache: NamedDependency[ProgressCache]
) -> JobList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.jobs_of_record(conn, cache, request.user, record_id)


@get(
    "/project/{project:str}",
    summary="A page of a project's jobs, newest first",
    answers={200: "A page of jobs."},
    problems=(errors.ProjectUnknown,),
)
async def jobs_of_project(
    request: Ask,
    project: FromPath[str],
    pool: NamedDependency[Pool],
    cache: NamedDependency[ProgressCache],
    in_state: Annotated[JobState | None, QueryParameter(name="state")] = None,
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> JobList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.jobs_of_project(
            conn, cache, request.user, project, state=in_state, limit=limit, cursor=cursor
        )


def _why(act: ActRequest | None) -> str:
    """A program may send no body at all."""
    return act.reason if act else ""


@post(
    "/{job_id:uuid}/retry",
    status_code=202,
    summary="Run a failed or waiting job now, with a fresh budget",
    answers={202: "The job, which is picked up at once."},
    problems=(errors.JobUnknown, errors.JobNotRetryable),
)
async def retry(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], data: JSONBody[ActRequest | None] = None
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.retry(conn, request.user, job_id, reason=_why(data))


@post(
    "/{job_id:uuid}/run-again",
    status_code=202,
    summary="Submit a completed record once more, under a new reference",
    answers={202: "The job, which is picked up at once."},
    problems=(errors.JobUnknown, errors.JobNotCompleted),
)
async def run_again(
    request: Ask, job_id: FromPath[UUID], data: JSONBody[RunAgainRequest], pool: NamedDependency[Pool]
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.run_again(conn, request.user, job_id, data)


@post(
    "/{job_id:uuid}/cancel",
    status_code=202,
    summary="End a job; one that runs is asked to stop",
    answers={202: "The job, ended or about to."},
    problems=(errors.JobUnknown, errors.JobNotCancellable),
)
async def cancel(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], data: JSONBody[ActRequest | None] = None
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.cancel(conn, request.user, job_id, reason=_why(data))


@post(
    "/{job_id:uuid}/outcome",
    status_code=200,
    summary="Say whether the portal has a record whose outcome is unknown",
    answers={200: "The job, completed or to be submitted again."},
    problems=(errors.JobUnknown, errors.OutcomeNotAsked, errors.ConfirmationMissing),
)
async def answer_outcome(
    request: Ask, job_id: FromPath[UUID], data: JSONBody[OutcomeRequest], pool: NamedDependency[Pool]
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.answer_outcome(conn, request.user, job_id, data)


@post(
    "/{job_id:uuid}/hold",
    status_code=202,
    summary="Put a waiting job on hold",
    answers={202: "The job on hold."},
    problems=(errors.JobUnknown, errors.JobNotHoldable),
)
async def hold(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], data: JSONBody[ActRequest | None] = None
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.hold(conn, request.user, job_id, reason=_why(data))


@post(
    "/{job_id:uuid}/release",
    status_code=202,
    summary="Let a job on hold go on",
    answers={202: "The job, which goes on."},
    problems=(errors.JobUnknown, errors.JobNotOnHold),
)
async def release(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], data: JSONBody[ActRequest | None] = None
) -> JobView:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.release(conn, request.user, job_id, reason=_why(data))


@get(
    "/{job_id:uuid}/attempts",
    summary="Every attempt of a job with its steps, newest first",
    answers={200: "The attempts."},
    problems=(errors.JobUnknown,),
)
async def attempts(request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool]) -> AttemptList:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await service.attempts(conn, request.user, job_id)


@get(
    "/{job_id:uuid}/pace",
    summary="How long the steps of a job's recipe usually take",
    answers={200: "The steps with their times."},
    problems=(errors.JobUnknown,),
)
async def pace(
    request: Ask, job_id: FromPath[UUID], pool: NamedDependency[Pool], paces: NamedDependency[Paces]
) -> Pace:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        return await paces.of_job(conn, request.user, job_id)


@get(
    "/{job_id:uuid}/artifacts/{artifact_id:uuid}",
    summary="A screenshot of a run",
    answers={200: "The picture.", 206: "The range that was asked for."},
    problems=(errors.JobUnknown,),
    media=("image/jpeg", "image/png", "text/html", "text/plain"),
    headers={"Range": "One range of bytes."},
    tagged=True,
)
async def artifact(
    request: Ask,
    job_id: FromPath[UUID],
    artifact_id: FromPath[UUID],
    pool: NamedDependency[Pool],
    blobs: NamedDependency[Blobs],
) -> Response[Any]:
    async with unavailable_as_problem(), pool.reading(request.user.sight) as conn:
        row = await service.artifact(conn, request.user, job_id, artifact_id)
    return await serving.picture(request, blobs, sha256=row.blob_sha256, size=row.size, media_type=row.type)


router = Router(
    "/api/jobs",
    route_handlers=[
        get_job,
        jobs_of_record,
        jobs_of_project,
        retry,
        run_again,
        cancel,
        answer_outcome,
        hold,
        release,
        attempts,
        pace,
        artifact,
    ],
    tags=["Jobs"],
)
