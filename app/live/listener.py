"""The status source: one connection that LISTENs, proves again and again that it hears, and replays after every break.

Where LISTEN does not work (a transaction pooler in between), the same changes are asked for every few seconds instead.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, TypeVar

import msgspec
from psycopg import AsyncConnection, Notify

from app.core.db import Pool, connect_arguments
from app.live import store
from app.live.clock import DatabaseClock
from app.live.cursor import ManyCursor
from app.live.schemas import Notice, RecordNotice, Running, StatusSource
from app.live.timings import ROWS, Timings
from sql import Connection

log = logging.getLogger("asbuilt.live")

T = TypeVar("T")

SELF, RECORDS = "asbuilt_live", "asbuilt_record"
NEVER = 2**63 - 1
_notice = msgspec.json.Decoder(Notice)
_record = msgspec.json.Decoder(RecordNotice)


class ListenLost(Exception):
    """The connection does not hear its own notification any more, or what it heard cannot be used."""


class StatusSink(Protocol):
    """Where changes go."""

    clock: DatabaseClock
    cursor: ManyCursor | None

    def publish(self, notice: Notice, cursor: ManyCursor) -> None: ...

    def changed(self, record: RecordNotice) -> None: ...

    def learn(self, notices: Iterable[Notice | Running]) -> None: ...

    def reached(self, cursor: ManyCursor) -> None: ...

    def lost(self, cursor: ManyCursor) -> None: ...

    def turn(self, *, status: StatusSource) -> None: ...


class Listener:
    """Tells the sink of every change, also of those that happened while there was no connection."""

    def __init__(self, url: str, pool: Pool, sink: StatusSink, *, timings: Timings, pooler: bool = False) -> None:
        self._url = url
        self._arguments = connect_arguments("asbuilt-live", pooler=pooler)
        # Behind a transaction pooler LISTEN stays with whichever connection was lent for it, and our own notification may come back by it.
        self._in_vain = pooler
        self._pool = pool
        self._sink = sink
        self._t = timings
        self._pause_s = timings.backoff_first_s
        self._polled_at = time.monotonic()

    async def run(self) -> None:
        """Until cancelled. Nothing that goes wrong ends it."""
        while True:
            try:
                await self._session()
                continue
            except Exception as exc:
                log.warning("LISTEN broke", extra={"event": "live.listen_broke", "error": type(exc).__name__})
            self._sink.turn(status="poll")
            await self._meanwhile(asyncio.sleep(self._pause_s * random.uniform(0.5, 1)))  # noqa: S311
            self._pause_s = min(self._t.backoff_last_s, self._pause_s * 2)

    async def _session(self) -> None:
        """One connection: follow it until it breaks, or poll on it for a while when it turns out to be deaf."""
        conn = await self._meanwhile(AsyncConnection.connect(self._url, autocommit=True, **self._arguments))
        try:
            # A break often means that Postgres was restarted: no request shall be the one to meet a dead connection.
            await store.within(self._t.read_s, self._pool.check())
            await store.within(self._t.read_s, self._open(conn))
            if self._in_vain:
                await self._ping(conn, nonce="")
            elif await self._hears(conn):
                self._pause_s = self._t.backoff_first_s
                self._sink.turn(status="listen")
                await self._follow(conn)
            self._sink.turn(status="poll")
            await self._poll(conn)
        finally:
            await conn.close()

    async def _open(self, conn: Connection) -> None:
        if not self._in_vain:
            await store.LISTEN(conn)
            await store.LISTEN_RECORDS(conn)
            await store.LISTEN_SELF(conn)
        # Only now: a change between the replay and LISTEN would be lost.
        await self._catch_up(conn)
        self._sink.learn(store.running(await store.RUNNING(conn)))

    async def _follow(self, conn: Connection) -> None:
        while True:
            async for note in conn.notifies(timeout=self._t.ping_s):
                await self._take(note)
            if not await self._hears(conn):
                raise ListenLost("no answer to our own notification")

    async def _hears(self, conn: Connection) -> bool:
        """Notify ourselves and wait for it. What was committed before the ping has been taken when this is true."""
        nonce = secrets.token_hex(8)
        ping = await self._ping(conn, nonce=nonce)
        until = time.monotonic() + self._t.pong_s
        heard = False
        while not heard and (left := until - time.monotonic()) > 0:
            # Never `break` out of notifies(): the rest of its packet would be lost.
            async for note in conn.notifies(timeout=left, stop_after=1):
                heard = heard or (note.channel == SELF and note.payload == nonce)
                await self._take(note)
        if heard and self._sink.cursor is not None and self._sink.cursor.epoch != ping.epoch:
            raise ListenLost("the history of events was replaced")
        if heard:
            self._sink.reached(ManyCursor(ping.epoch, ping.xmin))
            self._sink.clock.proven(ping.now)
        return heard

    async def _ping(self, conn: Connection, *, nonce: str) -> store.PingRow:
        sent = time.monotonic()
        ping = await store.within(self._t.pong_s, store.PING(conn, nonce=nonce))
        self._sink.clock.measured(ping.now, sent=sent, received=time.monotonic())
        return ping

    async def _take(self, note: Notify) -> None:
        if note.channel == SELF or self._sink.cursor is None:
            return
        try:
            if note.channel == RECORDS:
                self._sink.changed(_record.decode(note.payload))
                return
            notice = _notice.decode(note.payload)
            cursor = ManyCursor(self._sink.cursor.epoch, int(notice.xmin))
        except (msgspec.MsgspecError, ValueError):
            log.warning("a notification cannot be read", extra={"event": "live.unreadable", "size": len(note.payload)})
            return
        if notice.data is None:
            notice = await store.within(self._t.read_s, self._complete(notice))
        self._sink.publish(notice, cursor)
        self._sink.reached(cursor)

    async def _complete(self, notice: Notice) -> Notice:
        # On the pool's connection: this one is busy listening.
        async with self._pool.connection() as conn:
            view = await store.event_view(conn, notice)
        if view is None:
            raise ListenLost("an event is missing")
        return msgspec.structs.replace(notice, data=view)

    async def _catch_up(self, conn: Connection) -> None:
        """Spread every change since the last one known; if there are too many, or no telling which, snapshots for all."""
        self._polled_at = time.monotonic()
        began = self._sink.clock.now()
        known = self._sink.cursor
        since = NEVER if known is None else known.xmin
        page = store.Page(await store.CHANGED_ANYWHERE(conn, since=str(since), limit=ROWS + 1))
        if known is None or known.epoch != page.epoch or known.xmin > page.xmin or page.full:
            self._sink.lost(page.cursor)
            self._sink.learn(store.running(await store.RUNNING(conn)))
            self._sink.clock.proven(began)
            return
        for notice in page.notices[:-1]:
            self._sink.publish(notice, known)
        for notice in page.notices[-1:]:
            self._sink.publish(notice, page.cursor)
        self._sink.reached(page.cursor)
        self._sink.clock.proven(began)

    async def _poll(self, conn: Connection) -> None:
        until = time.monotonic() + self._t.retest_s
        while time.monotonic() < until:
            await asyncio.sleep(self._t.poll_s)
            await store.within(self._t.read_s, self._catch_up(conn))

    async def _meanwhile(self, work: Coroutine[Any, Any, T]) -> T:
        """The result. While there is no connection to listen on, the pool may still have one: it is asked whenever a poll is due,
        however long the work takes; connecting into a black hole takes seconds."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                left_s = self._polled_at + self._t.poll_s - time.monotonic()
                if left_s <= 0:
                    await self._poll_by_pool()
                await asyncio.wait({task}, timeout=max(left_s, 0.01))
            return task.result()
        finally:
            task.cancel()

    async def _poll_by_pool(self) -> None:
        # Also when there is no connection to be had: else it would be tried a hundred times a second.
        self._polled_at = time.monotonic()
        try:
            await store.within(self._t.read_s, self._catch_up_by_pool())
        except Exception as exc:
            log.warning("no status", extra={"event": "live.poll_failed", "error": type(exc).__name__})

    async def _catch_up_by_pool(self) -> None:
        async with self._pool.connection() as conn:
            await self._catch_up(conn)
