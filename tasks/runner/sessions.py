"""One sign-in an account: runs share it, and only one at a time signs in. Kept in memory, never on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from tasks.runner.driver import Cookie, RunError

REFUSED_S = 30.0
"""After a refused sign-in the account is left alone for so long: portals lock accounts after a few bad ones."""


class Visitor(Protocol):
    """As much of a driver as a sign-in is."""

    async def adopt(self, session: tuple[Cookie, ...]) -> None: ...

    async def session(self) -> tuple[Cookie, ...]: ...


class Session:
    """The sign-in of one account at one portal."""

    def __init__(self, *, refused_s: float = REFUSED_S) -> None:
        self._lock = asyncio.Lock()
        self._cookies: tuple[Cookie, ...] = ()
        self._refused_s = refused_s
        self._refused: tuple[RunError, float] | None = None

    @asynccontextmanager
    async def entering(self, driver: Visitor) -> AsyncGenerator[None, None]:
        """While one run signs in, the others wait and then find themselves signed in, or refused like it.

        Raises the portal's refusal again, without asking it, for a while after it came.
        """
        async with self._lock:
            self._still_refused()
            await driver.adopt(self._cookies)
            try:
                yield
            except RunError as exc:
                if exc.error_class == "login_failed":
                    self._cookies = ()
                    self._refused = exc, asyncio.get_running_loop().time()
                raise
            self._cookies = await driver.session()
            self._refused = None

    def _still_refused(self) -> None:
        if self._refused is None:
            return
        refusal, at = self._refused
        ago = asyncio.get_running_loop().time() - at
        if ago < self._refused_s:
            raise RunError(
                refusal.code,
                f"{refusal} ({ago:.0f} s ago; not tried again yet)",
                error_class=refusal.error_class,
                retry_after_s=refusal.retry_after_s,
            )


class Sessions:
    """All accounts' sign-ins."""

    def __init__(self) -> None:
        self._by_account: dict[tuple[str, str], Session] = {}

    def of(self, portal: str, account: str) -> Session:
        return self._by_account.setdefault((portal, account), Session())
