"""The arithmetic of limits: a burst, then a rate; a line before the places of a device; and a body's pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from app.core.errors import IdleTimeout, TooManyRequests
from app.core.fairness import Buckets, Fairness
from app.core.pace import MIN_RATE, Pace
from app.core.settings import Settings


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_rate_and_each_key_for_itself() -> None:
    clock = Clock()
    buckets = Buckets(rate=2, burst=3, clock=clock)
    for _ in range(3):
        assert buckets.wait("a") == 0
        buckets.spend("a")
    assert buckets.wait("a") == pytest.approx(0.5)
    assert buckets.wait("b") == 0
    clock.now += 0.5
    assert buckets.wait("a") == 0
    buckets.spend("a")
    assert buckets.wait("a") == pytest.approx(0.5)
    clock.now += 1000
    for _ in range(3):
        assert buckets.wait("a") == 0
        buckets.spend("a")
    assert buckets.wait("a") > 0


def test_what_is_refused_again_and_again_waits_no_longer_than_a_burst_takes() -> None:
    clock = Clock()
    buckets = Buckets(rate=1, burst=10, clock=clock)
    for _ in range(1000):
        buckets.spend("a")
    assert buckets.wait("a") == pytest.approx(1)


def test_a_rate_of_0_is_no_limit() -> None:
    buckets = Buckets(rate=0, burst=1)
    buckets.spend("a")
    buckets.spend("a")
    assert buckets.wait("a") == 0


def test_a_body_that_comes_slowly_but_comes_is_waited_for() -> None:
    pace = Pace(idle_s=2, total_s=1000)
    for _ in range(10):
        pace.note(waited=1, came=MIN_RATE)
        pace.judge()
    pace.note(waited=1, came=1)
    pace.judge()
    pace.note(waited=1, came=1)
    with pytest.raises(IdleTimeout, match="only 2 bytes"):
        pace.judge()


def test_a_body_that_never_ends_is_given_up() -> None:
    pace = Pace(idle_s=10, total_s=0)
    assert pace.left() == 0
    with pytest.raises(IdleTimeout, match="longer than 0 s"):
        pace.judge()


class Line:
    """Requests of one device, which has two places and a line of three."""

    def __init__(self) -> None:
        self.fairness = Fairness(Settings(requests_per_device=2, requests_waiting=3, requests_wait_s=60))
        self.device = uuid4()
        self.served: list[int] = []
        self.ends = [asyncio.Event() for _ in range(6)]
        self.left: Callable[[int], object] = lambda n: None

    async def request(self, n: int) -> None:
        async with self.fairness.place(self.device):
            self.served.append(n)
            await self.ends[n].wait()
        self.left(n)

    async def come(self, count: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.request(n)) for n in range(count)]
        await turn()
        return tasks


async def turn() -> None:
    """Let everybody go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_came_first_is_served_first_and_the_line_has_an_end() -> None:
    line = Line()
    tasks = await line.come(6)
    assert line.served == [0, 1]
    with pytest.raises(TooManyRequests) as refused:
        await tasks[5]
    assert (refused.value.limits, refused.value.retry_after_s) == ({"requests": 2}, 1)
    for n in (1, 0, 2):
        line.ends[n].set()
        await turn()
    assert line.served == [0, 1, 2, 3, 4]
    for n in (3, 4):
        line.ends[n].set()
    await asyncio.gather(*tasks[:5])
    assert not line.fairness._places


async def test_a_place_is_lost_to_nobody_who_was_cancelled() -> None:
    """In the line, at the very moment when the place is given, and at work."""
    line = Line()
    tasks = await line.come(5)
    tasks[2].cancel()
    await turn()
    # The place is the fourth's by then, which does not know it yet.
    line.left = lambda n: tasks[3].cancel() if n == 0 else None
    line.ends[0].set()
    await turn()
    assert line.served == [0, 1, 4]
    tasks[1].cancel()
    line.ends[4].set()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, True, True, True, False]
    assert not line.fairness._places


async def test_a_device_without_a_limit_has_no_line() -> None:
    fairness, device = Fairness(Settings(requests_per_device=0, requests_waiting=0)), uuid4()
    async with fairness.place(device), fairness.place(device):
        assert not fairness._places
