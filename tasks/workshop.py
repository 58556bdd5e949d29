"""What a worker works with: connections, the automation engine, the cache and the blobs. Opened once a process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from app.core import db
from app.core.blobs import Blobs
from app.core.cache import ProgressCache, commands
from app.core.settings import Settings
from tasks.engines import AsbuiltEngine
from tasks.engines.contract import Engine


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """`worker` names this process in attempts and logs; `due` is set when a retry may have become the earliest."""

    settings: Settings
    pool: db.Pool
    engine: Engine
    cache: ProgressCache
    blobs: Blobs
    worker: str
    due: asyncio.Event


@asynccontextmanager
async def open_workshop(settings: Settings) -> AsyncIterator[Workshop]:
    """Two connections for each job that runs, and a few for housekeeping."""
    redis = commands(settings.redis_url)
    engine = AsbuiltEngine(settings.automation_url, token=settings.automation_token)
    size = 2 * settings.concurrency + 3
    try:
        async with db.pool(settings.database_url, name="asbuilt-worker", size=size, wait_s=30) as pool:
            yield Workshop(
                settings=settings,
                pool=pool,
                engine=engine,
                cache=ProgressCache(redis),
                blobs=Blobs(settings.blobs),
                worker=f"{socket.gethostname()}:{os.getpid()}",
                due=asyncio.Event(),
            )
    finally:
        await engine.close()
        if redis is not None:
            await redis.aclose()
