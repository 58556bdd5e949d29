"""The database's clock: the narrowest round trip counts, and what is proven only moves forward."""

from __future__ import annotations

import time

import pytest

from app.live.clock import DatabaseClock


def test_the_narrowest_round_trip_counts_until_it_is_too_old() -> None:
    clock, now = DatabaseClock(), time.monotonic()
    assert clock.now() is None
    clock.measured(1000.0, sent=now, received=now + 0.010)
    assert clock.now() == pytest.approx(1000.0, abs=0.1)
    # A slow answer says less: the database's word is somewhere within two seconds.
    clock.measured(5000.0, sent=now + 1, received=now + 3)
    assert clock.now() == pytest.approx(1000.0, abs=0.1)
    # As slow as that, but a day later: meanwhile the clocks may have parted further.
    clock.measured(90_000.0, sent=now + 86_400, received=now + 86_402)
    assert clock.now() == pytest.approx(90_000.0 - 86_401, abs=0.1)


def test_what_is_proven_only_moves_forward() -> None:
    clock = DatabaseClock()
    for at in (5.0, None, 3.0):
        clock.proven(at)
    assert clock.as_of == 5.0
    clock.proven(6.0)
    assert clock.as_of == 6.0
