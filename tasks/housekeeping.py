"""The worker's own loops, beside its jobs: the timer of due retries and of probes at portals, the reconciler, the comparer, and the keeper."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import msgspec
from psycopg.errors import LockNotAvailable, QueryCanceled

from app.core.crashpoints import before_commit
from app.core.db import TROUBLE, Pool
from tasks import store
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

BATCH_S = 0.08
"""What a batch of retention may take; with it, its rows are free again within a tenth of a second."""
COMPARED_AT_ONCE = 20
"""Photos in one transaction: it holds the jobs on which it found something, and is to be over in a tenth of a second."""


class Timer:
    """Sleeps until the earliest due retry or probe, or until a settled attempt says that there may be an earlier one."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def loop(self) -> None:
        """Run until cancelled; trouble with the database is waited out."""
        while True:
            self._shop.due.clear()
            try:
                wait_s = await self.promote()
            except TROUBLE as exc:
                log.warning("due retries wait", extra={"event": "timer.database", "error": type(exc).__name__})
                wait_s = 1.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._shop.due.wait()

    async def promote(self) -> float:
        """Make what is due runnable; answers the seconds to sleep, at most those of a sweep."""
        async with self._shop.pool.connection() as conn:
            # Two statements: the second takes the accounts' gates otherwise than the first, which must have let go of them.
            await store.PROMOTE_PROBES(conn)
            next_s = (await store.PROMOTE_DUE(conn)).next_s
        # Another worker may settle an attempt whose retry is due earlier than all we know of.
        longest = self._shop.settings.reconcile_s
        return longest if next_s is None else min(max(next_s, 0.01), longest)


class Reconciler:
    """Sweeps over what lost workers, lost connections and edits by hand leave behind."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def loop(self) -> None:
        """Run until cancelled."""
        await _again_and_again(self._shop, self.sweep, event="reconcile.database")

    async def sweep(self) -> list[store.RepairRow]:
        """One sweep; answers what it mended. Nothing, while another worker is at it."""
        settings = self._shop.settings
        async with self._shop.pool.connection() as conn, before_commit(conn, "S1"):
            repairs = await store.RECONCILE(conn, grace_s=settings.lease_s)
        for repair in repairs:
            log.warning(
                "a job was mended", extra={"event": "reconcile.mended", "kind": repair.kind, "job": repair.job_id}
            )
        return repairs


class Comparer:
    """Compares new photos with those of other records of their project, so that no upload waits for it."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def loop(self) -> None:
        """Run until cancelled."""
        await _again_and_again(self._shop, self.sweep, event="compare.database")

    async def sweep(self) -> int:
        """All that are new, a batch at a time; how many there were. Nothing, while another worker is at it."""
        done, more = 0, COMPARED_AT_ONCE
        while more == COMPARED_AT_ONCE:
            async with self._shop.pool.connection() as conn:
                more = (await store.COMPARE_PHOTOS(conn, most=COMPARED_AT_ONCE)).done
            done += more
        return done


class Keeper:
    """Removes what is kept long enough, as the table `retention` says: in small transactions, and one worker at a time."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def loop(self) -> None:
        """Run until cancelled."""
        await _again_and_again(self._shop, self.round, event="retention.database")

    async def round(self) -> int:
        """All that is due; how many rows. Nothing, when another worker had this round."""
        async with self._shop.pool.connection() as conn:
            policies = await store.RETENTION_TURN(conn, pause_s=self._shop.settings.retention_s)
        return sum([await self._apply(policy) for policy in policies])

    async def _apply(self, policy: store.PolicyRow) -> int:
        removed = sum([batch.removed async for batch in batches(self._shop.pool, policy)])
        if removed:
            said = {"event": "retention.removed", "what": policy.what, "outcome": policy.outcome, "rows": removed}
            log.info("what was kept long enough was removed", extra=said)
        return removed


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction removed, and for how long it may have held it."""

    removed: int
    took_s: float


async def batches(pool: Pool, policy: store.PolicyRow) -> AsyncGenerator[Batch]:
    """One after the other, until nothing is due any more. One that is cut short has removed nothing, and comes again half as large.

    Ends early when somebody works on the rows by hand, or a single one takes too long: the next round finds them again.
    """
    begins, more, size = True, True, policy.batch
    while more and size > 0:
        began, removed = time.monotonic(), 0
        try:
            async with pool.brief(BATCH_S) as conn, before_commit(conn, "T1", subject=policy.what):
                done = await store.RETAIN(conn, what=policy.what, outcome=policy.outcome, begins=begins, batch=size)
            removed, begins, more, size = done.removed, False, done.more, done.next_batch
        except LockNotAvailable:
            return
        except QueryCanceled:
            said = {"event": "retention.cut", "what": policy.what, "outcome": policy.outcome, "rows": size}
            log.warning("a batch of retention took too long", extra=said)
            size //= 2
        batch = Batch(removed=removed, took_s=time.monotonic() - began)
        yield batch
        # Now that nothing is held: a batch that met a full buffer of the log would wait for the disk where the server cannot cut it.
        async with pool.connection() as conn:
            await store.FLUSH_LOG(conn)
        # Half of the time is everybody else's.
        await asyncio.sleep(batch.took_s)


async def _again_and_again(shop: Workshop, sweep: Callable[[], Awaitable[object]], *, event: str) -> None:
    """Sweep every `reconcile_s`; trouble with the database is waited out, and logged as `event`."""
    while True:
        try:
            await sweep()
        except TROUBLE as exc:
            log.warning("a sweep failed", extra={"event": event, "error": type(exc).__name__})
        await asyncio.sleep(shop.settings.reconcile_s)
