"""Thousands of clients that come back at once share their reads, and leave connections to everybody else."""

from __future__ import annotations

import asyncio

import pytest

from app.core import db
from app.live.store import Reads, within
from sql import Connection


async def test_equal_reads_are_shared_until_the_statement_begins(database_url: str) -> None:
    go, running = asyncio.Event(), 0
    begun: list[None] = []

    async def query(conn: Connection) -> int:
        nonlocal running
        running += 1
        assert running <= 2
        begun.append(None)
        number = len(begun)
        await go.wait()
        await conn.execute("select 1")
        running -= 1
        return number

    async with db.pool(database_url, name="asbuilt-web", size=4) as pool:
        reads = Reads(pool, deadline_s=30)
        tasks = [asyncio.create_task(reads.read("same", query, sight=())) for _ in range(50)]
        async with asyncio.timeout(60):
            while not begun:
                await asyncio.sleep(0)
            # This one subscribed after the statement's moment: it must not be given what the others get.
            tasks += [asyncio.create_task(reads.read("same", query, sight=())) for _ in range(50)]
            tasks += [asyncio.create_task(reads.read(n, query, sight=())) for n in range(5)]
            tasks[0].cancel()
            await asyncio.sleep(0)
            go.set()
            done = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done[0], asyncio.CancelledError)
    assert set(done[1:50]) == {1}
    assert len(set(done[50:100])) == 1
    assert done[50] != 1
    assert len(set(done[100:])) == 5
    assert len(begun) == 7


async def test_what_cannot_be_cancelled_is_not_waited_for() -> None:
    stopped = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await stopped.wait()

    async with asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await within(0.01, stubborn())
        stopped.set()
