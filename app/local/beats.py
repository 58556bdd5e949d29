"""When a worker of a machine was last heard of."""

from __future__ import annotations

import msgspec
from psycopg import AsyncConnection

from app.core.db import connect_arguments
from sql import load


class _Beat(msgspec.Struct, frozen=True, kw_only=True):
    age_s: float | None
    beat_s: float


LAST_BEAT = load("local").one("last_beat", _Beat)


async def last_beat(database_url: str, *, host: str) -> tuple[float | None, float]:
    """Seconds since the youngest sign of life of a worker of this host, None without one; and how often it gives one."""
    async with await AsyncConnection.connect(
        database_url, autocommit=True, **connect_arguments("asbuilt-alive")
    ) as conn:
        beat = await LAST_BEAT(conn, host=host)
    return beat.age_s, beat.beat_s
