"""One sign-in an account: runs share it, and only one at a time signs in. Kept in memory, never on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tasks.runner.driver import Cookie, Driver


class Session:
    """The sign-in of one account at one portal."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._cookies: tuple[Cookie, ...] = ()

    @asynccontextmanager
    async def entering(self, driver: Driver) -> AsyncGenerator[None, None]:
        """While one run signs in, the others wait and then find themselves signed in."""
        async with self._lock:
            await driver.adopt(self._cookies)
            yield
            self._cookies = await driver.session()


class Sessions:
    """All accounts' sign-ins."""

    def __init__(self) -> None:
        self._by_account: dict[tuple[str, str], Session] = {}

    def of(self, portal: str, account: str) -> Session:
        return self._by_account.setdefault((portal, account), Session())
