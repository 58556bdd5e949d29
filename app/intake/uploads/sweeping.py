"""The loop that clears away what uploads leave behind: expired sessions, bytes without one, photos nobody has joined.

Every web process runs it. Batches are small, and rows that another process has are left to it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from uuid import UUID

import psycopg

from app.core.auth import Caller
from app.core.blobs import ABANDONED_S
from app.core.db import unavailable_as_problem
from app.core.errors import Problem
from app.intake.uploads import store
from app.intake.uploads.context import Uploads
from app.intake.uploads.service import look

log = logging.getLogger("asbuilt.uploads")

BATCH = 100


@asynccontextmanager
async def swept(uploads: Uploads) -> AsyncIterator[None]:
    """While open, a sweep is made now and then every `upload_sweep_s` seconds."""

    async def sweep() -> None:
        while True:
            try:
                await expire(uploads)
                await join(uploads)
                await remove_strays(uploads)
            except (Problem, psycopg.Error, OSError) as exc:
                # Also a database that is not migrated yet: the next sweep finds its tables.
                log.warning(
                    "a sweep was cut short", extra={"event": "uploads.sweep_failed", "error": type(exc).__name__}
                )
            await asyncio.sleep(uploads.intake.settings.upload_sweep_s)

    sweeping = asyncio.create_task(sweep())
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping


async def expire(uploads: Uploads) -> int:
    """Remove sessions whose time is over, and their bytes; answers how many."""
    removed, began = 0, time.monotonic()
    while True:
        async with unavailable_as_problem(), uploads.intake.pool.connection() as conn:
            gone = await store.EXPIRE(conn, most=BATCH)
        for row in gone:
            # The row first: a killed process leaves bytes without a session, which `remove_strays` finds.
            uploads.spool.remove(row.id)
        removed += len(gone)
        if len(gone) < BATCH:
            break
    if removed:
        async with unavailable_as_problem(), uploads.intake.pool.connection() as conn:
            await store.NOTE_EXPIRED(conn, removed=removed, took_ms=1000 * (time.monotonic() - began))
        log.info("expired uploads removed", extra={"event": "uploads.expired", "uploads": removed})
    return removed


async def join(uploads: Uploads) -> int:
    """Make photos of complete uploads whose record is here: the process that had them was killed. Answers how many."""
    async with unavailable_as_problem(), uploads.intake.pool.connection() as conn:
        stranded = await store.STRANDED(conn, most=BATCH)
    for row in stranded:
        caller = Caller(kind="device", id=row.device_id, name=row.label)
        try:
            await look(uploads, caller, row.id)
        except Problem as exc:
            extra = {"event": "uploads.join_failed", "record": str(row.record_id), "code": exc.code}
            log.warning("a complete upload did not become a photo", extra=extra)
    return len(stranded)


async def remove_strays(uploads: Uploads, *, older_than_s: float = ABANDONED_S) -> int:
    """Remove bytes that no session needs and nobody writes to; answers how many."""
    removed = 0
    old = uploads.spool.older_than(older_than_s)
    while batch := await asyncio.to_thread(_next, old):
        async with unavailable_as_problem(), uploads.intake.pool.connection() as conn:
            known = {row.id for row in await store.KNOWN(conn, ids=batch)}
        for upload in batch:
            if upload not in known:
                uploads.spool.remove(upload)
                removed += 1
    return removed


def _next(found: Iterator[UUID]) -> list[UUID]:
    return list(islice(found, BATCH))
