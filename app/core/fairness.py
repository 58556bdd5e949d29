"""Who may ask how much, in this process: uploads a second and requests at once for each device, wrong secrets for each
address. 0 turns a limit off.

It counts in memory: with several processes each counts for itself, and Redis being away neither opens nor closes anything.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from uuid import UUID

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.errors import TooManyRequests
from app.core.settings import Settings

_REMEMBERED = 10_000
_BEGINS = frozenset({"POST", "PUT"})
_PIECES = ("/api/mobile/files/", "/api/mobile/uploads/")
"""Below these an upload goes on, in as many pieces as its client likes: clients take a 429 there for the end of it."""


class Buckets:
    """A bucket for each key, which fills by `rate` tokens a second up to `burst`. The least used keys are forgotten."""

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._full: OrderedDict[Hashable, float] = OrderedDict()
        """When each bucket will be full again; one that is not listed is full."""

    def wait(self, key: Hashable) -> float:
        """Seconds until the key has a token; 0 when it has one."""
        if not self._rate:
            return 0.0
        missing = max(0.0, self._full.get(key, 0.0) - self._clock()) * self._rate
        return max(0.0, missing + 1 - self._burst) / self._rate

    def spend(self, key: Hashable) -> None:
        """Take a token, also one that is not there."""
        if not self._rate:
            return
        now = self._clock()
        longest = now + self._burst / self._rate
        self._full[key] = min(longest, max(now, self._full.get(key, 0.0)) + 1 / self._rate)
        self._full.move_to_end(key)
        if len(self._full) > _REMEMBERED:
            self._full.popitem(last=False)


class _Places:
    """The places of one device, and how many requests have one or wait for one."""

    def __init__(self, count: int) -> None:
        self.free = asyncio.Semaphore(count)
        self.asked = 0


class Fairness:
    """The limits of one web process."""

    def __init__(self, settings: Settings) -> None:
        self._uploads = Buckets(rate=settings.uploads_per_s, burst=settings.uploads_burst)
        self._failures = Buckets(rate=settings.failed_auth_per_min / 60, burst=max(1, settings.failed_auth_per_min))
        self._at_once = settings.requests_per_device
        self._waiting = settings.requests_waiting
        self._wait_s = settings.requests_wait_s
        self._places: dict[UUID, _Places] = {}

    def upload(self, device: UUID) -> None:
        """Raise `TooManyRequests` when the device sends too often."""
        wait = self._uploads.wait(device)
        if wait:
            raise TooManyRequests("this device sends too often", retry_after_s=math.ceil(wait))
        self._uploads.spend(device)

    @asynccontextmanager
    async def place(self, device: UUID) -> AsyncIterator[None]:
        """One of the requests that the device may have at once; whoever comes first waits for it in line.

        Raises `TooManyRequests` when too many wait already, and when it took too long.
        """
        if not self._at_once:
            yield
            return
        places = self._places.setdefault(device, _Places(self._at_once))
        if places.asked >= self._at_once + self._waiting:
            raise self._too_many()
        places.asked += 1
        try:
            try:
                async with asyncio.timeout(self._wait_s):
                    await places.free.acquire()
            except TimeoutError:
                raise self._too_many() from None
            try:
                yield
            finally:
                places.free.release()
        finally:
            places.asked -= 1
            if not places.asked:
                del self._places[device]

    def _too_many(self) -> TooManyRequests:
        return TooManyRequests(
            "this device has too many requests open", limits={"requests": self._at_once}, retry_after_s=1
        )

    def demand_patience(self, key: Hashable) -> None:
        """Raise `TooManyRequests` when so many secrets of this kind and address were wrong that no more are looked at."""
        wait = self._failures.wait(key)
        if wait:
            raise TooManyRequests("too many wrong secrets came from this address", retry_after_s=math.ceil(wait))

    def failed(self, key: Hashable) -> None:
        """A wrong secret."""
        self._failures.spend(key)


class FairShare:
    """Gives each request of a device its place, and refuses those that get none. Streams have limits of their own.

    Clients of tus take a 429 for the end of an upload, so a request waits for its place; its body is not read meanwhile.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("user")
        path = scope["path"]
        if scope["type"] != ScopeType.HTTP or caller is None or caller.kind != "device" or path == "/api/events":
            await self._app(scope, receive, send)
            return
        fairness: Fairness = scope["litestar_app"].state["fairness"]
        async with fairness.place(caller.id):
            if _begins_an_upload(scope["method"], path):
                fairness.upload(caller.id)
            await self._app(scope, receive, send)


def _begins_an_upload(method: str, path: str) -> bool:
    return path.startswith("/api/mobile/") and method in _BEGINS and not path.startswith(_PIECES)
