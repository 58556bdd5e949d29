"""The progress source: one reader of the Redis stream. Believes nothing it reads; holds no truth; may be gone for hours."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Protocol

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.cache import STREAM, Progress, decode_progress
from app.live.schemas import ProgressSource
from app.live.timings import Timings

log = logging.getLogger("asbuilt.live")

AT_ONCE = 500
LARGEST = 16 * 2**10
START = b"0-0"

Entry = tuple[bytes, dict[bytes, bytes] | None]


class ProgressSink(Protocol):
    """Where progress goes."""

    def progress(self, progress: Progress) -> None: ...

    def turn(self, *, progress: ProgressSource) -> None: ...


class ProgressReader:
    """Follows the stream from where it stood; after a break it goes on from the last entry read."""

    def __init__(self, url: str, sink: ProgressSink, *, timings: Timings) -> None:
        self._url = url
        self._sink = sink
        self._t = timings
        self._last: bytes | None = None

    async def run(self) -> None:
        """Until cancelled. Nothing that goes wrong ends it."""
        pause_s = self._t.backoff_first_s
        while True:
            # Bytes, not text: an entry that is no UTF-8 must not stop the reader for ever.
            client = Redis.from_url(
                self._url,
                protocol=2,
                socket_timeout=self._t.redis_timeout_s,
                socket_connect_timeout=1,
                retry=Retry(NoBackoff(), 0),
            )
            try:
                await client.ping()
                await self._anchor(client)
                self._sink.turn(progress="live")
                pause_s = self._t.backoff_first_s
                await self._follow(client)
            except Exception as exc:
                log.warning("progress broke", extra={"event": "live.progress_broke", "error": type(exc).__name__})
            finally:
                await client.aclose()
            self._sink.turn(progress="degraded")
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311
            pause_s = min(self._t.backoff_last_s, pause_s * 2)

    async def _anchor(self, client: Redis) -> None:
        """Begin at a real id: between two reads from `$`, entries would be lost. The newest entries tell what runs now."""
        if self._last is None:
            newest = _entries(await client.xrevrange(STREAM, count=AT_ONCE))
            for _, fields in reversed(newest):
                self._take(fields)
            self._last = newest[0][0] if newest else START

    async def _follow(self, client: Redis) -> None:
        while True:
            last = self._last or START
            reply = await client.xread({STREAM: last}, count=AT_ONCE, block=round(self._t.redis_block_s * 1000))
            if not reply:
                await self._begin_anew_after_flush(client, last)
            for _, entries in msgspec.convert(reply or [], list[tuple[bytes, list[Entry]]]):
                for entry, fields in entries:
                    self._take(fields)
                    self._last = entry
            # A full buffer is read without a pause; everybody else would wait.
            await asyncio.sleep(0)

    async def _begin_anew_after_flush(self, client: Redis, last: bytes) -> None:
        """Ids are times: after a flush under a clock that was set back, new ones would stay below ours for ever."""
        newest = _entries(await client.xrevrange(STREAM, count=1))
        if newest and _order(newest[0][0]) < _order(last):
            self._last = START

    def _take(self, fields: dict[bytes, bytes] | None) -> None:
        data = (fields or {}).get(b"data", b"")
        try:
            attempt = int((fields or {}).get(b"attempt", b""))
        except ValueError:
            return
        progress = decode_progress(data, attempt=attempt) if len(data) <= LARGEST else None
        if progress is not None and 0 <= progress.percent <= 100:
            self._sink.progress(progress)


def _entries(reply: object) -> list[Entry]:
    return msgspec.convert(reply, list[Entry])


def _order(entry: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry.partition(b"-")
    return int(milliseconds), int(number or b"0")
