"""Who runs beside whom in a worker: a job that took its worker down twice in a row runs alone the third time.

So a job that kills its workers costs others at most two interruptions, and never their own third.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Company:
    """The queue rows that run in this process, counted from their fetch on."""

    def __init__(self) -> None:
        self._present: set[int] = set()
        self._fetching = False
        self._turn = asyncio.Lock()
        self._quiet = asyncio.Event()
        self.open = asyncio.Event()
        """Set while rows may be fetched."""
        self.open.set()
        self._quiet.set()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Around a fetch: one that is under way may bring company, so nobody is alone yet."""
        self._fetching = True
        self._look()
        try:
            yield
        finally:
            self._fetching = False
            self._look()

    def enter(self, row: int) -> None:
        """A row was fetched. Called inside `fetching`, so that it is counted before anybody looks."""
        self._present.add(row)

    def leave(self, row: int) -> None:
        """A row has ended, or waits to run alone."""
        self._present.discard(row)
        self._look()

    @asynccontextmanager
    async def alone(self, row: int) -> AsyncIterator[None]:
        """Wait until nothing else runs here, and let nothing in until the block ends; one such row at a time."""
        self.leave(row)
        async with self._turn:
            self.open.clear()
            try:
                await self._quiet.wait()
                yield
            finally:
                self.open.set()

    def _look(self) -> None:
        if self._present or self._fetching:
            self._quiet.clear()
        else:
            self._quiet.set()
