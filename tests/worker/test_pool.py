"""The pool of connections through an outage."""

from __future__ import annotations

import asyncio

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests

from app.core import db
from tests.worker.own_server import own_server

SIZE = 1


async def ask(pool: db.Pool) -> type[psycopg.Error] | None:
    try:
        async with pool.connection() as conn:
            await conn.execute("select 1")
    except psycopg.Error as exc:
        return type(exc)
    return None


async def test_a_pool_that_refused_many_during_an_outage_connects_again_after_it() -> None:
    async with own_server() as server, db.pool(server.url, name="patient", size=SIZE, wait_s=0.1) as pool:
        assert await ask(pool) is None
        with server.stopped():
            crowd = await asyncio.gather(*(ask(pool) for _ in range(SIZE * 8 + 5)))
            assert PoolTimeout in crowd
            assert TooManyRequests in crowd
            # Until the pool has given up connecting by itself, so that only a caller can make it try again.
            async with asyncio.timeout(60):
                while pool.get_stats().get("pool_size", 0):
                    await ask(pool)
                    await asyncio.sleep(0.5)
        async with asyncio.timeout(60):
            while await ask(pool) is not None:
                await asyncio.sleep(0.05)
