"""What the portal account asks of an attempt before its run starts; who may run at all is decided in SQL, before the claim."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from tasks import store
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


async def await_start(shop: Workshop, claim: Claim) -> None:
    """Wait, under the lease, for the start that the account's rate grants; a run that has begun already waits for nothing."""
    wait_s = (await shop.ask(store.RESERVE_START, job=claim.id, attempt=claim.attempt)).wait_s
    if wait_s > 0:
        said = {"job": claim.id, "attempt": claim.attempt, "wait_s": round(wait_s, 3)}
        log.info("the run waits for its start", extra={"event": "attempt.paced", **said})
        await asyncio.sleep(wait_s)


async def turned_away(shop: Workshop, job_id: UUID) -> bool:
    """Whether a claim was refused because the account takes no run now: the job is back in line, and nothing was spent."""
    refused = (await shop.ask(store.TURNED_AWAY, job=job_id)).done
    if refused:
        log.info("the job waits for its portal account", extra={"event": "attempt.turned_away", "job": job_id})
    return refused
