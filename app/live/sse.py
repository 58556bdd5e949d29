"""One stream's life: preamble, catch-up, changes, heartbeats, and its end; holds no database connection while it waits."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg

from app.core.errors import DatabaseUnavailable
from app.core.protocol import Line
from app.live import frames
from app.live.feeds import Feed, Gone
from app.live.hub import Hub
from app.live.store import within
from app.live.subscription import Subscription

Allowed = Callable[[], Awaitable[bool]]


class EventStream:
    """The bytes of one response. Ends at its lifetime, at shutdown, and when the caller loses its rights."""

    def __init__(
        self,
        hub: Hub,
        sub: Subscription,
        feed: Feed,
        *,
        allowed: Allowed,
        arrived: float | None = None,
        line: Line | None = None,
    ) -> None:
        self._hub = hub
        self._sub = sub
        self._feed = feed
        self._allowed = allowed
        self._arrived = arrived
        self._line = line
        self._t = hub.timings
        now = asyncio.get_running_loop().time()
        # Spread, so that clients that came together do not come back together.
        self._ends_at = now + self._t.lifetime_s * random.uniform(0.9, 1)  # noqa: S311
        self._check_at = now + self._t.recheck_s * random.uniform(0.7, 1)  # noqa: S311
        self._beat_at = now + self._t.heartbeat_s
        self._again_at = now

    async def chunks(self) -> AsyncIterator[bytes]:
        """Everything from the preamble on. The place is given back whichever way it ends."""
        self._hub.places.begin(self._sub)
        try:
            chunk: bytes | None = frames.RETRY + self._hub.health_frame
            while chunk is not None:
                yield chunk
                # A stream that always has something to say would never let anybody else run.
                await asyncio.sleep(0)
                chunk = await self._next()
        finally:
            self._hub.places.give_back(self._sub)

    async def _next(self) -> bytes | None:
        """The next thing to say, None at the end."""
        loop = asyncio.get_running_loop()
        while not self._sub.closed and (now := loop.time()) < self._ends_at:
            self._sub.wake.clear()
            if now >= self._check_at:
                self._check_at = now + self._t.recheck_s
                if not await self._still_allowed():
                    return None
            try:
                chunk = await self._news(now)
            except Gone:
                return None
            if now >= self._beat_at:
                self._beat_at = now + self._t.heartbeat_s
                chunk += self._heartbeat()
            if chunk:
                return chunk
            await self._wait(now)
        return None

    async def _news(self, now: float) -> bytes:
        sub = self._sub
        if sub.gap is not None:
            # Progress means nothing before the states it belongs to.
            return await self._catch_up(now) if now >= self._again_at else b""
        return self._changes()

    def _changes(self) -> bytes:
        sub = self._sub
        chunk = self._feed.render(sub.take_told())
        if self._feed.behind:
            sub.lose("gap")
            sub.wake.set()
        return chunk + b"".join(sub.take_rest())

    def _at_once(self) -> bool:
        """As the stream itself would, were it awake; what it would have to wait for, it is woken for."""
        if self._line is None or not self._line.free or self._sub.gap is not None or self._sub.closed:
            return False
        chunk = self._changes()
        if chunk:
            self._line.write(chunk)
        return True

    async def _catch_up(self, now: float) -> bytes:
        reason = self._sub.gap or "gap"
        self._sub.resume()
        as_of = self._hub.clock.now()
        try:
            chunk = await self._feed.catch_up(reason)
        except (TimeoutError, psycopg.Error):
            self._sub.lose(reason)
            self._again_at = now + self._t.again_s
            return b"".join(self._sub.take_health())
        self._hub.offer_latest_progress(self._sub)
        arrived, self._arrived = self._arrived, None
        return chunk + frames.heartbeat(now=self._hub.clock.now(), as_of=as_of, arrived=arrived)

    def _heartbeat(self) -> bytes:
        """Where nothing is left to send, the client knows all of `as_of`, and its resume point moves along."""
        clock, point = self._hub.clock, self._feed.resume_point()
        beat = frames.heartbeat(now=clock.now(), as_of=clock.as_of if self._sub.idle else None)
        return beat + frames.mark(point) if self._sub.idle and point is not None else beat

    async def _still_allowed(self) -> bool:
        try:
            return await within(self._t.read_s, self._ask())
        except (TimeoutError, DatabaseUnavailable):
            # Nobody knows; the next check will.
            return True

    async def _ask(self) -> bool:
        return await self._allowed()

    async def _wait(self, now: float) -> None:
        due = min(self._ends_at, self._check_at, self._beat_at)
        if self._sub.gap is not None:
            due = min(due, self._again_at)
        self._sub.at_once = self._at_once
        try:
            async with asyncio.timeout(max(0.0, due - now)):
                await self._sub.wake.wait()
        except TimeoutError:
            pass
        finally:
            self._sub.at_once = None
