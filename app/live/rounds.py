"""Wakes the streams that have something to say, a few at a time, and rests as long as that took.

One event concerns thousands of streams. Were they all written to at once, a request would wait until the last had been;
were each event written on its own, nobody else would have any time. What arrives meanwhile goes with the next round.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger("asbuilt.live")

Stir = Callable[[], None]

AT_ONCE = 200


class Rounds:
    """Calls in the order they came; who is called twice before its turn is woken once."""

    def __init__(self) -> None:
        self._due: dict[Stir, None] = {}
        self._called = asyncio.Event()

    def call(self, stir: Stir) -> None:
        """Do it in the next round."""
        self._due[stir] = None
        self._called.set()

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._called.wait()
            self._called.clear()
            due, self._due = list(self._due), {}
            began = loop.time()
            for first in range(0, len(due), AT_ONCE):
                for stir in due[first : first + AT_ONCE]:
                    try:
                        stir()
                    except Exception:
                        # One stream's trouble would silence all.
                        log.exception("a stream could not be stirred", extra={"event": "live.stir_failed"})
                # Now whoever else has something to do.
                await asyncio.sleep(0)
            await asyncio.sleep(loop.time() - began)
