"""What a stream says, in which order: a snapshot or a replay first, then changes, none lost and none before its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from app.live import store
from app.live.cursor import JobCursor, ManyCursor
from app.live.frames import frame
from app.live.hub import Hub
from app.live.schemas import Reason, in_utc
from app.live.store import JobPage, Page
from app.live.subscription import Rights, Scope, Told
from app.live.timings import ROWS
from sql import Connection

NO_EVENTS = 2**31 - 1


class Gone(Exception):
    """The caller may not see the job any more."""


class Feed(Protocol):
    """The order of one stream. `behind` asks for `catch_up`."""

    behind: bool

    async def catch_up(self, reason: Reason) -> bytes: ...

    def render(self, changes: list[Told]) -> bytes: ...

    def resume_point(self) -> ManyCursor | None: ...


class ManyFeed:
    """The latest state of each of many jobs. A client drops a `seq` it knows already."""

    def __init__(self, hub: Hub, scope: Scope, rights: Rights, *, after: ManyCursor | None) -> None:
        self.behind = False
        self._hub = hub
        self._scope = scope
        self._rights = rights
        self._after = after
        self._covered: Mapping[UUID, int] = {}

    async def catch_up(self, reason: Reason) -> bytes:
        """Raises `TimeoutError` and psycopg's errors; then nothing has changed, and it can be called again."""
        after = self._after
        if after is not None and reason == "connect":
            page = await self._page("since", after)
            same = page.epoch == after.epoch and after.xmin <= page.xmin
            if same and not page.full:
                return self._covers(page, page.replay(after))
            reason = "gap" if same else "epoch"
        page = await self._page("latest", None)
        return self._covers(page, page.snapshot(reason, page.cursor))

    def render(self, changes: list[Told]) -> bytes:
        """The changes that the page read last does not hold."""
        return b"".join(told.for_many for told in changes if told.seq > self._covered.get(told.job, 0))

    def resume_point(self) -> ManyCursor | None:
        """Where a client stands that has been sent everything, however little that was."""
        return self._hub.cursor

    def _covers(self, page: Page, encoded: bytes) -> bytes:
        self._after = None
        self._covered = page.seqs
        if not page.learnt:
            page.learnt = True
            self._hub.learn(page.notices)
        return encoded

    async def _page(self, what: str, after: ManyCursor | None) -> Page:
        key = (what, self._scope, self._rights, after)
        return await self._hub.reads.read(key, self._query(after), sight=self._rights.sight)

    def _query(self, after: ManyCursor | None) -> Callable[[Connection], store.Reading[Page]]:
        rights, record = self._rights, self._scope.id if self._scope.kind == "record" else None
        allowed = {"projects": list(rights.projects), "device": rights.device}

        async def query(conn: Connection) -> Page:
            since, limit = str(after.xmin if after else 0), ROWS + 1
            if record is not None:
                return Page(await store.OF_RECORD(conn, record=record, since=since, limit=limit, **allowed))
            if after is not None:
                return Page(await store.CHANGED_SINCE(conn, since=since, limit=limit, **allowed))
            return Page(await store.LATEST(conn, limit=ROWS, **allowed))

        return query


class JobFeed:
    """Every event of one job, exactly once and in order: numbers that are missing are read from the job's history."""

    def __init__(self, hub: Hub, job: UUID, rights: Rights, *, after: JobCursor | None) -> None:
        self.behind = False
        self._hub = hub
        self._job = job
        self._rights = rights
        self._after = after

    async def catch_up(self, reason: Reason) -> bytes:
        """Raises `Gone`, `TimeoutError` and psycopg's errors; then nothing has changed, and it can be called again."""
        after = self._after
        replayed: list[bytes] = []
        while True:
            page = await self._page(NO_EVENTS if after is None else after.seq)
            if not page.notices:
                raise Gone
            now = JobCursor(page.epoch, page.notices[0].seq)
            anew = after is not None and (after.epoch != now.epoch or after.seq > now.seq)
            if after is None or anew or reason == "epoch":
                self._stands(now, page)
                return page.snapshot("epoch" if anew else reason, now)
            for view in page.events:
                after = JobCursor(page.epoch, view.seq)
                replayed.append(frame("state", in_utc(view), after))
            if len(page.events) < ROWS:
                self._stands(after, page)
                return b"".join(replayed)

    def render(self, changes: list[Told]) -> bytes:
        """The changes that follow on what was sent; at the first that does not, `behind` is set."""
        encoded: list[bytes] = []
        for told in changes:
            if self._after is None or told.seq > self._after.seq + 1:
                self.behind = True
                break
            if told.seq == self._after.seq + 1:
                encoded.append(told.for_job)
                self._after = JobCursor(self._after.epoch, told.seq)
        return b"".join(encoded)

    def resume_point(self) -> ManyCursor | None:
        return None

    def _stands(self, at: JobCursor, page: JobPage) -> None:
        self._after = at
        self.behind = False
        self._hub.learn(page.notices)

    async def _page(self, after: int) -> JobPage:
        projects, device = list(self._rights.projects), self._rights.device

        async def query(conn: Connection) -> JobPage:
            return JobPage(
                await store.OF_JOB(conn, job=self._job, after=after, limit=ROWS, projects=projects, device=device)
            )

        return await self._hub.reads.read(("job", self._job, self._rights, after), query, sight=self._rights.sight)
