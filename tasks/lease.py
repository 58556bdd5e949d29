"""The lease of an attempt: renewed while it works, also in a drain, and the end of the attempt when it cannot be.

The worker stops acting before the lease could have run out, whatever its clock says: trust is counted on the monotonic
clock from the moment before the last renewal that succeeded was sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from app.core import db
from tasks import store
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

Result = TypeVar("Result")

MARGIN = 10 / 45
"""Part of the lease that is never trusted: ten seconds of the default lease."""


class Fenced(Exception):
    """Another attempt has the job, or it was closed: nothing of this one may be written or sent any more."""


async def end(task: asyncio.Future[Any]) -> None:
    """Cancel until it has ended. Once is not enough: on Python 3.11 psycopg waits by `asyncio.wait_for`, which drops a
    cancellation that comes together with its result, and the work would go on without a lease.
    """
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=0.2)
        except asyncio.CancelledError as exc:
            interrupted = exc
    if not task.cancelled():
        task.exception()
    if interrupted is not None:
        raise interrupted


async def undisturbed(work: Coroutine[Any, Any, Result]) -> Result:
    """Do it to its end, however often this is cancelled meanwhile; the cancellations are dropped."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    return task.result()


class Lease:
    """Holds one attempt. `on_cancel` is called once, when a person asked to cancel the job."""

    def __init__(self, shop: Workshop, claim: Claim) -> None:
        self._shop = shop
        self._claim = claim
        self._length_s = shop.settings.lease_s
        self._trusted_until = time.monotonic() + self._length_s * (1 - MARGIN)
        self.on_cancel: Callable[[], Awaitable[None]] | None = None

    async def hold(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do the work while the lease lasts. Raises `Fenced` when it is lost, and the work is cancelled at once."""
        doing = asyncio.ensure_future(work)
        renewing = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait({doing, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise Fenced
        finally:
            await end(doing)
            await end(renewing)

    async def _renew(self) -> None:
        """Ends when the lease is lost."""
        told = False
        while time.monotonic() < self._trusted_until:
            await asyncio.sleep(min(self._shop.settings.heartbeat_s, self._trusted_until - time.monotonic()))
            sent_at = time.monotonic()
            row = await self._ask()
            if isinstance(row, store.LeaseRow):
                self._trusted_until = sent_at + self._length_s * (1 - MARGIN)
                if row.cancel_requested and self.on_cancel is not None and not told:
                    told = True
                    await self.on_cancel()
            elif row == "over":
                return

    async def _ask(self) -> store.LeaseRow | str:
        """Renew once, within what is left of the trust; trouble with the database is no answer."""
        try:
            async with self._shop.pool.connection(timeout=self._left()) as conn:
                with db.deadline(conn, self._left()):
                    row = await store.RENEW_LEASE(
                        conn, job=self._claim.id, attempt=self._claim.attempt, lease_s=self._length_s
                    )
        except db.TROUBLE as exc:
            log.warning("a lease was not renewed", extra={"event": "lease.trouble", "error": type(exc).__name__})
            await asyncio.sleep(min(0.5, self._length_s / 20, self._left()))
            return "unknown"
        return "over" if row is None else row

    def _left(self) -> float:
        """Seconds of trust, at least a little."""
        return max(self._trusted_until - time.monotonic(), 0.05)
