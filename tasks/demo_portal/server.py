"""Starts and stops the portal: its tables, its account, its preset, its socket."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from litestar import Litestar
from psycopg_pool import AsyncConnectionPool

from app.core.settings import Settings, SettingsError
from tasks.demo_portal import store
from tasks.demo_portal.gate import HangUpProtocol
from tasks.demo_portal.ledger import Ledger
from tasks.demo_portal.portal import Pool, Portal
from tasks.demo_portal.quirks import PRESETS, Dice
from tasks.demo_portal.site import create_site

log = logging.getLogger("asbuilt.demo_portal")
_SHUTDOWN_S = 3


async def serve(settings: Settings, *, seed: int | None = None) -> None:
    """Run the portal until SIGTERM or SIGINT; prints `ready URL` once it answers."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, seed=seed) as url:
        sys.stdout.write(f"ready {url}\n")
        sys.stdout.flush()
        await stop.wait()


@asynccontextmanager
async def running(settings: Settings, *, seed: int | None = None) -> AsyncGenerator[str, None]:
    """The portal, answering for as long as the block lasts; yields its base URL. Port 0 takes a free one."""
    if settings.portal_preset not in PRESETS:
        raise SettingsError([f"ASBUILT_PORTAL_PRESET is {settings.portal_preset!r}: it is one of {', '.join(PRESETS)}"])
    seed = seed or settings.portal_seed or random.SystemRandom().randrange(1, 2**31)
    ledger = Ledger(settings.portal_log)
    try:
        async with _pool(settings) as pool:
            portal = Portal(pool, ledger, Dice(seed))
            harbor = Portal(pool, ledger, Dice(seed + 1), key="harbor")
            await _set_up(portal, harbor, settings)
            async with _listening(create_site(portal, harbor), settings.portal_host, settings.portal_port) as url:
                log.info(
                    "portal started", extra={"event": "portal.started", "preset": settings.portal_preset, "seed": seed}
                )
                yield url
    finally:
        ledger.close()
    log.info("portal stopped", extra={"event": "portal.stopped"})


def _pool(settings: Settings) -> Pool:
    # The check costs a round trip and lets the portal live through a restart of Postgres.
    return AsyncConnectionPool(
        settings.database_url,
        min_size=1,
        max_size=6,
        open=False,
        timeout=10,
        check=AsyncConnectionPool.check_connection,
        kwargs={"application_name": "asbuilt portal"},
    )


async def _set_up(portal: Portal, harbor: Portal, settings: Settings) -> None:
    async with portal.pool.connection() as conn:
        await store.prepare(conn)
    await portal.set_account(settings.npl_user, password=settings.npl_password)
    await harbor.set_account(settings.harbor_user, password=settings.harbor_password)
    for one in (portal, harbor):
        await one.set_quirks(PRESETS[settings.portal_preset], preset=settings.portal_preset)


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which ends the process by the signal instead of with exit code 0."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@asynccontextmanager
async def _listening(site: Litestar, host: str, port: int) -> AsyncGenerator[str, None]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(
        site,
        http=HangUpProtocol,
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    server = _Server(config)
    # Listens before the server accepts: who comes early waits a moment instead of being refused.
    listener.listen(128)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="portal server")
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
