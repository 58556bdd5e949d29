"""One client's place in the hub: what it asked for, what it may see, and its bounded backlog. Does no I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Literal
from uuid import UUID

import msgspec

from app.core.auth import Caller
from app.live.cursor import JobCursor, ManyCursor
from app.live.frames import frame
from app.live.schemas import Notice, Reason, in_utc

Kind = Literal["job", "record", "project", "all"]


class Scope(msgspec.Struct, frozen=True):
    """What a stream is about; `all` has no id."""

    kind: Kind
    id: UUID | None = None


class Rights(msgspec.Struct, frozen=True):
    """What a caller may see: everything of these projects, and what its own device made.

    Reads find nothing outside `sight`, whatever they ask for.
    """

    projects: tuple[UUID, ...]
    device: UUID | None = None
    sight: tuple[UUID, ...] = ()

    def allow(self, *, project: UUID, device: UUID) -> bool:
        return device == self.device or project in self.projects


def rights_of(caller: Caller) -> Rights:
    return Rights(tuple(sorted(caller.project_ids)), caller.device_id, caller.sight)


class Told:
    """A change on its way to clients, encoded once for all of them. `cursor` is the resume point after it."""

    def __init__(self, notice: Notice, cursor: ManyCursor) -> None:
        self.job = notice.job
        self.seq = notice.seq
        self._view = notice.data
        self._cursor = cursor

    @cached_property
    def for_job(self) -> bytes:
        return self._frame(JobCursor(self._cursor.epoch, self.seq))

    @cached_property
    def for_many(self) -> bytes:
        return self._frame(self._cursor)

    def _frame(self, id: JobCursor | ManyCursor) -> bytes:
        return frame("state", self._view and in_utc(self._view), id)


class Subscription:
    """A queue with an end: who does not keep up loses the backlog, is told so by `gap`, and reads a snapshot."""

    def __init__(
        self,
        scope: Scope,
        rights: Rights,
        *,
        caller: UUID,
        backlog: int,
        call: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.scope = scope
        self.rights = rights
        self.caller = caller
        self.gap: Reason | None = "connect"
        self.closed = False
        self.wake = asyncio.Event()
        self._backlog = backlog
        self._call = call
        self.at_once: Callable[[], bool] | None = None
        """While the stream only waits for news: writes them without waking it, or answers False."""
        self._told: list[Told] = []
        self._progress: dict[UUID, bytes] = {}
        self._records: dict[UUID, bytes] = {}
        self._health: bytes | None = None

    def offer(self, told: Told, *, running: bool) -> None:
        if not running:
            self._progress.pop(told.job, None)
        if self.gap is not None:
            return
        if len(self._told) >= self._backlog:
            self.lose("gap")
            return
        self._told.append(told)
        self._due()

    def offer_progress(self, job: UUID, encoded: bytes) -> None:
        """The newest of a job replaces the one not yet taken."""
        self._progress[job] = encoded
        if len(self._progress) > self._backlog:
            del self._progress[next(iter(self._progress))]
        self._due()

    def offer_record(self, record: UUID, encoded: bytes) -> None:
        """Once for each record, however often it changes; with too many of them the client reads all anew."""
        self._records[record] = encoded
        if len(self._records) > self._backlog:
            self._records.clear()
            self.lose("gap")
        self._due()

    def offer_health(self, encoded: bytes) -> None:
        self._health = encoded
        self._due()

    def lose(self, reason: Reason) -> None:
        """Events are missing from now on; the stream's next act is a snapshot. An epoch outdoes other reasons."""
        if self.gap is None or reason == "epoch":
            self.gap = reason
        self._told.clear()
        self._due()

    def _due(self) -> None:
        if self._call is None:
            self.wake.set()
        else:
            self._call(self.stir)

    def stir(self) -> None:
        """The stream has something to say."""
        if self.at_once is None or not self.at_once():
            self.wake.set()

    def resume(self) -> None:
        """Take events again; to be called before the snapshot is read."""
        self.gap = None

    def close(self) -> None:
        self.closed = True
        self.wake.set()

    def concerns(self, job: UUID, *, record: UUID, project: UUID, device: UUID) -> bool:
        """Whether a change of this job is for this client."""
        wanted = {"job": job, "record": record, "project": project, "all": None}[self.scope.kind]
        return self.scope.id == wanted and self.rights.allow(project=project, device=device)

    def take_told(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def take_rest(self) -> list[bytes]:
        """Health and progress; they follow the changes, so that nobody hears of an attempt before its beginning."""
        progress, self._progress = self._progress, {}
        records, self._records = self._records, {}
        return [*self.take_health(), *records.values(), *progress.values()]

    def take_health(self) -> list[bytes]:
        health, self._health = self._health, None
        return [health] if health else []

    @property
    def idle(self) -> bool:
        """Whether the client has been given every change."""
        return not self._told and self.gap is None
