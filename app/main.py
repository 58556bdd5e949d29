"""The web process: the one place where its parts are made and joined."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import uvicorn
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp

from app.core import crashpoints, db, health, openapi, sessions
from app.core.auth import Authentication, Doorkeeper
from app.core.cache import ProgressCache, commands
from app.core.entrance import Entrance
from app.core.fairness import Fairness, FairShare
from app.core.heads import Heads
from app.core.orphans import Orphans
from app.core.problems import HANDLERS, JSON_BYTES
from app.core.protocol import protocol
from app.core.renditions import Renditions
from app.core.requests import RequestLog
from app.core.settings import Settings
from app.core.storage import open_blobs
from app.dashboard.routes import router as dashboard_router
from app.intake.context import Contexts, Intake
from app.intake.decoders import DecoderLost, Decoders
from app.intake.phone.routes import router as phone_router
from app.intake.routes import router as intake_router
from app.intake.uploads import ietf, tus
from app.intake.uploads.context import Uploads
from app.intake.uploads.spool import Spool
from app.intake.uploads.sweeping import swept
from app.jobs.files import router as files_router
from app.jobs.pace import Paces
from app.jobs.routes import router as jobs_router
from app.lists.bulk.routes import router as bulk_router
from app.lists.exports.routes import router as exports_router
from app.lists.routes import router as lists_router
from app.live.hub import Hub
from app.live.routes import router as live_router
from app.live.timings import Timings
from app.metrics.meters import Meters
from app.metrics.routes import router as metrics_router
from app.metrics.service import Figures
from app.operations.routes import router as operations_router
from app.portals.routes import router as portals_router
from app.questions.routes import router as questions_router
from app.review.routes import router as review_router
from app.review.talk_routes import router as talk_router

SHUTDOWN_S = 3
"""Open streams are ended at once when the process is told to stop; this bounds whatever else is still answering."""

WAITING = 0.4
"""The share of a request's time with Postgres that it may wait for a connection."""

WAITING_CONNECTIONS = 16_384
"""How many connections wait to be accepted, as far as the system lets us (net.core.somaxconn): a refused one waits a second."""

ACCEPTED_AT_ONCE = 256
"""asyncio takes as many in one go as it was told may wait. With more, everybody who is in has to wait for them; with fewer, an
upload that comes with thousands of viewers waits in line for seconds."""

OTHER_FILES = 2000
"""What uploads, other requests, photos and connections may need of a process's files beside its event streams."""

GARBAGE = (20_000, 20, 20)
"""How much comes before Python looks for cycles. As it is by itself, a hundred objects each of thousands of streams are gone
through again and again while they come, and everybody stands still for half a second."""

ALLOWED = ["Authorization", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID"]
"""Headers of a request that another origin's page may set; without the last one its stream could not come back."""

EXPOSED = ["X-Request-Id", "Retry-After", "ETag", "Asbuilt-Receipt"]
"""Headers of an answer that another origin's page may read."""

PARTS = (
    "settings",
    "pool",
    "fairness",
    "blobs",
    "cache",
    "doorkeeper",
    "hub",
    "health",
    "renditions",
    "paces",
    "intake",
    "uploads",
    "figures",
)
"""What handlers may ask for, by the name of their argument."""


def _from_state(name: str) -> Callable[[State], Any]:
    def give(state: State) -> Any:
        return state[name]

    return give


class Web:
    """The parts of one web process. They open with the app's lifespan and close, in reverse, with it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meters = Meters()
        self.app = Litestar(
            route_handlers=[
                intake_router,
                phone_router,
                tus.router,
                ietf.router,
                jobs_router,
                files_router,
                portals_router,
                questions_router,
                review_router,
                talk_router,
                lists_router,
                bulk_router,
                exports_router,
                live_router,
                operations_router,
                sessions.router,
                health.router,
                metrics_router,
                dashboard_router,
            ],
            lifespan=[self._parts],
            dependencies={name: Provide(_from_state(name), sync_to_thread=False) for name in PARTS},
            middleware=[DefineMiddleware(Authentication, public_url=settings.public_url), FairShare],
            exception_handlers=HANDLERS,
            openapi_config=openapi.config(),
            plugins=[Heads()],
            cors_config=CORSConfig(
                allow_origins=list(settings.cors_origins),
                allow_headers=[*ALLOWED, *tus.REQUEST_HEADERS],
                expose_headers=[*EXPOSED, *tus.ANSWER_HEADERS],
            )
            if settings.cors_origins
            else None,
            request_max_body_size=JSON_BYTES,
            logging_config=None,
        )
        self.asgi = RequestLog(Entrance(self.app, settings), answered=self.meters.answered)

    @asynccontextmanager
    async def _parts(self, app: Litestar) -> AsyncIterator[None]:
        settings = self.settings
        blobs = open_blobs(settings, reserve=settings.free_disk_bytes)
        redis = commands(settings.redis_url)
        decoders = Decoders()
        renditions = Renditions(blobs, _renderer(decoders))
        async with (
            db.pool(
                settings.database_url,
                name="asbuilt-web",
                size=settings.pool_size,
                wait_s=WAITING * settings.database_s,
                deadline_s=settings.database_s,
                pooler=settings.pooler,
            ) as pool,
            httpx.AsyncClient() as client,
            Orphans(pool=pool, blobs=blobs, renditions=renditions).running(),
        ):
            self.hub = Hub(
                settings.heard_at,
                settings.redis_url,
                pool=pool,
                poll_s=settings.poll_s,
                timings=Timings(streams_per_caller=settings.streams_per_user, streams=most_streams()),
                pooler=settings.heard_through_pooler,
            )
            self.health = health.Health(
                {
                    "postgres": health.postgres(pool),
                    "blobs": health.blobs(blobs),
                    "automation": health.automation(settings, client),
                    "notify": self.hub.notify_status,
                    "redis": self.hub.redis_status,
                }
            )
            self._watch(pool)
            intake = Intake(pool=pool, blobs=blobs, decoders=decoders, contexts=Contexts(pool), settings=settings)
            uploads = Uploads(intake=intake, spool=Spool(settings.blobs / "spool", reserve=settings.free_disk_bytes))
            app.state.update(
                {
                    "settings": settings,
                    "pool": pool,
                    "blobs": blobs,
                    "cache": ProgressCache(redis),
                    "doorkeeper": Doorkeeper(pool),
                    "fairness": Fairness(settings),
                    "hub": self.hub,
                    "health": self.health,
                    "renditions": renditions,
                    "paces": Paces(),
                    "intake": intake,
                    "uploads": uploads,
                    "figures": Figures(self.meters, pool),
                }
            )
            try:
                async with self.hub.running(), swept(uploads):
                    yield
            finally:
                await decoders.aclose()
                if redis is not None:
                    await redis.aclose()

    def _watch(self, pool: db.Pool) -> None:
        """What the metrics ask this process's parts for."""
        watch, hub = self.meters.watch, self.hub
        watch("streams_open", "Open event streams of this process.", lambda: len(hub.places))
        watch("status_live", "1 while changes are heard of by LISTEN, 0 while Postgres is polled.", hub.hears)
        watch("progress_live", "1 while progress is read from Redis.", hub.reads_progress)
        self.meters.watch_pool(pool)

    def drain(self) -> None:
        """Unready from now on, and every open stream ends."""
        self.health.draining = True
        self.hub.close()


def _renderer(decoders: Decoders) -> Any:
    async def render(source: Path, to: Path, width: int) -> bool:
        try:
            return (await decoders.render(source, to, width=width)).verdict == "done"
        except DecoderLost:
            return False

    return render


def create_app(settings: Settings) -> ASGIApp:
    """The ASGI application; opens its connections with its lifespan."""
    return Web(settings).asgi


class _Server(uvicorn.Server):
    """Prints the ready line, and ends streams as soon as it is told to stop: they would hold the exit up."""

    def __init__(self, config: uvicorn.Config, web: Web) -> None:
        super().__init__(config)
        self._web = web

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            for each in self.servers[0].sockets:
                # asyncio shows its sockets without this one of their methods; a second listen() changes the length of the line.
                with socket.socket(fileno=os.dup(each.fileno())) as line:
                    line.listen(WAITING_CONNECTIONS)
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            sys.stdout.write(f"ready http://{host}:{port}\n")
            sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._web.drain()
        super().handle_exit(sig, frame)
        if sig == signal.SIGTERM:
            # uvicorn raises it again when it has ended: an end that was asked for would look like a crash.
            self._captured_signals.clear()


def allow_files() -> None:
    """As many sockets as the system lets us have: the usual soft limit of 1,024 is fewer than the streams we promise."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS calls its limit infinite, and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def most_streams() -> int:
    """How many event streams this process takes: all that it is made for, but no more than leaves files for everybody else.

    Out of files, it could accept nobody at all, and an upload would wait as long as the viewers stay.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    made_for = Timings().streams
    return made_for if files == resource.RLIM_INFINITY else min(made_for, max(files // 2, files - OTHER_FILES))


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    allow_files()
    crashpoints.arm(settings.crashpoint)
    web = Web(settings)
    config = uvicorn.Config(
        web.asgi,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_S,
        backlog=ACCEPTED_AT_ONCE,
        http=protocol(settings),
    )
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    await _Server(config, web).serve()
