"""Procrastinate's connections, made safe: calls have deadlines, and LISTEN proves that it hears, and comes back.

Procrastinate's own listener ends for good when a restarting Postgres refuses it once, and nobody is told.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from procrastinate import PsycopgConnector
from procrastinate.connector import Notify as Hear
from psycopg import AsyncConnection, Notify

from app.core import db
from app.core.settings import Settings
from sql import Connection, load
from tasks.patience import told

log = logging.getLogger("asbuilt.worker")

CHANNEL = "procrastinate_queue_v1#automation"
CHANNELS = frozenset({CHANNEL, "procrastinate_queue_v1#checks"})
OWN = "asbuilt_worker"
FIRST_S, LAST_S = 0.2, 5.0
PING_S = 5.0
ANSWER_S = 3.0
CALL_S = 6.0
"""Longer than the server's own limit for a lock, so that its answer comes first."""

_Q = load("queue")
LISTEN = _Q.exec("listen")
LISTEN_CHECKS = _Q.exec("listen_checks")
LISTEN_OWN = _Q.exec("listen_own")
PING = _Q.exec("ping")


class Deaf(Exception):
    """The connection does not hear its own notification."""


class Listener:
    """Hears the queue's notifications; `back` is awaited each time it has begun to hear, for what it may have missed."""

    def __init__(
        self,
        url: str,
        *,
        channels: Collection[str],
        hear: Hear,
        back: Callable[[], Awaitable[None]],
    ) -> None:
        if not set(channels) <= CHANNELS:
            raise ValueError(f"a worker listens on {sorted(CHANNELS)}, not on {sorted(channels)}")
        self._channels = channels
        self._url = url
        self._arguments = db.connect_arguments("asbuilt-worker-listen")
        self._hear = hear
        self._back = back
        self._pause_s = FIRST_S

    async def run(self) -> None:
        """Until cancelled. Nothing that goes wrong ends it; meanwhile the worker polls."""
        while True:
            try:
                await self._session()
            except Exception as exc:
                log.warning("LISTEN broke", extra={"event": "worker.listen_broke", **told(exc)})
            await asyncio.sleep(self._pause_s * random.uniform(0.5, 1))  # noqa: S311 - spreads workers, keeps no secret
            self._pause_s = min(LAST_S, 2 * self._pause_s)

    async def _session(self) -> None:
        conn = await AsyncConnection.connect(self._url, autocommit=True, **self._arguments)
        try:
            with db.deadline(conn, ANSWER_S):
                await LISTEN(conn)
                await LISTEN_CHECKS(conn)
                await LISTEN_OWN(conn)
            await self._prove(conn)
            log.info("listening", extra={"event": "worker.listening"})
            self._pause_s = FIRST_S
            await self._back()
            while True:
                async for note in conn.notifies(timeout=PING_S):
                    await self._take(note)
                await self._prove(conn)
        finally:
            await conn.close()

    async def _prove(self, conn: Connection) -> None:
        """Notify ourselves, on a channel that Procrastinate knows nothing of. Raises `Deaf`."""
        nonce = secrets.token_hex(8)
        until = time.monotonic() + ANSWER_S
        with db.deadline(conn, ANSWER_S):
            await PING(conn, nonce=nonce)
        heard = False
        while not heard and (left := until - time.monotonic()) > 0:
            # Never `break` out of notifies(): the rest of its packet would be lost.
            async for note in conn.notifies(timeout=left, stop_after=1):
                heard = heard or (note.channel == OWN and note.payload == nonce)
                await self._take(note)
        if not heard:
            raise Deaf

    async def _take(self, note: Notify) -> None:
        if note.channel not in self._channels:
            return
        try:
            await self._hear(channel=note.channel, payload=note.payload)
        except Exception as exc:
            # Anybody can NOTIFY anything.
            log.warning("a notification cannot be read", extra={"event": "worker.unreadable", **told(exc)})


class HardenedConnector(PsycopgConnector):
    """Every call has a deadline. `back` is awaited each time LISTEN works again."""

    def __init__(self, settings: Settings, *, back: Callable[[], Awaitable[None]]) -> None:
        super().__init__(
            pool_factory=_pool_of,
            conninfo=settings.database_url,
            # One statement a call: a transaction around it would be two round trips more, in which to lose its outcome.
            kwargs={"autocommit": True, **db.connect_arguments("asbuilt-worker-queue", pooler=settings.pooler)},
            min_size=1,
            max_size=4,
            timeout=CALL_S - 1,
            reconnect_timeout=db.RECONNECT_S,
        )
        self._settings = settings
        self._back = back

    async def listen_notify(self, on_notification: Hear, channels: Iterable[str]) -> None:
        """Never returns."""
        if self._settings.heard_through_pooler:
            # LISTEN would stay with whichever connection was lent for it: the worker polls.
            log.info("polling, for LISTEN does not work behind a pooler", extra={"event": "worker.polling"})
            await asyncio.Event().wait()
        await Listener(
            self._settings.heard_at,
            channels=set(channels),
            hear=on_notification,
            back=self._returned,
        ).run()

    async def _returned(self) -> None:
        # Postgres may have been restarted: no fetch shall be the one to meet a dead connection.
        await self.pool.check()
        await self._back()


def _pool_of(**arguments: Any) -> db.Pool:
    # A check before each call would wait for a frozen server without a deadline; calls are repeated instead.
    del arguments["check"]
    pool = db.Pool(connection_class=db.CuttableConnection, **arguments)
    pool.deadline_s = CALL_S
    return pool
