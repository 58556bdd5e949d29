"""Procrastinate's job manager for a worker that survives: fetches never fail, finishes land, unknown tasks wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container, Iterable

from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg import errors

from app.core.crashpoints import crashpoint
from sql import load
from tasks.company import Company
from tasks.listening import HardenedConnector
from tasks.patience import FIRST_S, LAST_S, TROUBLE, Patience, first_of, told

log = logging.getLogger("asbuilt.worker")

FAREWELL_S = 2.0

PUT_BACK = load("queue").exec("put_back")


class Wakeup(asyncio.Event):
    """Procrastinate clears its event after a fetch, and with it a notification that came during the fetch."""

    def clear(self) -> None:
        """Nothing: see `take`."""

    def take(self) -> None:
        """Before a fetch: whatever is notified from now on is a reason to fetch again."""
        super().clear()


class HardenedManager(JobManager):
    """One a worker, which gives it `known` tasks, its `stopping`, and what to do when it is `registered` again."""

    def __init__(self, connector: HardenedConnector, *, patience: Patience, company: Company) -> None:
        super().__init__(connector)
        self._pool_of = connector
        self.patience = patience
        self.company = company
        self.wakeup = Wakeup()
        self.stopping = asyncio.Event()
        self.known: Container[str] = ()
        self.registered: Callable[[int], None] = lambda _: None
        self.has_place: Callable[[str], bool] = lambda _: True
        self.narrowed = False
        """Whether the last fetch left a queue out, because its places were taken."""

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Trouble is waited out here; None when there is nothing to do, or no more is wanted."""
        pause_s = FIRST_S
        await first_of(self.company.open, self.stopping)
        while not self.stopping.is_set():
            self.wakeup.take()
            try:
                job = await self._fetch(queues, worker_id)
                if job is None or job.task_name in self.known:
                    return job
                await self._put_back(job)
            except TROUBLE as exc:
                log.warning("a fetch failed", extra={"event": "fetch.trouble", **told(exc)})
                if isinstance(exc.__cause__, errors.ForeignKeyViolation):
                    # Another worker took us for dead and removed our row.
                    worker_id = await self.patience.insist(self.register_worker, on="register")
                    self.registered(worker_id)
                await first_of(self.stopping, within_s=pause_s)
                pause_s = min(2 * pause_s, LAST_S)
        return None

    async def _fetch(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        wanted = list(queues or ())
        asked = [queue for queue in wanted if self.has_place(queue)]
        self.narrowed = asked != wanted
        if not asked:
            return None
        with self.company.fetching():
            job = await super().fetch_job(asked, worker_id)
            if job is not None and job.id is not None and job.task_name in self.known:
                self.company.enter(job.id)
                await crashpoint("W1", subject=job.task_kwargs.get("automation_job_id"))
        return job

    async def finish_job_by_id_async(self, job_id: int, status: Status, delete_job: bool) -> None:
        """Lands, or finds that the row is not ours any more; raises only once the process has given up."""
        finish = super().finish_job_by_id_async

        async def once() -> None:
            try:
                await finish(job_id, status, delete_job)
            except ConnectorException as exc:
                if not isinstance(exc.__cause__, errors.RaiseException):
                    raise
                log.info("the queue row was spent already", extra={"event": "finish.spent", "queue_row": job_id})

        await crashpoint("W8", subject=job_id)
        await self.patience.insist(once, on="finish")

    async def unregister_worker(self, worker_id: int) -> None:
        """A row that stays is pruned by the next worker to start."""
        if self.patience.over.is_set():
            return
        try:
            async with asyncio.timeout(FAREWELL_S):
                await super().unregister_worker(worker_id)
        except (*TROUBLE, TimeoutError) as exc:
            log.warning("the worker's row stays", extra={"event": "worker.unregister", **told(exc)})

    async def _put_back(self, job: Job) -> None:
        log.warning("unknown task", extra={"event": "fetch.unknown", "task": job.task_name, "queue_row": job.id})
        async with self._pool_of.pool.connection() as conn:
            await PUT_BACK(conn, id=job.id)
