"""The HTTP of the contract, version 1: reads requests, calls the register of runs, writes replies. No rule lives here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import File, Stream

from tasks.engines.contract import CommitGrant, Event, Found, Health, RunSpec, RunView
from tasks.runner.artifacts import Artifact
from tasks.runner.lookup import look_up
from tasks.runner.refusals import KeyRequired, NotThere, PortalUnknown, Refusal
from tasks.runner.run import Run
from tasks.runner.runs import Runs

Asked = Request[object, object, State]
Register = NamedDependency[Runs]
Body = TypeVar("Body")

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class CancelBody(msgspec.Struct, frozen=True, kw_only=True):
    reason: str = ""


class AnswerBody(msgspec.Struct, frozen=True, kw_only=True):
    values: dict[str, str]


class LookupBody(msgspec.Struct, frozen=True, kw_only=True):
    portal: str
    external_ref: str
    account: str = "default"


class FoundReply(msgspec.Struct, frozen=True, kw_only=True):
    confirmation_number: str
    submitted_at: datetime | None
    evidence_url: str | None
    found: Literal[True] = True


class AbsentReply(msgspec.Struct, frozen=True, kw_only=True):
    as_of: datetime
    index_lag_s: float
    found: Literal[False] = False


async def _read(request: Asked, shape: type[Body]) -> Body:
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.MsgspecError as exc:
        raise Refusal(f"the body cannot be read: {exc}") from exc


@post("/v1/runs")
async def start_run(request: Asked, runs: Register) -> Response[RunView]:
    """Start a run, or attach to the one of this key."""
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise KeyRequired
    run, new = runs.start(await _read(request, RunSpec), key=key)
    headers = {"Location": f"/v1/runs/{run.id}"}
    if not new:
        headers["Idempotent-Replay"] = "true"
    return Response(run.view(), status_code=201 if new else 200, headers=headers)


@get("/v1/runs")
async def find_run(runs: Register, key: FromQuery[str]) -> RunView:
    """The run of a key, for a client whose create reply was lost."""
    return runs.by_key(key).view()


@get("/v1/runs/{run_id:str}")
async def show_run(runs: Register, run_id: FromPath[str]) -> RunView:
    """A run as it stands."""
    return runs.get(run_id).view()


@get("/v1/runs/{run_id:str}/events")
async def follow_run(
    request: Asked, runs: Register, run_id: FromPath[str], after: FromQuery[int] = 0, wait: FromQuery[int] = 1
) -> Stream:
    """Every event after a number, in order, then live; `?wait=0` is one plain page."""
    run = runs.get(run_id)
    sse = "text/event-stream" in request.headers.get("Accept", "")
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if sse and last.isdigit() else after
    media_type = "text/event-stream" if sse else "application/x-ndjson"
    return Stream(
        _lines(runs, run, after=max(0, after), wait=bool(wait), sse=sse), media_type=media_type, headers=_NO_STORE
    )


async def _lines(runs: Runs, run: Run, *, after: int, wait: bool, sse: bool) -> AsyncIterator[bytes]:
    write = _sse if sse else _ndjson
    while True:
        for event in run.journal.beyond(after):
            yield write(event)
            after = event.seq
            # A loop that never really waits could not notice that its client has left.
            await asyncio.sleep(0)
        if run.journal.last_seq > after:
            continue
        if run.over or not wait or runs.stopping.is_set():
            return
        if not await run.journal.wait(after, patience_s=runs.shop.limits.heartbeat_s) and not runs.stopping.is_set():
            yield b": hb\n\n" if sse else b'{"type":"heartbeat"}\n'


def _ndjson(event: Event) -> bytes:
    return msgspec.json.encode(event) + b"\n"


def _sse(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), msgspec.json.encode(event))


@post("/v1/runs/{run_id:str}/commit", status_code=200)
async def commit_run(request: Asked, runs: Register, run_id: FromPath[str]) -> RunView:
    """Let the held submission go, or abort it."""
    run = runs.get(run_id)
    runs.commit(run, await _read(request, CommitGrant))
    return run.view()


@post("/v1/runs/{run_id:str}/inputs/{input_id:str}", status_code=200)
async def answer_run(request: Asked, runs: Register, run_id: FromPath[str], input_id: FromPath[str]) -> RunView:
    """Answer a question of the run, which then goes on."""
    run = runs.get(run_id)
    run.answer(input_id, (await _read(request, AnswerBody)).values)
    return run.view()


@post("/v1/runs/{run_id:str}/cancel", status_code=202)
async def cancel_run(request: Asked, runs: Register, run_id: FromPath[str]) -> RunView:
    """Stop a run; also on one that has ended."""
    run = runs.get(run_id)
    runs.cancel(run, reason=(await _read(request, CancelBody)).reason)
    if run.task is not None and run.cancel_reason is not None:
        await asyncio.wait({run.task}, timeout=10)
    return run.view()


@get("/v1/runs/{run_id:str}/artifacts")
async def list_artifacts(runs: Register, run_id: FromPath[str]) -> list[Artifact]:
    """The frames of a run and, when it failed, the page; oldest first."""
    return runs.artifacts.of(runs.get(run_id).id)


@get("/v1/artifacts/{artifact_id:str}")
async def show_artifact(runs: Register, artifact_id: FromPath[str]) -> File:
    """An artifact's bytes. A portal's page must not act under this service's name: it is shown without scripts."""
    found = runs.artifacts.find(artifact_id)
    if found is None:
        raise NotThere
    artifact, path = found
    return File(path, media_type=artifact.mime, content_disposition_type="inline", headers=_HARMLESS)


@post("/v1/lookups", status_code=200)
async def search(request: Asked, runs: Register) -> FoundReply | AbsentReply:
    """Ask the portal for a submission by our reference."""
    asked = await _read(request, LookupBody)
    recipe = runs.recipes.for_portal(asked.portal)
    portal = runs.shop.portals.get(asked.portal)
    if recipe is None or portal is None or asked.account not in portal.accounts:
        raise PortalUnknown
    answer = await look_up(recipe, portal, account=asked.account, external_ref=asked.external_ref, shop=runs.shop)
    if isinstance(answer, Found):
        return FoundReply(
            confirmation_number=answer.confirmation_number,
            submitted_at=answer.submitted_at,
            evidence_url=answer.evidence_url,
        )
    return AbsentReply(as_of=answer.as_of, index_lag_s=answer.index_lag_s)


@get("/v1/health")
async def health(runs: Register) -> Health:
    """What the service can do now."""
    return Health(
        browser=runs.shop.drivers.name,
        free_slots=runs.free_slots,
        portals=tuple(sorted(runs.shop.portals)),
        recipes=runs.recipes.names,
    )


HANDLERS = (
    start_run,
    find_run,
    show_run,
    follow_run,
    commit_run,
    answer_run,
    cancel_run,
    list_artifacts,
    show_artifact,
    search,
    health,
)
