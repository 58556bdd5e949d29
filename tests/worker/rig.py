"""A portal, a runner and a client on real sockets, for the tests of runs."""

from __future__ import annotations

import asyncio
import hashlib
import io
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import uvicorn
from PIL import Image

from app.core.settings import Settings
from tasks.demo_portal import running as portal_running
from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.contract import CommitGrant, Event, FileSpec, RunHandle, RunSpec
from tasks.engines.events import CommitRequested
from tasks.runner import Limits, Service
from tasks.runner import running as runner_running

TOKEN = "automation-token-of-the-tests"
DEADLINE_S = 60.0

POLE: dict[str, object] = {
    "work_order": "WO-48213",
    "district": "Harbor",
    "crew_lead": "M. Okafor",
    "date_completed": "2026-05-04",
    "pole_height_ft": 45,
    "pole_class": "4",
    "pole_material": "Southern pine",
    "depth_m": 2.1,
    "earth_resistance_ohm": 12.5,
    "notes": "Guy wire moved “two feet” east; <b>already exists</b>",
    "asset": "P-10442",
    "lat": 44.4601,
    "lon": -93.1623,
    "captured_at": "2026-05-04T15:02:11Z",
}
FIBRE: dict[str, object] = {
    "work_order": "WO-48300",
    "district": "North",
    "crew_lead": "T. Reyes",
    "date_completed": "2026-05-05",
    "closure_model": "FOSC-450",
    "fibre_count": 96,
    "splices": [{"tube": "blue", "fibre": 1, "loss_db": 0.04}, {"tube": "blue", "fibre": 2, "loss_db": 0.11}],
    "max_splice_loss_db": 0.11,
    "asset": "C-2201",
    "lat": 44.4588,
    "lon": -93.16,
    "captured_at": "2026-05-05T09:00:00Z",
}


def jpeg(shade: int = 90) -> bytes:
    """A small photo; another shade is another file."""
    body = io.BytesIO()
    Image.new("RGB", (640, 480), (shade, 120, 60)).save(body, "JPEG")
    return body.getvalue()


class Files:
    """The web process's photos, as the runner fetches them."""

    def __init__(self, *, token: str = TOKEN) -> None:
        self.token = token
        self.bodies: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def add(self, name: str, body: bytes) -> FileSpec:
        self.bodies[name] = body
        digest = hashlib.sha256(body).hexdigest()
        return FileSpec(id=name, name=name, mime="image/jpeg", size=len(body), sha256=digest, url=f"{self.url}/{name}")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].strip("/")
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        self.asked.append((name, sent))
        body = self.bodies.get(name)
        status = 404 if body is None else 200 if sent == f"Bearer {self.token}" else 401
        headers = []
        if name.startswith("moved-to/"):
            status, headers = 302, [(b"location", f"{self.url}/{name.removeprefix('moved-to/')}".encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body or b""})


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Any ASGI application on a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Rig(msgspec.Struct, kw_only=True):
    """Everything a test of a run needs."""

    settings: Settings
    portal: str
    files: Files
    http: httpx.AsyncClient
    _service: Service | None = None
    _engine: AsbuiltEngine | None = None

    @property
    def service(self) -> Service:
        assert self._service is not None
        return self._service

    @property
    def engine(self) -> AsbuiltEngine:
        assert self._engine is not None
        return self._engine

    def spec(self, ref: str | None = None, *, attempt: int = 1, **changes: Any) -> RunSpec:
        photos = changes.get("files") or (
            self.files.add("full_pole-1.jpg", jpeg(80)),
            self.files.add("tag-1.jpg", jpeg(140)),
        )
        fields: dict[str, Any] = {
            "job_id": uuid4(),
            "record_id": uuid4(),
            "attempt": attempt,
            "portal": "npl",
            "recipe": "npl-asbuilt",
            "external_ref": ref or reference(),
            "inputs": POLE,
            "files": photos,
        }
        return RunSpec(**(fields | changes))

    async def quirks(self, **switches: Any) -> None:
        (await self.http.post(f"{self.portal}/_demo/quirks", json=switches)).raise_for_status()

    async def submissions(self, ref: str) -> list[dict[str, Any]]:
        reply = await self.http.get(f"{self.portal}/_demo/submissions", params={"reference": ref})
        return msgspec.json.decode(reply.content, type=list[dict[str, Any]])

    async def play(self, run: RunHandle, *, attempt: int = 1, after: int = 0) -> list[Event]:
        """Follow a run to its end, opening the gate."""
        events: list[Event] = []
        async for event in self.engine.events(run, after=after, deadline_s=DEADLINE_S):
            events.append(event)
            if event.type == "commit.requested":
                token = event.read(CommitRequested).token
                await self.engine.authorize_commit(run, CommitGrant(token=token, attempt=attempt))
        return events

    async def until(self, run: RunHandle, kind: str) -> Event:
        """The first event of a kind."""
        async for event in self.engine.events(run, deadline_s=DEADLINE_S):
            if event.type == kind:
                return event
        raise AssertionError(f"the run ended without {kind}")


def reference() -> str:
    return f"AB-{uuid4().hex[:8].upper()}"


def key(job: UUID | None = None) -> str:
    return f"{job or uuid4()}.1"


@asynccontextmanager
async def rigged(
    database_url: str,
    folder: Path,
    *,
    browser: str = "none",
    limits: Limits | None = None,
    password: str = "northfield",
) -> AsyncIterator[Rig]:
    """Portal without think time, file server, runner and client, all on free ports."""
    async with AsyncExitStack() as stack:
        files = Files()
        files.url = await stack.enter_async_context(listening(files))
        base = Settings(
            database_url=database_url,
            portal_port=0,
            portal_log=folder / "portal.jsonl",
            runner_port=0,
            runner_dir=folder / "runner",
            automation_token=TOKEN,
            browser=browser,
        )
        portal = await stack.enter_async_context(portal_running(base, seed=1))
        settings = msgspec.structs.replace(base, portal_url=portal, npl_password=password)
        service = await stack.enter_async_context(runner_running(settings, limits=limits))
        engine = AsbuiltEngine(service.url, token=TOKEN)
        stack.push_async_callback(engine.close)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        made = Rig(settings=settings, portal=portal, files=files, http=http, _service=service, _engine=engine)
        await made.quirks(think_min_s=0, think_max_s=0)
        yield made
