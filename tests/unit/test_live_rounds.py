"""Streams are woken in rounds: all of them, each once, and others have their turn in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from app.live.rounds import AT_ONCE, Rounds


@pytest.fixture
async def rounds() -> AsyncIterator[Rounds]:
    made = Rounds()
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()


async def test_others_have_their_turn_before_all_are_awake(rounds: Rounds) -> None:
    """One event for thousands of streams once held every upload up until the last had been written to."""
    streams = [asyncio.Event() for _ in range(10 * AT_ONCE)]
    for wake in streams:
        rounds.call(wake.set)
    awake = []
    while not all(wake.is_set() for wake in streams):
        awake.append(sum(wake.is_set() for wake in streams))
        await asyncio.sleep(0)
    assert all(later - earlier <= AT_ONCE for earlier, later in pairwise(awake))


async def test_what_comes_during_a_round_goes_with_the_next(rounds: Rounds) -> None:
    streams = [asyncio.Event() for _ in range(3 * AT_ONCE)]
    for wake in streams:
        rounds.call(wake.set)
    await streams[0].wait()
    streams[0].clear()
    rounds.call(streams[0].set)
    rounds.call(streams[0].set)
    assert not streams[-1].is_set()
    async with asyncio.timeout(60):
        await streams[0].wait()
    assert streams[-1].is_set()
