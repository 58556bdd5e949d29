"""The arithmetic of limits: a burst, then a rate; and a body's pace."""

from __future__ import annotations

import pytest

from app.core.errors import IdleTimeout
from app.core.fairness import Buckets
from app.core.pace import MIN_RATE, Pace


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
