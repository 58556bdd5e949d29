"""HTTP of the event stream: who may follow what, from where on. Refusals come before the stream begins."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get
from litestar.datastructures import State
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from app.core.auth import Caller, Doorkeeper, cookie_name
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import (
    JobUnknown,
    MalformedRequest,
    ProjectUnknown,
    RecordUnknown,
    StreamsFull,
    TooManyRequests,
    Unauthorised,
)
from app.core.protocol import line_of
from app.core.settings import Settings
from app.live import store
from app.live.cursor import job_cursor, many_cursor
from app.live.feeds import Feed, JobFeed, ManyFeed
from app.live.hub import Hub
from app.live.sse import Allowed, EventStream
from app.live.subscription import Rights, Scope, rights_of

Ask = Request[Caller, Any, State]

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@get(
    "/api/events",
    media_type="text/event-stream",
    summary="Changes of jobs as they happen",
    description=(
        "Server-sent events `snapshot`, `state`, `progress`, `record` and `health`; `record` says that one is to be read "
        "again. Give at most one of job, record and project; "
        "with none, everything you may see. Resume with `Last-Event-ID`."
    ),
    answers={200: "The stream."},
    problems=(JobUnknown, RecordUnknown, ProjectUnknown, TooManyRequests, StreamsFull),
    media=("text/event-stream",),
    headers={"Last-Event-ID": "The id of the last event that the client has."},
)
async def events(
    request: Ask,
    job: FromQuery[UUID | None] = None,
    record: FromQuery[UUID | None] = None,
    project: Annotated[str | None, QueryParameter(description="The project's id or code")] = None,
    last_event_id: Annotated[str, QueryParameter(description="Where the header Last-Event-ID cannot be set")] = "",
) -> Stream:
    # Not as named dependencies: each would be a task of its own, and thousands of streams begin in one moment.
    parts = request.app.state
    hub: Hub = parts["hub"]
    settings: Settings = parts["settings"]
    arrived = hub.clock.now()
    if sum(wanted is not None for wanted in (job, record, project)) > 1:
        raise MalformedRequest("give one of job, record and project")
    after = request.headers.get("last-event-id") or last_event_id
    after_job, after_many = (job_cursor(after), None) if job else (None, many_cursor(after))
    rights = rights_within(request.user, project)
    scope = _scope(job, record, rights.projects[0] if project is not None else None)
    async with unavailable_as_problem():
        await _demand_visible(parts["pool"], scope, rights)
    sub = hub.places.take(scope, rights, caller=request.user.id)
    feed: Feed = JobFeed(hub, job, rights, after=after_job) if job else ManyFeed(hub, scope, rights, after=after_many)
    allowed = _allowed(request, parts["doorkeeper"], cookie_name(settings.public_url), rights=rights, project=project)
    stream = EventStream(hub, sub, feed, allowed=allowed, arrived=arrived, line=line_of(request.scope))
    return Stream(stream.chunks(), media_type="text/event-stream", headers=HEADERS)


def rights_within(caller: Caller, project: str | None) -> Rights:
    """What a stream of this caller may show. Raises `ProjectUnknown`."""
    if project is None:
        return rights_of(caller)
    only = (caller.project(project).id,)
    return Rights(only, sight=only)


def _scope(job: UUID | None, record: UUID | None, project: UUID | None) -> Scope:
    if job is not None:
        return Scope("job", job)
    if record is not None:
        return Scope("record", record)
    return Scope("all") if project is None else Scope("project", project)


async def _demand_visible(pool: Pool, scope: Scope, rights: Rights) -> None:
    """Raises `JobUnknown` and `RecordUnknown`, also for those the caller may not see."""
    allowed = {"projects": list(rights.projects), "device": rights.device}
    if scope.kind == "job":
        async with pool.reading(rights.sight) as conn:
            if await store.JOB_VISIBLE(conn, job=scope.id, **allowed) is None:
                raise JobUnknown
    elif scope.kind == "record":
        async with pool.reading(rights.sight) as conn:
            if await store.RECORD_VISIBLE(conn, record=scope.id, **allowed) is None:
                raise RecordUnknown


def _allowed(request: Ask, doorkeeper: Doorkeeper, cookie: str, *, rights: Rights, project: str | None) -> Allowed:
    """Asks the doorkeeper again, with what the request showed, whether the same may still be seen."""
    by_token = request.auth == "token"
    secret = request.headers["authorization"].partition(" ")[2].strip() if by_token else request.cookies[cookie]

    async def ask() -> bool:
        try:
            caller = await (doorkeeper.by_token(secret) if by_token else doorkeeper.by_session(secret))
            return rights_within(caller, project) == rights
        except (Unauthorised, ProjectUnknown):
            return False

    return ask


router = Router("/", route_handlers=[events], tags=["Live"])
