"""Rows of the stream: snapshots and replays read from Postgres, a few at a time and shared by all who want the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from app.core.db import Pool
from app.jobs.schemas import JobView
from app.live.cursor import JobCursor, ManyCursor
from app.live.frames import frame, mark
from app.live.schemas import Notice, Reason, Running, Snapshot, in_utc
from app.live.timings import ROWS
from sql import Connection, load

T = TypeVar("T")
Reading = Coroutine[Any, Any, T]


class PageRow(msgspec.Struct, frozen=True, kw_only=True):
    epoch: UUID
    xmin: int
    jobs: str


class JobPageRow(msgspec.Struct, frozen=True, kw_only=True):
    epoch: UUID
    xmin: int
    jobs: str | None
    events: str


class PingRow(msgspec.Struct, frozen=True, kw_only=True):
    epoch: UUID
    xmin: int
    sent: str
    now: float


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    data: str


class IdRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


_Q = load("live")
LISTEN = _Q.exec("listen")
LISTEN_SELF = _Q.exec("listen_self")
LISTEN_RECORDS = _Q.exec("listen_records")
PING = _Q.one("ping", PingRow)
RUNNING = _Q.one("running", PageRow)
CHANGED_ANYWHERE = _Q.one("changed_anywhere", PageRow)
CHANGED_SINCE = _Q.one("changed_since", PageRow)
LATEST = _Q.one("latest", PageRow)
OF_RECORD = _Q.one("of_record", PageRow)
OF_JOB = _Q.one("of_job", JobPageRow)
EVENT_DATA = _Q.opt("event_data", EventRow)
RECORD_VISIBLE = _Q.opt("record_visible", IdRow)
JOB_VISIBLE = _Q.opt("job_visible", IdRow)

_notices = msgspec.json.Decoder(list[Notice])
_running = msgspec.json.Decoder(list[Running])
_views = msgspec.json.Decoder(list[JobView])
_view = msgspec.json.Decoder(JobView)


class Page:
    """Jobs as they stood at one moment. Shared by many streams, so its bytes are made once."""

    def __init__(self, row: PageRow | JobPageRow) -> None:
        self.epoch = row.epoch
        self.xmin = row.xmin
        self.notices = [n for n in _notices.decode(row.jobs or "[]") if n.data is not None]
        self.learnt = False
        """Whether the hub has taken note of it."""
        self._snapshots: dict[Reason, bytes] = {}
        self._replays: dict[ManyCursor, bytes] = {}

    @cached_property
    def seqs(self) -> dict[UUID, int]:
        """How far the page covers each of its jobs."""
        return {notice.job: notice.seq for notice in self.notices}

    @property
    def full(self) -> bool:
        """Whether there was more than it holds."""
        return len(self.notices) > ROWS

    @property
    def cursor(self) -> ManyCursor:
        """The resume point of who has seen this page."""
        return ManyCursor(self.epoch, self.xmin)

    def snapshot(self, reason: Reason, id: JobCursor | ManyCursor) -> bytes:
        """All of it as one event; `id` belongs to the page's place, so it is the same for all who share it."""
        if reason not in self._snapshots:
            jobs = [in_utc(notice.data) for notice in self.notices[:ROWS] if notice.data]
            self._snapshots[reason] = frame("snapshot", Snapshot(jobs=jobs, reason=reason), id)
        return self._snapshots[reason]

    def replay(self, since: ManyCursor) -> bytes:
        """A `state` a job. Only the last one moves the resume point: a client may be cut off in the middle."""
        if since not in self._replays:
            views = [in_utc(notice.data) for notice in self.notices if notice.data]
            frames = [frame("state", view, since) for view in views[:-1]]
            frames += [frame("state", view, self.cursor) for view in views[-1:]]
            self._replays[since] = b"".join(frames) or mark(self.cursor)
        return self._replays[since]


class JobPage(Page):
    """One job with some of its events. Without notices the caller may not see the job (any more)."""

    def __init__(self, row: JobPageRow) -> None:
        super().__init__(row)
        self.events = _views.decode(row.events)


def running(row: PageRow) -> list[Running]:
    return _running.decode(row.jobs)


async def event_view(conn: Connection, notice: Notice) -> JobView | None:
    """The view that a notification could not carry."""
    row = await EVENT_DATA(conn, job=notice.job, seq=notice.seq)
    return _view.decode(row.data) if row else None


async def within(seconds: float, work: Reading[T]) -> T:
    """The result, or `TimeoutError` at the deadline even when the work cannot be cancelled in time.

    psycopg cancels a statement on a frozen server for ten seconds; nobody here waits for that.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            _left_behind.add(task)
            task.add_done_callback(_forget)
            task.cancel()
    if task in _left_behind:
        raise TimeoutError
    return task.result()


_left_behind: set[asyncio.Future[Any]] = set()


def _forget(task: asyncio.Future[Any]) -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()


class Reads:
    """Reads for streams. At most a few run at once, so that uploads find a connection; equal ones are shared.

    A read is shared only by those who asked before its statement began: each asker subscribed before it asked, so no
    change falls between its snapshot and its events.
    """

    def __init__(self, pool: Pool, *, deadline_s: float, at_once: int = 2) -> None:
        self._pool = pool
        self._deadline_s = deadline_s
        self._turn = asyncio.Semaphore(at_once)
        self._waiting: dict[Hashable, asyncio.Task[Any]] = {}

    async def read(self, key: Hashable, query: Callable[[Connection], Reading[T]], *, sight: Sequence[UUID]) -> T:
        """What `query` finds in the projects in sight; the key tells those apart. Raises `TimeoutError` and psycopg's errors."""
        task: asyncio.Task[T] | None = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._run(key, query, sight))
            task.add_done_callback(_forget)
            self._waiting[key] = task
        # One asker that leaves must not take the read away from the others.
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, query: Callable[[Connection], Reading[T]], sight: Sequence[UUID]) -> T:
        try:
            await self._turn.acquire()
        finally:
            del self._waiting[key]
        try:
            return await within(self._deadline_s, self._query(query, sight))
        finally:
            self._turn.release()

    async def _query(self, query: Callable[[Connection], Reading[T]], sight: Sequence[UUID]) -> T:
        async with self._pool.reading(sight) as conn:
            return await query(conn)
