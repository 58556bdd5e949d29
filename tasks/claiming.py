"""The first act of a task: claim the next attempt of its job. It waits for a job that is held, and spends nothing by it."""

from __future__ import annotations

import logging
from uuid import UUID

from psycopg.errors import LockNotAvailable

from sql import Connection
from tasks import store
from tasks.patience import first_of
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

PAUSE_S = 2.0


class _Held:
    """Somebody else has the job's row."""


async def claim(shop: Workshop, job_id: UUID, queue_job_id: int) -> Claim | None:
    """The attempt that is ours now; None when the queue row is not the job's any more.

    While an attempt before has its submission in flight it keeps the job's row locked, and nothing overtakes it. Raises
    `LockNotAvailable` when the process gives up meanwhile.
    """
    asked = {"job": job_id, "queue_job": queue_job_id, "worker": shop.worker, "lease_s": shop.settings.lease_s}
    while isinstance(answer := await shop.ask(_once, **asked), _Held):
        if shop.patience.over.is_set():
            raise LockNotAvailable
        said = {"event": "attempt.held_off", "code": "PREVIOUS_ATTEMPT_IN_COMMIT", "job": job_id}
        log.info("the job is held, as by a submission in flight; its next attempt waits", extra=said)
        await first_of(shop.patience.over, within_s=PAUSE_S)
    return answer


async def _once(conn: Connection, **asked: object) -> Claim | _Held | None:
    try:
        return await store.CLAIM(conn, **asked)
    except LockNotAvailable:
        return _Held()
