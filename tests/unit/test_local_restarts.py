"""How fast a child that ended comes back."""

from __future__ import annotations

from app.local.restarts import AT_ONCE, FIRST_S, LONGEST_S, WINDOW_S, Restarts


def delays(ends: list[float]) -> list[float]:
    restarts = Restarts()
    return [restarts.after_exit(now=at) for at in ends]


def test_a_child_that_ends_now_and_then_comes_back_within_a_second() -> None:
    assert delays([0, 60, 120, 180, 240, 300, 360, 420]) == [FIRST_S] * 8
    assert FIRST_S < 1


def test_five_ends_in_ten_seconds_are_restarted_at_once_the_sixth_waits() -> None:
    assert delays([0, 1, 2, 3, 4, 5]) == [FIRST_S] * AT_ONCE + [1.0]


def test_six_ends_in_more_than_ten_seconds_do_not_wait() -> None:
    assert delays([0, 3, 6, 9, 12, 15]) == [FIRST_S] * 6


def test_a_child_that_never_gets_up_waits_longer_each_time_up_to_a_limit() -> None:
    restarts, now, seen = Restarts(), 0.0, []
    for _ in range(14):
        delay = restarts.after_exit(now=now)
        seen.append(delay)
        now += delay + 0.2
    assert seen[AT_ONCE:] == [1, 2, 4, 8, 16, LONGEST_S, LONGEST_S, LONGEST_S, LONGEST_S]


def test_a_child_that_stood_again_is_forgiven() -> None:
    restarts = Restarts()
    for at in range(6):
        delay = restarts.after_exit(now=float(at))
    assert delay == 1.0
    assert restarts.after_exit(now=5 + delay + WINDOW_S + 1) == FIRST_S
