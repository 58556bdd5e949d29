"""Whether this web process lives, and whether it should be given requests: each part with its answer and its latency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency

from app.core.blobs import Blobs
from app.core.db import Pool
from app.core.settings import Settings

Probe = Callable[[], Awaitable[str]]
DEADLINE_S = 2.0
ESSENTIAL = frozenset({"postgres", "blobs"})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is `ok`, a word of the part's own (`listen`, `poll`, `degraded`, `full`), or `down`; latency in milliseconds."""

    status: str
    ms: float


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    parts: dict[str, Part]


class Health:
    """Asks every part at once; only Postgres, the blobs and draining make the process unready."""

    def __init__(self, probes: dict[str, Probe]) -> None:
        self._probes = probes
        self.draining = False

    async def ready(self) -> Ready:
        names = list(self._probes)
        parts = dict(zip(names, await asyncio.gather(*(self._ask(name) for name in names)), strict=True))
        down = self.draining or any(parts[name].status == "down" for name in ESSENTIAL & parts.keys())
        return Ready(status="draining" if self.draining else "down" if down else "ok", parts=parts)

    async def _ask(self, name: str) -> Part:
        started = time.monotonic()
        task = asyncio.ensure_future(self._probes[name]())
        # Not asyncio.timeout: psycopg's own cancelling of a frozen server would hold the answer for ten seconds.
        done, _ = await asyncio.wait({task}, timeout=DEADLINE_S)
        if not done:
            task.cancel()
        status = task.result() if done and task.exception() is None else "down"
        return Part(status=status, ms=round((time.monotonic() - started) * 1000, 1))


def postgres(pool: Pool) -> Probe:
    async def ask() -> str:
        async with pool.connection() as conn:
            await conn.execute("select 1")
        # It still reads, and tells phones when to come again: a proxy that took this process away would end both.
        return "full" if pool.full else "ok"

    return ask


def blobs(store: Blobs) -> Probe:
    async def ask() -> str:
        await store.check()
        return "ok"

    return ask


def automation(settings: Settings, client: httpx.AsyncClient) -> Probe:
    async def ask() -> str:
        if not settings.automation_url:
            return "down"
        headers = {"Authorization": f"Bearer {settings.automation_token}"}
        answer = await client.get(f"{settings.automation_url}/v1/health", headers=headers, timeout=DEADLINE_S)
        return "ok" if answer.status_code == 200 else "down"

    return ask


@get("/health/live", public=True, summary="The process lives", answers={200: "It lives."})
async def get_live() -> dict[str, str]:
    return {"status": "ok"}


@get(
    "/health/ready",
    public=True,
    summary="Whether to send requests here",
    answers={200: "Yes.", 503: "Not now; `parts` says why."},
)
async def get_ready(health: NamedDependency[Health]) -> Response[Ready]:
    ready = await health.ready()
    return Response(ready, status_code=200 if ready.status == "ok" else 503)


router = Router("/", route_handlers=[get_live, get_ready], tags=["Health"])
