"""How long to wait before a child that ended is started again; pure, the clock is passed in."""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0
AT_ONCE = 5
FIRST_S = 0.1
LONGEST_S = 30.0


class Restarts:
    """The recent ends of one child."""

    def __init__(self) -> None:
        self._ends: deque[float] = deque(maxlen=AT_ONCE)
        self._delay = 0.0

    def after_exit(self, *, now: float) -> float:
        """Seconds to wait: nearly none; after the fifth end in 10 s from 1 doubling to 30, until it stood for 10 s."""
        stood = now - self._ends[-1] - self._delay if self._ends else WINDOW_S
        often = len(self._ends) == AT_ONCE and now - self._ends[0] <= WINDOW_S
        self._ends.append(now)
        if self._delay >= 1 and stood < WINDOW_S:
            self._delay = min(self._delay * 2, LONGEST_S)
        else:
            self._delay = 1.0 if often else FIRST_S
        return self._delay
