"""The client against services that behave badly: cut streams, gaps, lost replies, refusals. Everything over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
import pytest

from tasks.engines import AsbuiltEngine, Engine
from tasks.engines.contract import CommitGrant, Event, Found, RunHandle, RunSpec, RunView, Unavailable, Unsupported
from tasks.engines.errors import (
    BadReply,
    KeyReused,
    RunUnknown,
    ServiceBusy,
    ServiceUnavailable,
    StreamGap,
    StreamLost,
)
from tasks.engines.events import CommitRequested
from tasks.engines.wire import LINE_BYTES
from tests.worker.rig import DEADLINE_S, TOKEN, key, listening, rigged

RUN = RunHandle(run_id="run_1", key="k.1")
SPEC = RunSpec(job_id=uuid4(), record_id=uuid4(), attempt=1, portal="npl", external_ref="AB-1", recipe="npl-asbuilt")
Reply = tuple[int, dict[str, str], bytes | list[bytes]]


def event(seq: int, kind: str = "log", **data: object) -> bytes:
    body = {"seq": seq, "run_id": "run_1", "type": kind, "at": "2026-11-24T10:00:00Z", "attempt": 1, "data": data}
    return msgspec.json.encode(body) + b"\n"


def view(*, status: str = "running", last_seq: int = 0) -> bytes:
    return msgspec.json.encode(
        {
            "id": "run_1",
            "key": "k.1",
            "attempt": 1,
            "status": status,
            "last_seq": last_seq,
            "created_at": "2026-11-24T10:00:00Z",
        }
    )


class Service:
    """Answers each path with the next reply of its script; the last one repeats. A chunk `CUT` resets the connection."""

    def __init__(self, **scripts: list[Reply]) -> None:
        self.scripts = scripts
        self.seen: list[tuple[str, dict[str, str], dict[str, list[str]]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        name = scope["path"].rsplit("/", 1)[-1]
        self.seen.append((name, headers, parse_qs(scope["query_string"].decode())))
        script = self.scripts[name]
        status, extra, body = script.pop(0) if len(script) > 1 else script[0]
        pairs = [(key.encode(), value.encode()) for key, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        chunks = [body] if isinstance(body, bytes) else body
        for chunk in chunks:
            if chunk == CUT:
                raise ConnectionError
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


CUT = b"<cut>"


@asynccontextmanager
async def client(service: Service, **options: float) -> AsyncIterator[AsbuiltEngine]:
    async with listening(service) as url:
        engine = AsbuiltEngine(url, token=TOKEN, **options)
        checked: Engine = engine
        assert checked.name == "asbuilt"
        try:
            yield engine
        finally:
            await engine.close()


async def followed(engine: AsbuiltEngine, *, after: int = 0, deadline_s: float = DEADLINE_S) -> list[int]:
    return [each.seq async for each in engine.events(RUN, after=after, deadline_s=deadline_s)]


async def test_a_broken_stream_goes_on_after_the_last_event() -> None:
    service = Service(
        events=[
            (200, {}, [event(1), event(2)[:20], CUT]),
            (500, {}, b"oops"),
            (200, {}, [event(2), b'{"type":"heartbeat"}\n', event(1), event(2)]),
            (200, {}, [event(3, "run.succeeded")]),
        ],
        run_1=[(200, {}, view(last_seq=3))],
    )
    async with client(service) as engine:
        assert await followed(engine) == [1, 2, 3]
    afters = [query["after"] for name, _, query in service.seen if name == "events"]
    assert afters == [["0"], ["1"], ["1"], ["2"]]
    assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, headers, _ in service.seen)


async def test_a_gap_is_an_error() -> None:
    async with client(Service(events=[(200, {}, [event(1), event(3)])])) as engine:
        with pytest.raises(StreamGap):
            await followed(engine)


async def test_a_run_that_had_ended_is_over_at_once() -> None:
    service = Service(events=[(200, {}, b"")], run_1=[(200, {}, view(status="failed", last_seq=7))])
    async with client(service) as engine:
        assert await followed(engine, after=7) == []


async def test_line_separators_inside_json_do_not_split_an_event() -> None:
    line = event(1, "run.failed", text="a\u2028b\u0085c")
    assert "\u2028".encode() in line
    async with client(Service(events=[(200, {}, [line[:30], line[30:]])])) as engine:
        assert [each.data["text"] async for each in engine.events(RUN)] == ["a\u2028b\u0085c"]


@pytest.mark.parametrize("body", [b'{"seq": 1}\n', b"<html>\n", b"x" * (LINE_BYTES + 2)])
async def test_garbage_in_the_stream_is_an_error_and_not_a_loop(body: bytes) -> None:
    async with client(Service(events=[(200, {}, body)])) as engine:
        with pytest.raises(BadReply):
            await followed(engine)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_forgotten_run_is_said_so(status: int) -> None:
    error = b'{"error": {"code": "NOT_FOUND", "message": "no such run", "class": "bug"}}'
    async with client(Service(events=[(status, {}, error)])) as engine:
        with pytest.raises(RunUnknown, match="no such run"):
            await followed(engine)


async def test_a_silent_stream_is_left_and_the_deadline_ends_the_following() -> None:
    async with client(Service(events=[(500, {}, b"")], run_1=[(500, {}, b"")])) as engine:
        with pytest.raises(StreamLost):
            await followed(engine, deadline_s=0.3)


async def test_a_lost_create_reply_is_asked_again_with_the_same_key() -> None:
    service = Service(runs=[(500, {}, b""), (502, {}, b"<html>"), (200, {"idempotent-replay": "true"}, view())])
    async with client(service) as engine:
        run = await engine.start(SPEC, key="k.1")
    assert run.replayed
    assert [headers["idempotency-key"] for _, headers, _ in service.seen] == ["k.1"] * 3


async def test_creating_stops_after_three_tries() -> None:
    service = Service(runs=[(500, {}, b"")])
    async with client(service) as engine:
        with pytest.raises(ServiceUnavailable):
            await engine.start(SPEC, key="k.1")
    assert len(service.seen) == 3


@pytest.mark.parametrize(("status", "headers"), [(429, {"retry-after": "7"}), (503, {"retry-after": "7"})])
async def test_a_busy_service_has_not_accepted_the_run(status: int, headers: dict[str, str]) -> None:
    service = Service(runs=[(status, headers, b"")])
    async with client(service) as engine:
        with pytest.raises(ServiceBusy) as busy:
            await engine.start(SPEC, key="k.1")
    assert busy.value.retry_after_s == 7
    assert len(service.seen) == 1


async def test_a_reused_key_is_not_tried_again() -> None:
    service = Service(
        runs=[(422, {}, b'{"error": {"code": "IDEMPOTENCY_KEY_REUSED", "message": "m", "class": "bug"}}')]
    )
    async with client(service) as engine:
        with pytest.raises(KeyReused):
            await engine.start(SPEC, key="k.1")
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        (200, {}, b'{"found": false}'),
        (200, {}, b'{"found": true}'),
        (200, {}, b"<html>"),
        (404, {}, b""),
        (503, {}, b""),
    ],
)
async def test_only_a_complete_answer_of_a_look_up_counts(reply: Reply) -> None:
    async with client(Service(lookups=[reply])) as engine:
        assert isinstance(await engine.lookup(portal="npl", external_ref="AB-1"), Unavailable)


async def test_a_portal_that_cannot_be_searched_is_told_apart_from_one_that_could_not_tell_now() -> None:
    error = b'{"error": {"code": "LOOKUP_UNSUPPORTED", "message": "no search", "class": "unknown_outcome"}}'
    async with client(Service(lookups=[(501, {}, error)])) as engine:
        assert await engine.lookup(portal="npl", external_ref="AB-1") == Unsupported(reason="no search")


async def test_a_service_that_is_not_there_cannot_tell() -> None:
    engine = AsbuiltEngine("http://127.0.0.1:9", token=TOKEN)
    assert isinstance(await engine.lookup(portal="npl", external_ref="AB-1"), Unavailable)
    with pytest.raises(ServiceUnavailable):
        await engine.authorize_commit(RUN, CommitGrant(token="t", attempt=1))
    await engine.close()


async def test_unknown_event_types_and_fields_are_passed_on(tmp_path: Path) -> None:
    body = event(1, "weather.changed", sky="blue").replace(b'"attempt"', b'"new": 1, "attempt"')
    service = Service(events=[(200, {}, [body, event(2, "run.cancelled")])])
    async with client(service) as engine:
        assert await followed(engine) == [1, 2]


async def test_a_run_followed_through_a_line_that_breaks_all_the_time(database_url: str, tmp_path: Path) -> None:
    """The stream is cut again and again, in the middle of events too: none is lost, none comes twice."""
    async with rigged(database_url, tmp_path) as rig, breaking(rig.service.url, after_bytes=4000) as (url, cuts):
        engine = AsbuiltEngine(url, token=TOKEN)
        spec = rig.spec()
        run = await rig.engine.start(spec, key=key())
        seen: list[Event] = []
        async for each in engine.events(run, deadline_s=DEADLINE_S):
            seen.append(each)
            if each.type == "commit.requested":
                await rig.engine.authorize_commit(run, CommitGrant(token=each.read(CommitRequested).token, attempt=1))
        await engine.close()
        assert [each.seq for each in seen] == list(range(1, seen[-1].seq + 1))
        assert seen[-1].type == "run.succeeded"
        assert cuts() >= 3
        last: RunView = await rig.engine.run(run.run_id)
        assert last.last_seq == seen[-1].seq
        assert isinstance(await rig.engine.lookup(portal="npl", external_ref=spec.external_ref), Found)


@asynccontextmanager
async def breaking(url: str, *, after_bytes: int) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """A line to `url` that resets every connection once so much has come back; its address, and how often it did."""
    target = urlsplit(url)
    cut = 0
    lines: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        nonlocal cut
        passed = 0
        while data := await reader.read(256):
            passed += len(data)
            if limit is not None and passed > limit:
                cut += 1
                return
            writer.write(data)
            await writer.drain()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
        there = asyncio.create_task(pass_on(reader, up_writer, None))
        back = asyncio.create_task(pass_on(up_reader, writer, after_bytes))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (writer, up_writer):
                each.transport.abort()
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.create_task(carry(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", lambda: cut
    finally:
        server.close()
        for each in lines:
            each.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
