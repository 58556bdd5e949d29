"""The database's clock as this process knows it, and how far what was spread is known to reach. Never sets a clock."""

from __future__ import annotations

import time

DRIFT = 1e-4
"""How far two machines' clocks may part in a second; an old measurement is worth that much less."""


class DatabaseClock:
    """Measured by round trips, of which the narrowest counts: the answer was made somewhere between their ends."""

    def __init__(self) -> None:
        self.as_of: float | None = None
        """Every change committed before this time (of the database, in seconds) has been spread."""
        self._offset = 0.0
        self._width: float | None = None
        self._at = 0.0

    def measured(self, there: float, *, sent: float, received: float) -> None:
        """The database said `there` to a question that was sent and answered at these monotonic times."""
        width = received - sent
        if self._width is None or width <= self._width + DRIFT * (received - self._at):
            self._offset = there - (sent + received) / 2
            self._width = width
            self._at = received

    def now(self) -> float | None:
        """None until the database has been asked once."""
        return None if self._width is None else time.monotonic() + self._offset

    def proven(self, at: float | None) -> None:
        """All that was committed before `at` has been spread."""
        if at is not None and (self.as_of is None or at > self.as_of):
            self.as_of = at
