"""The collector: removes files that no row refers to, which killed and refused uploads leave behind.

A file is older than it looks to be needed when nobody has *kept* it for a day: every upload of the same bytes writes them
anew under the same name, and only then makes its row. What could go wrong between the two, and why it does not:

- *Kept before the listing*: the file is young, and no candidate.
- *Kept between the listing and the removal*: nothing is removed at once. The file is moved aside, and what was moved is
  compared with what the listing saw; a file that was kept meanwhile is put back. Readers look aside, too, so that the
  moment between the two costs nobody anything.
- *The collector dies between the two*: whatever is aside and has a row is put back in the next round.
- *Kept before the move, its row made much later*: what is aside waits before it is destroyed, far longer than an upload may
  take from bytes to row (`Incoming.demand_recent`), and the rows are asked again before that.
- *A row that nothing refers to, and an upload that finds it*: `keep_blob` locks the row in the upload's transaction, and
  `release_blobs` passes over locked rows; or it comes first, and `keep_blob` makes the row anew.
- *Two collectors*: each moves files to names of its own, and destroys only what it has seen under that name.

So there is no lock between uploads and the collector, and none on files.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import msgspec
import psycopg

from app.core.blobs import Blobs, Found
from app.core.db import Pool
from app.core.errors import Problem
from app.core.renditions import Renditions
from sql import load

log = logging.getLogger("asbuilt.blobs")

ROUNDS = 24
"""Rounds in the time that an orphan is kept; one of them is what it spends aside."""
LONGEST_S = 3600.0


class _Turn(msgspec.Struct, frozen=True, kw_only=True):
    next_at: datetime


class _Released(msgspec.Struct, frozen=True, kw_only=True):
    sha256: bytes


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    after_s: float


_Q = load("orphans")
TAKE_TURN = _Q.opt("take_turn", _Turn)
RELEASE_BLOBS = _Q.many("release_blobs", _Released)
FILES_KEPT = _Q.opt("files_kept", _Kept)
NOTE_FILES = _Q.exec("note_files")

DAY_S = 86_400.0


class Orphans:
    """Files without a row are removed when nobody has kept them for `after_s` seconds; the loop goes by table `retention`."""

    def __init__(self, *, pool: Pool, blobs: Blobs, renditions: Renditions, after_s: float = DAY_S) -> None:
        self._pool = pool
        self._blobs = blobs
        self._renditions = renditions
        self._after_s = after_s
        self._aside_s = after_s / ROUNDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While open, orphans are collected: now, and then every round."""
        task = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def collect(self) -> int:
        """One round; answers how many files were destroyed."""
        destroyed = 0
        async for step in self.steps():
            destroyed += step == "destroyed"
        return destroyed

    async def steps(self) -> AsyncGenerator[str]:
        """A round, step by step: between any two of them others act, and the process may die."""
        async for page in self._blobs.retired():
            yield "listed aside"
            orphaned = await self._orphaned(page)
            yield "asked"
            for aside in page:
                if aside.sha256 not in orphaned:
                    await self._blobs.restore(aside)
                    yield "restored"
                elif aside.age_s >= self._aside_s:
                    await self._blobs.destroy(aside)
                    log.info("an orphan was removed", extra={"event": "blobs.orphan_removed", **_said(aside)})
                    yield "destroyed"
        async for page in self._blobs.stored(older_s=self._after_s - self._aside_s):
            yield "listed"
            orphaned = await self._orphaned(page)
            yield "asked"
            for found in page:
                if found.sha256 not in orphaned:
                    continue
                moved = await self._blobs.retire(found)
                yield "moved"
                if moved is not None and moved.version != found.version:
                    await self._blobs.restore(moved)
                    yield "put back"

    async def _orphaned(self, page: list[Found]) -> set[bytes]:
        """Those that no row stands for, after rows that nothing refers to were removed."""
        if not page:
            return set()
        async with self._pool.connection() as conn:
            released = await RELEASE_BLOBS(conn, sha256=[found.sha256 for found in page], older_s=self._after_s)
        return {row.sha256 for row in released}

    async def _loop(self) -> None:
        while True:
            pause_s = min(self._aside_s, LONGEST_S)
            try:
                await asyncio.to_thread(self._blobs.remove_abandoned)
                await asyncio.to_thread(self._renditions.remove_unused, older_s=self._after_s)
                if await self._our_turn(pause_s) and await self._policy():
                    await self._round()
            except (psycopg.Error, OSError, Problem) as exc:
                log.warning("orphans wait", extra={"event": "blobs.orphans_wait", "error": type(exc).__name__})
            await asyncio.sleep(pause_s)

    async def _policy(self) -> bool:
        """Go by what is said now; whether anything is to be removed at all."""
        async with self._pool.connection() as conn:
            kept = await FILES_KEPT(conn)
        if kept is not None:
            self._after_s, self._aside_s = kept.after_s, kept.after_s / ROUNDS
        return kept is not None

    async def _round(self) -> None:
        began = time.monotonic()
        destroyed = await self.collect()
        async with self._pool.connection() as conn:
            await NOTE_FILES(conn, removed=destroyed, took_ms=1000 * (time.monotonic() - began))

    async def _our_turn(self, pause_s: float) -> bool:
        async with self._pool.connection() as conn:
            return await TAKE_TURN(conn, name="orphans", pause_s=pause_s) is not None


def _said(found: Found) -> dict[str, str | int]:
    return {"sha256": found.sha256.hex(), "bytes": found.size}
