"""Redis: the latest progress of each running job (a cache) and the stream that spreads it. Never the truth.

Every write may fail quietly and quickly; nothing of ours waits for Redis or believes it over Postgres.
"""

from __future__ import annotations

import logging
import time
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("asbuilt.cache")

STREAM = "asbuilt:progress"
STREAM_LENGTH = 10_000
TTL_S = 900


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running attempt stands; `percent` is 0 to 100, `step_index` counts from 1."""

    job_id: UUID
    record_id: UUID
    attempt: int
    percent: int
    step: str
    step_index: int
    step_total: int
    label: str
    message: str | None = None
    screenshot: str | None = None
    at: str


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a job's progress may reach."""

    project_id: UUID
    device_id: UUID


def commands(url: str) -> Redis | None:
    """A client for short commands: it answers or fails within half a second. None without a URL."""
    if not url:
        return None
    return Redis.from_url(
        url,
        decode_responses=True,
        protocol=2,
        socket_timeout=0.5,
        socket_connect_timeout=0.3,
        retry=Retry(NoBackoff(), 0),
    )


class ProgressCache:
    """Writes and reads the progress of jobs; after a failure it stays silent for a few seconds before it tries again."""

    def __init__(self, redis: Redis | None, *, pause_s: float = 3.0) -> None:
        self._redis = redis
        self._pause_s = pause_s
        self._silent_until = 0.0

    async def publish(self, progress: Progress, audience: Audience) -> bool:
        """Remember and spread it; False when Redis did not take it."""
        body = msgspec.json.encode(progress).decode()
        key = f"{STREAM}:{progress.job_id}"
        if self._redis is None or time.monotonic() < self._silent_until:
            return False
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(key, mapping={"attempt": progress.attempt, "data": body})
                pipe.expire(key, TTL_S)
                pipe.xadd(
                    STREAM,
                    {
                        "job": str(progress.job_id),
                        "record": str(progress.record_id),
                        "project": str(audience.project_id),
                        "device": str(audience.device_id),
                        "attempt": progress.attempt,
                        "data": body,
                    },
                    maxlen=STREAM_LENGTH,
                    approximate=True,
                )
                await pipe.execute()
        except (RedisError, OSError) as exc:
            self._fail(exc)
            return False
        return True

    async def read(self, job_id: UUID, *, attempt: int) -> Progress | None:
        """The latest progress of this attempt, if Redis has it and it can be read."""
        if self._redis is None or time.monotonic() < self._silent_until:
            return None
        try:
            body = await self._redis.hget(f"{STREAM}:{job_id}", "data")
        except (RedisError, OSError) as exc:
            self._fail(exc)
            return None
        return decode_progress(body, attempt=attempt)

    def _fail(self, exc: Exception) -> None:
        self._silent_until = time.monotonic() + self._pause_s
        log.warning("redis does not answer", extra={"event": "cache.unavailable", "error": type(exc).__name__})


def decode_progress(body: str | bytes | None, *, attempt: int) -> Progress | None:
    """Redis is untrusted input: what cannot be read, or is of another attempt, is no progress."""
    if not body:
        return None
    try:
        progress = msgspec.json.decode(body, type=Progress)
    except msgspec.MsgspecError:
        return None
    return progress if progress.attempt == attempt else None
