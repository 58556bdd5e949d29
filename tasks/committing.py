"""The irreversible step, seen from the worker: the intent first (transaction A), then the job held while the one request is
in flight (transaction B). It opens the gate of a run and never decides what became of the request.
"""

from __future__ import annotations

import contextlib
import logging
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from psycopg.errors import IdleInTransactionSessionTimeout
from psycopg.types.json import Jsonb

from app.core import db
from app.core.crashpoints import crashpoint
from sql import Connection
from tasks import questions, store
from tasks.engines import errors
from tasks.engines import events as told
from tasks.engines.contract import CommitGrant, Event, RunHandle
from tasks.lease import Fenced
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

HELD = 4 / 3
"""The job is held for so many times the portal's time to answer; then its successor may ask the portal."""
SERVER = 1.2
"""The server ends the transaction of a frozen worker after so many times that."""
END_S = 3.0


class Flight:
    """Transaction B. While it is open nothing can take the attempt for lost, so nothing overtakes the request."""

    def __init__(self, shop: Workshop, claim: Claim) -> None:
        self._shop = shop
        self._claim = claim
        self._stack = AsyncExitStack()
        self._conn: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def begin(self) -> None:
        """Lock the job; trouble with the database is waited out. Raises `Fenced`: nothing may be sent."""
        if not await self._shop.patience.insist(self._lock, on="commit lock", longest_s=2.0):
            raise Fenced

    async def _lock(self) -> bool:
        await self.end()
        hold_s = self._shop.settings.submit_s * HELD
        async with AsyncExitStack() as stack:
            conn = await stack.enter_async_context(self._shop.pool.connection(deadline_s=hold_s))
            await stack.enter_async_context(conn.transaction())
            row = await store.HOLD_COMMIT(conn, job=self._claim.id, attempt=self._claim.attempt, hold_s=hold_s * SERVER)
            if row.done:
                self._conn, self._stack = conn, stack.pop_all()
            return row.done

    async def end(self, observed: told.CommitObserved | None = None) -> None:
        """Let go of the job, keeping what the portal answered. A lock that was lost meanwhile is only told of."""
        conn, self._conn = self._conn, None
        if conn is None:
            return
        try:
            with db.deadline(conn, END_S):
                async with self._stack.pop_all():
                    if observed is not None:
                        await self._note(conn, observed)
        except (*db.TROUBLE, IdleInTransactionSessionTimeout) as exc:
            said = {"event": "commit.lock_lost", "job": self._claim.id, "error": type(exc).__name__}
            log.warning("the job was not held to the end of its submission", extra=said)

    async def _note(self, conn: Connection, observed: told.CommitObserved) -> None:
        evidence = Jsonb({"status": observed.status, "location": observed.location})
        await store.NOTE_OBSERVED(conn, job=self._claim.id, attempt=self._claim.attempt, evidence=evidence)


async def open_gate(shop: Workshop, claim: Claim, run: RunHandle, event: Event, flight: Flight) -> None:
    """The intent first, committed; then the one word that lets the request out. Raises `Fenced` and `Parked`."""
    engine = shop.engine_of(claim)
    if (await engine.run(run.run_id)).status != "awaiting_commit":
        return  # an old event of a run we attached to
    request: told.CommitRequested = event.read(told.CommitRequested)
    await questions.await_approval(shop, claim, run, request)
    await crashpoint("C1", subject=claim.id)
    if not await _intend(shop, claim):
        await engine.authorize_commit(run, CommitGrant(token=request.token, attempt=claim.attempt, decision="abort"))
        raise Fenced
    await crashpoint("W4", subject=claim.id)
    await flight.begin()
    await crashpoint("C2", subject=claim.id)
    # A lost answer, or a gate that closed meanwhile, is no failure: the run's events tell what became of it.
    with contextlib.suppress(errors.ServiceUnavailable, errors.NotAwaitingCommit):
        await engine.authorize_commit(run, CommitGrant(token=request.token, attempt=claim.attempt))
    await crashpoint("W5", subject=claim.id)


async def _intend(shop: Workshop, claim: Claim) -> bool:
    """Transaction A. False: nothing may be submitted."""
    attempt = {"job": claim.id, "attempt": claim.attempt}
    if (await shop.ask(store.RECORD_INTENT, **attempt)).done:
        return True
    # An intent for this very run stands: an earlier attempt's, or ours when its answer was lost. The gate is still closed,
    # and our higher attempt keeps the earlier one out, so nothing of it was sent or can be.
    await shop.ask(store.REFUTE_INTENT, **attempt, evidence=Jsonb({"run": claim.run_key, "gate": "closed"}))
    return (await shop.ask(store.RECORD_INTENT, **attempt)).done
