"""The guarded half: real records through real workers. Watches their attempts and strikes them."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

import httpx
import msgspec
from psycopg import AsyncConnection

from app.local.samples import samples
from app.local.sending import send
from app.local.torture.chaos import Chaos, Strike, Tally
from app.local.torture.stage import Stage
from sql import Connection, load

OPEN = frozenset({"queued", "processing", "retrying", "awaiting_media"})
SPARED = 2
"""A job lost with three workers in a row is taken for one that kills them, rightly; two is as far as a strike may go."""
_PENDING_S = 6.0
"""How long a loss may take to be counted: a lease, a sweep, and a claim."""
_LOOK_S = 0.1
_AT_ONCE = 4


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that runs now."""

    job_id: UUID
    attempt: int
    worker: str
    reference: str

    @property
    def process(self) -> int:
        return int(self.worker.rpartition(":")[2])


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    reference: str
    state: str
    wait_reason: str | None
    attempt: int
    interruptions: int
    error_code: str | None
    confirmation: str | None
    how: str | None


_Q = load("torture")
OPEN_ATTEMPTS = _Q.many("open_attempts", AttemptRow)
TORTURED_JOBS = _Q.many("tortured_jobs", JobRow)


async def upload(stage: Stage, *, count: int, seed: int) -> None:
    """So many records, as phones send them. Raises `Refused` and `httpx.TransportError`."""
    places = asyncio.Semaphore(_AT_ONCE)
    drawn = samples(count, project="demo", now=datetime.now(UTC), seed=seed, sketch=True)
    async with (
        httpx.AsyncClient(base_url=stage.plan.url, timeout=60, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(count):
            await places.acquire()
            sample = await asyncio.to_thread(next, drawn)
            sending = group.create_task(send(client, sample, token=stage.token))
            sending.add_done_callback(lambda _: places.release())


def _in_order(jobs: list[JobRow]) -> list[JobRow]:
    return sorted(jobs, key=lambda job: job.reference)


class Guarded:
    """Follows all attempts to their jobs' end."""

    def __init__(self, stage: Stage, chaos: Chaos) -> None:
        self._stage = stage
        self._chaos = chaos
        self._numbers: dict[str, int] = {}
        self._open: dict[tuple[UUID, int], AttemptRow] = {}
        self._ended: dict[tuple[UUID, int], asyncio.Event] = {}
        self._strikes: set[asyncio.Task[None]] = set()
        self._struck_at: dict[str, float] = {}
        self.jobs: list[JobRow] = []
        self.tally = Tally()

    @property
    def done(self) -> int:
        return sum(job.state not in OPEN for job in self.jobs)

    async def run(self) -> None:
        """Until every job has ended or waits for a person."""
        url = self._stage.plan.database_url
        try:
            async with await AsyncConnection.connect(url, autocommit=True, connect_timeout=30) as conn:
                self.jobs = _in_order(await TORTURED_JOBS(conn))
                self._numbers = {job.reference: n for n, job in enumerate(self.jobs)}
                while self.done < len(self.jobs):
                    await self._look(conn)
                    await asyncio.sleep(_LOOK_S)
        finally:
            for strike in self._strikes:
                strike.cancel()
            await asyncio.gather(*self._strikes, return_exceptions=True)

    async def _look(self, conn: Connection) -> None:
        now = {(row.job_id, row.attempt): row for row in await OPEN_ATTEMPTS(conn)}
        for key in self._open.keys() - now.keys():
            self._ended.pop(key).set()
        begun = now.keys() - self._open.keys()
        self._open = now
        for key in begun:
            self._ended[key] = asyncio.Event()
            self._expose(now[key])
        self.jobs = _in_order(await TORTURED_JOBS(conn))
        self.tally.attempts = sum(job.attempt for job in self.jobs)

    def _expose(self, row: AttemptRow) -> None:
        strike = self._chaos.strike(f"guarded {self._numbers[row.reference]}", row.attempt)
        if strike is None:
            return
        carried = self._chaos.carry_out(
            strike,
            self.tally,
            process=row.process,
            runner=self.runner_to_kill,
            goes_on=lambda: self._may_be_struck(row, strike),
            overtaken=self._ended[row.job_id, row.attempt],
        )
        task = asyncio.create_task(carried)
        self._strikes.add(task)
        task.add_done_callback(self._strikes.discard)

    def _may_be_struck(self, row: AttemptRow, strike: Strike) -> bool:
        if (row.job_id, row.attempt) not in self._open or not self._stage.has_worker(row.process):
            return False
        if strike.kind == "runner":
            return True
        if not self._bears(row.reference):
            return False
        self._struck_at[row.reference] = time.monotonic()
        return True

    def runner_to_kill(self) -> int | None:
        """The automation service's process, if every job bears the loss of its run."""
        unfinished = [job.reference for job in self.jobs if job.state in OPEN]
        if not all(map(self._bears, unfinished)):
            return None
        now = time.monotonic()
        self._struck_at |= {row.reference: now for row in self._open.values()}
        return self._stage.runner()

    def _bears(self, reference: str) -> bool:
        """Whether one more loss, beside the one that may not be counted yet, is still fewer than three."""
        pending = time.monotonic() - self._struck_at.get(reference, 0.0) < _PENDING_S
        counted = self.jobs[self._numbers[reference]].interruptions
        return counted + pending < SPARED
