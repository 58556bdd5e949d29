"""A worker says that it is there: at once, then every few seconds, when it is told to stop, and when it ends."""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version

from app.core.db import TROUBLE
from tasks import store
from tasks.patience import first_of, told
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

LEAVE_S = 2.0
"""Longest wait for the last word: an ending worker that cannot say it is taken for lost, which harms nobody."""


class Presence:
    """`draining` is set when the worker has been told to stop."""

    def __init__(self, shop: Workshop, *, places: int, draining: asyncio.Event) -> None:
        self._shop = shop
        self._places = places
        self._draining = draining
        self._begins = True

    async def loop(self) -> None:
        """Run until cancelled; trouble with the database is waited out."""
        beat_s = self._shop.settings.heartbeat_s
        while True:
            drains = self._draining.is_set()
            try:
                await self.tell()
            except TROUBLE as exc:
                log.warning("a sign of life failed", extra={"event": "presence.trouble", **told(exc)})
            if drains:
                await asyncio.sleep(beat_s)
            else:
                await first_of(self._draining, within_s=beat_s)

    async def tell(self) -> None:
        """Say it once."""
        async with self._shop.pool.connection() as conn:
            await store.WORKER_SEEN(
                conn,
                worker=self._shop.worker,
                version=version("asbuilt"),
                places=self._places,
                beat_s=self._shop.settings.heartbeat_s,
                draining=self._draining.is_set(),
                begins=self._begins,
            )
        self._begins = False

    async def leave(self) -> None:
        """The last word."""
        try:
            async with asyncio.timeout(LEAVE_S), self._shop.pool.connection() as conn:
                await store.WORKER_ENDED(conn, worker=self._shop.worker)
        except (*TROUBLE, TimeoutError) as exc:
            log.warning("the end was not told", extra={"event": "presence.trouble", **told(exc)})
