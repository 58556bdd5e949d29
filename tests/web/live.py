"""The event stream under test: a real uvicorn with the real router and hub, and a client that reads it as browsers do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware

from app.core import db
from app.core.auth import Authentication, Doorkeeper
from app.core.cache import Audience, Progress, ProgressCache, commands
from app.core.fairness import Fairness
from app.core.problems import HANDLERS
from app.core.protocol import protocol
from app.core.settings import Settings
from app.live.hub import Hub
from app.live.routes import router
from app.live.timings import Timings
from tests.factories import Made
from tests.logins import as_role

QUICK = Timings(heartbeat_s=0.3, recheck_s=0.4, again_s=0.1, ping_s=0.5, pong_s=1.0, redis_block_s=0.2)
PATH = "/api/events"


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A web process that serves the stream and nothing else."""

    url: str
    hub: Hub
    http: httpx.AsyncClient

    @asynccontextmanager
    async def tail(self, headers: dict[str, str], *, last_id: str = "", **scope: object) -> AsyncIterator[Tail]:
        """Follow a stream from `last_id` on."""
        sent = {**headers, **({"Last-Event-ID": last_id} if last_id else {})}
        async with self.raw(sent, **scope) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            tail = Tail(last_id)
            task = asyncio.create_task(tail.read(answer))
            try:
                yield tail
            finally:
                task.cancel()
                await asyncio.wait({task})

    @asynccontextmanager
    async def raw(self, headers: dict[str, str], **scope: object) -> AsyncIterator[httpx.Response]:
        params = {key: str(value) for key, value in scope.items()}
        async with self.http.stream("GET", PATH, params=params, headers=headers) as answer:
            yield answer

    async def get(self, headers: dict[str, str], **scope: object) -> httpx.Response:
        """For refusals, which have an end."""
        return await self.http.get(PATH, params={k: str(v) for k, v in scope.items()}, headers=headers)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    data: Any
    id: str | None
    """Only if the event itself carried one."""


class Tail:
    """What a client has read so far."""

    def __init__(self, last_id: str = "") -> None:
        self.events: list[Event] = []
        self.comments = 0
        self.said: list[dict[str, float]] = []
        """The times of each comment."""
        self.retry = ""
        self.last_id = last_id
        self.ended = False
        self._news = asyncio.Condition()

    async def read(self, answer: httpx.Response) -> None:
        block: list[str] = []
        try:
            async for line in answer.aiter_lines():
                if line:
                    block.append(line)
                    continue
                self.take(block)
                block = []
                async with self._news:
                    self._news.notify_all()
        finally:
            self.ended = True
            async with self._news:
                self._news.notify_all()

    def take(self, block: list[str]) -> None:
        fields: dict[str, str] = {}
        for line in block:
            name, _, text = line.partition(":")
            fields[name] = text.removeprefix(" ")
        if "" in fields:
            times = {name: float(at) for name, _, at in (told.partition("=") for told in fields[""].split())}
            self.said.append(times)
            # What ends the first catch-up comes at once; the rest are heartbeats.
            self.comments += "arrived" not in times
        self.retry = fields.get("retry", self.retry)
        if "data" in fields:
            data = msgspec.json.decode(fields["data"])
            self.events.append(Event(name=fields.get("event", "message"), data=data, id=fields.get("id")))
        self.last_id = fields.get("id", self.last_id)

    async def until(self, wanted: Callable[[Tail], bool]) -> None:
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: wanted(self) or self.ended)
        assert wanted(self), f"the stream ended without it: {self.events}"

    async def end(self) -> None:
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: self.ended)

    async def of(self, name: str, count: int = 1) -> list[Event]:
        """The first events of this name, waited for."""
        await self.until(lambda tail: len(tail.all(name)) >= count)
        return self.all(name)

    async def state(self, job: UUID, state: str) -> Event:
        """The first event that shows the job in this state."""

        def found(tail: Tail) -> list[Event]:
            return [e for e in tail.all("state") if e.data["id"] == str(job) and e.data["state"] == state]

        await self.until(lambda tail: bool(found(tail)))
        return found(self)[0]

    async def healthy(self, **wanted: str) -> None:
        def last(tail: Tail) -> dict[str, str]:
            told = tail.all("health")
            return dict(told[-1].data) if told else {}

        await self.until(lambda tail: wanted.items() <= last(tail).items())

    def all(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def seqs(self, job: UUID) -> list[int]:
        return [e.data["seq"] for e in self.all("state") if e.data["id"] == str(job)]

    def newest(self) -> dict[str, tuple[int, str]]:
        """Seq and state of every job as this client knows it, by the rule clients keep: the highest seq wins."""
        known: dict[str, tuple[int, str]] = {}
        for event in self.events:
            views = {"state": [event.data], "snapshot": event.data.get("jobs", [])}.get(event.name, [])
            for view in views:
                if view["seq"] >= known.get(view["id"], (0, ""))[0]:
                    known[view["id"]] = (view["seq"], view["state"])
        return known


@asynccontextmanager
async def live(
    database_url: str,
    redis_url: str,
    *,
    listen_url: str = "",
    timings: Timings = QUICK,
    poll_s: float = 0.2,
    idle_s: float = 30.0,
) -> AsyncIterator[Live]:
    """Serve the stream; `listen_url` is another way to the database, for the LISTEN connection alone."""
    database_url = as_role("app", database_url)
    async with db.pool(database_url, name="asbuilt-web", size=4, wait_s=2) as pool:
        hub = Hub(as_role("app", listen_url or database_url), redis_url, pool=pool, poll_s=poll_s, timings=timings)
        doorkeeper = Doorkeeper(pool, ttl_s=0.1)
        with socket.create_server(("127.0.0.1", 0)) as sock:
            url = f"http://127.0.0.1:{sock.getsockname()[1]}"
            settings = Settings(url=url, body_idle_s=idle_s)
            parts = {"hub": hub, "pool": pool, "doorkeeper": doorkeeper, "settings": settings}
            app = Litestar(
                route_handlers=[router],
                middleware=[DefineMiddleware(Authentication, public_url=url)],
                state=State({**parts, "fairness": Fairness(Settings(failed_auth_per_min=0))}),
                exception_handlers=HANDLERS,
            )
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    lifespan="on",
                    log_config=None,
                    access_log=False,
                    timeout_graceful_shutdown=5,
                    http=protocol(settings),
                )
            )
            task = asyncio.create_task(server.serve(sockets=[sock]))
            async with asyncio.timeout(60):
                while not server.started:
                    await asyncio.sleep(0.01)
            try:
                async with hub.running(), httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
                    yield Live(url=url, hub=hub, http=http)
            finally:
                server.should_exit = True
                await task


async def say(
    redis_url: str,
    made: Made,
    *,
    attempt: int,
    percent: int,
    step: str = "fill",
    label: str = "Filling in the form",
    message: str | None = None,
) -> None:
    """Publish progress as a worker does."""
    redis = commands(redis_url)
    assert redis is not None
    progress = Progress(
        job_id=made.job_id,
        record_id=made.record_id,
        attempt=attempt,
        percent=percent,
        step=step,
        step_index=2,
        step_total=4,
        label=label,
        message=message,
        at="2026-11-20T15:04:05Z",
    )
    async with redis:
        cache = ProgressCache(redis)
        assert await cache.publish(progress, Audience(project_id=made.project.id, device_id=made.device.id))
