"""What a worker works with: connections, the automation engine, the cache and the blobs. Opened once a process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from app.core import db
from app.core.blobs import Blobs
from app.core.cache import ProgressCache, commands
from app.core.crashpoints import before_commit
from app.core.errors import StorageUnavailable
from app.core.settings import Settings
from app.core.storage import open_blobs
from app.intake.checking import Checker
from tasks.company import Company
from tasks.engines import Engine, Engines
from tasks.engines.contract import FileSpec
from tasks.engines.errors import ServiceUnavailable
from tasks.patience import Patience
from tasks.store import Claim

WAIT_S = 5.0
CALL_S = 6.0
"""Longer than the server's own limit for a lock, so that its answer comes first."""
PAUSE_S = 2.0

Answer = TypeVar("Answer")


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """`worker` names this process in attempts and logs; `due` is set when a retry may have become the earliest."""

    settings: Settings
    pool: db.Pool
    engines: Engines
    cache: ProgressCache
    blobs: Blobs
    worker: str
    due: asyncio.Event
    patience: Patience
    company: Company
    checker: Checker

    async def ask(self, statement: Callable[..., Awaitable[Answer]], **params: object) -> Answer:
        """Run one statement; trouble with the database is waited out, so it must bear repetition.

        Raises the trouble once the process has given up.
        """
        return await self.ask_at("", "", statement, **params)

    async def ask_at(
        self, point: str, subject: object, statement: Callable[..., Awaitable[Answer]], /, **params: object
    ) -> Answer:
        """As `ask`, with a crash point before the commit."""

        async def once() -> Answer:
            async with self.pool.connection() as conn, before_commit(conn, point, subject=subject):
                return await statement(conn, **params)

        return await self.patience.insist(once, on="statement", longest_s=PAUSE_S)

    def engine_of(self, claim: Claim) -> Engine:
        """The engine of the job's portal. Raises `NotConfigured`."""
        return self.engines.of(engine=claim.engine, portal=claim.portal_key, config=claim.engine_config)


@asynccontextmanager
async def open_workshop(settings: Settings, *, patience: Patience, company: Company) -> AsyncIterator[Workshop]:
    """Two connections for each job that runs, and a few for housekeeping."""
    redis = commands(settings.redis_url)
    blobs = open_blobs(settings)

    async def read_file(file: FileSpec) -> bytes:
        try:
            return await blobs.read(bytes.fromhex(file.sha256))
        except StorageUnavailable as exc:
            raise ServiceUnavailable(f"the photo {file.name} cannot be read") from exc

    engines = Engines(settings, read_file=read_file)
    checker: Checker | None = None
    size = 2 * settings.concurrency + 4
    try:
        async with db.pool(
            settings.database_url,
            name="asbuilt-worker",
            size=size,
            wait_s=WAIT_S,
            deadline_s=CALL_S,
            pooler=settings.pooler,
        ) as pool:
            checker = Checker(pool, blobs)
            yield Workshop(
                settings=settings,
                pool=pool,
                engines=engines,
                cache=ProgressCache(redis),
                blobs=blobs,
                worker=f"{socket.gethostname()}:{os.getpid()}",
                due=asyncio.Event(),
                patience=patience,
                company=company,
                checker=checker,
            )
    finally:
        if checker is not None:
            await checker.aclose()
        await engines.close()
        if redis is not None:
            await redis.aclose()
