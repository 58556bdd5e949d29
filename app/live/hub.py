"""Joins the two sources with all streams of this process: one LISTEN, one Redis reader, fan-out in memory.

Knows which attempt of a job runs, from Postgres alone, and lets only that attempt's progress through.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import msgspec

from app.core.cache import Progress
from app.core.db import Pool
from app.jobs.states import JobState
from app.live.clock import DatabaseClock
from app.live.cursor import ManyCursor
from app.live.frames import frame
from app.live.listener import Listener
from app.live.places import Places
from app.live.progress_reader import ProgressReader
from app.live.rounds import Rounds
from app.live.schemas import Health, Notice, ProgressSource, RecordChanged, RecordNotice, Running, StatusSource
from app.live.store import Reads
from app.live.subscription import Subscription, Told
from app.live.timings import Timings

log = logging.getLogger("asbuilt.live")

REMEMBERED = 20_000
"""Jobs whose last change is remembered; of one forgotten, a repeat is sent again and progress waits for its next change."""
START_S = 4.0
"""How long a process waits at its start for both sources to answer."""


class Mark(msgspec.Struct, kw_only=True):
    """What the hub knows of a job: `told` is the last change spread, `seq` the last one known; attempt 0: not running."""

    record: UUID
    project: UUID
    device: UUID
    seq: int = 0
    told: int = 0
    attempt: int = 0


class Hub:
    """One a web process. Nothing in it waits for a client."""

    def __init__(
        self,
        database_url: str,
        redis_url: str,
        *,
        pool: Pool,
        poll_s: float,
        timings: Timings | None = None,
        pooler: bool = False,
    ) -> None:
        self.timings = msgspec.structs.replace(timings or Timings(), poll_s=poll_s)
        self.reads = Reads(pool, deadline_s=self.timings.read_s)
        self._rounds = Rounds()
        self.places = Places(self.timings, call=self._rounds.call)
        self.cursor: ManyCursor | None = None
        self.clock = DatabaseClock()
        self._health = Health(progress="degraded", status="poll")
        self._marks: OrderedDict[UUID, Mark] = OrderedDict()
        self._early: OrderedDict[UUID, Progress] = OrderedDict()
        self._shown: dict[UUID, bytes] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._status_known, self._progress_known = asyncio.Event(), asyncio.Event()
        self._listener = Listener(database_url, pool, self, timings=self.timings, pooler=pooler)
        self._reader = ProgressReader(redis_url, self, timings=self.timings) if redis_url else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Both sources run inside, and have been tried once before it begins; streams end with it at the latest."""
        self._loop = asyncio.get_running_loop()
        works = [self._listener.run(), self._rounds.run()]
        if self._reader is not None:
            works.append(self._reader.run())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await self._first_answers()
            yield
        finally:
            self.places.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=self.timings.read_s)

    def close(self) -> None:
        """End all streams at once, and take no more. May be called from a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.places.close)

    async def notify_status(self) -> str:
        return self._health.status

    async def redis_status(self) -> str:
        return "ok" if self._health.progress == "live" else "degraded"

    def hears(self) -> bool:
        """Whether changes are heard of by LISTEN."""
        return self._health.status == "listen"

    def reads_progress(self) -> bool:
        return self._health.progress == "live"

    @property
    def health_frame(self) -> bytes:
        return frame("health", self._health)

    def publish(self, notice: Notice, cursor: ManyCursor) -> None:
        """Spread a change once, however often the sources bring it. `cursor` is the resume point after it."""
        mark = self._mark(notice)
        if notice.data is None or notice.seq <= mark.told:
            return
        mark.told = notice.seq
        self._note(notice.job, mark, seq=notice.seq, attempt=_running_attempt(notice))
        told = Told(notice, cursor)
        for sub in self._audience(notice.job, mark):
            sub.offer(told, running=mark.attempt > 0)
        self._show_early(notice.job)

    def changed(self, record: RecordNotice) -> None:
        """Tell everybody whom this record concerns to read it again."""
        encoded = frame("record", RecordChanged(record_id=record.record))
        for sub in self.places.readers(record=record.record, project=record.project, device=record.device):
            sub.offer_record(record.record, encoded)

    def learn(self, notices: Iterable[Notice | Running]) -> None:
        """Take note of jobs read elsewhere. Spreads nothing: who did not read them still waits for the notification."""
        for notice in notices:
            attempt = notice.attempt if isinstance(notice, Running) else _running_attempt(notice)
            self._note(notice.job, self._mark(notice), seq=notice.seq, attempt=attempt)
            self._show_early(notice.job)

    def progress(self, progress: Progress) -> None:
        """Spread it if it is of the attempt that runs, and keep it if that attempt may yet be heard of."""
        job = progress.job_id
        mark = self._marks.get(job)
        if mark is None or progress.attempt > mark.attempt:
            self._early[job] = progress
            self._early.move_to_end(job)
            if len(self._early) > REMEMBERED:
                self._early.popitem(last=False)
        elif progress.attempt == mark.attempt and progress.record_id == mark.record:
            self._shown[job] = frame("progress", progress)
            for sub in self._audience(job, mark):
                sub.offer_progress(job, self._shown[job])

    def offer_latest_progress(self, sub: Subscription) -> None:
        """What a client that just came would otherwise see only at the next step."""
        for job, encoded in self._shown.items():
            mark = self._marks[job]
            if sub.concerns(job, record=mark.record, project=mark.project, device=mark.device):
                sub.offer_progress(job, encoded)

    def reached(self, cursor: ManyCursor) -> None:
        """All changes below the cursor have been spread."""
        if self.cursor is None or self.cursor.epoch != cursor.epoch or cursor.xmin > self.cursor.xmin:
            self.cursor = cursor

    def lost(self, cursor: ManyCursor) -> None:
        """What happened before the cursor cannot be told one by one: every stream reads a snapshot."""
        reason = "epoch" if self.cursor is not None and self.cursor.epoch != cursor.epoch else "gap"
        self.cursor = cursor
        self._marks.clear()
        self._shown.clear()
        for sub in self.places:
            sub.lose("epoch" if reason == "epoch" else "gap")

    def turn(self, *, status: StatusSource | None = None, progress: ProgressSource | None = None) -> None:
        """A source works, or does not; every client is told when that changes."""
        if status is not None:
            self._status_known.set()
        if progress is not None:
            self._progress_known.set()
        health = Health(progress=progress or self._health.progress, status=status or self._health.status)
        if health == self._health:
            return
        self._health = health
        fields = {"event": "live.health", "progress": health.progress, "status": health.status}
        log.info("live sources changed", extra=fields)
        encoded = self.health_frame
        for sub in self.places:
            sub.offer_health(encoded)

    def _mark(self, job: Notice | Running) -> Mark:
        mark = self._marks.get(job.job)
        if mark is None:
            mark = self._marks[job.job] = Mark(record=job.record, project=job.project, device=job.device)
            if len(self._marks) > REMEMBERED:
                forgotten, _ = self._marks.popitem(last=False)
                self._shown.pop(forgotten, None)
        self._marks.move_to_end(job.job)
        return mark

    def _note(self, job: UUID, mark: Mark, *, seq: int, attempt: int) -> None:
        if seq < mark.seq:
            return
        if attempt != mark.attempt:
            self._shown.pop(job, None)
        mark.seq, mark.attempt = seq, attempt

    def _show_early(self, job: UUID) -> None:
        early = self._early.pop(job, None)
        if early is not None:
            self.progress(early)

    def _audience(self, job: UUID, mark: Mark) -> list[Subscription]:
        return self.places.audience(job, record=mark.record, project=mark.project, device=mark.device)

    async def _first_answers(self) -> None:
        """A stream served before LISTEN works would begin with two snapshots, and call everything degraded."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await self._status_known.wait()
                if self._reader is not None:
                    await self._progress_known.wait()


def _running_attempt(notice: Notice) -> int:
    view = notice.data
    return view.attempt if view is not None and view.state == JobState.PROCESSING else 0
