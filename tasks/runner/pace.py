"""How fast a portal's pages may be loaded: one token bucket a portal, in the memory of this one process."""

from __future__ import annotations

import asyncio


class Pace:
    """`per_s` page loads a second on average, `burst` at once; 0 is no limit. Who comes first goes first."""

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = max(1, burst)
        self._tokens = float(self._burst)
        self._refilled_at: float | None = None
        self._line = asyncio.Lock()

    async def take(self) -> None:
        """Wait for the next free page load."""
        if self._per_s <= 0:
            return
        async with self._line:
            clock = asyncio.get_running_loop().time
            self._refill(clock())
            if self._tokens < 1:
                await asyncio.sleep((1 - self._tokens) / self._per_s)
                self._refill(clock())
            # A timer may fire a hair early: the debt is carried on instead of waited for again.
            self._tokens -= 1

    def _refill(self, now: float) -> None:
        if self._refilled_at is not None:
            self._tokens = min(float(self._burst), self._tokens + (now - self._refilled_at) * self._per_s)
        self._refilled_at = now
