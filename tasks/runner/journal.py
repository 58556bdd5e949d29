"""The events of one run: in memory for its readers, and in an append-only file so that a restart knows the run."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from tasks.engines.contract import Event, RunSpec


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """First line of a run's file. The record's fields stay out of it: a restart never keys anything."""

    run_id: str
    key: str
    fingerprint: str
    job_id: str
    portal: str
    account: str
    external_ref: str
    attempt: int
    created_at: datetime
    deadline: datetime | None = None

    @classmethod
    def of(cls, spec: RunSpec, *, run_id: str, key: str, fingerprint: str) -> Head:
        return cls(
            run_id=run_id,
            key=key,
            fingerprint=fingerprint,
            job_id=str(spec.job_id),
            portal=spec.portal,
            account=spec.account,
            external_ref=spec.external_ref,
            attempt=spec.attempt,
            created_at=datetime.now(UTC),
            deadline=spec.deadline,
        )


class Journal:
    """Appends with dense numbers from 1 and wakes whoever waits for the next one."""

    def __init__(self, path: Path, head: Head) -> None:
        self.path = path
        self.head = head
        self.last_seq = 0
        self._events: list[Event] | None = []
        self._changed = asyncio.Event()
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """Write the head of a new run."""
        self._write(msgspec.json.encode(self.head))

    def append(self, kind: str, data: dict[str, object], *, attempt: int) -> Event:
        event = Event(
            seq=self.last_seq + 1,
            run_id=self.head.run_id,
            type=kind,
            at=datetime.now(UTC),
            attempt=attempt,
            data=data,
        )
        self._write(msgspec.json.encode(event))
        self.last_seq = event.seq
        if self._events is not None:
            self._events.append(event)
        self.wake()
        return event

    def beyond(self, seq: int) -> list[Event]:
        """All events after a number; of a released run they are read from its file."""
        events = self._events if self._events is not None else _read(self.path)
        return events[seq:]

    async def wait(self, seq: int, *, patience_s: float) -> bool:
        """Until there is an event after `seq`, or somebody calls `wake`; False when the patience runs out first."""
        if self.last_seq > seq:
            return True
        try:
            await asyncio.wait_for(self._changed.wait(), patience_s)
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Let every waiter look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def sync(self) -> None:
        """On disk when this returns."""
        if self._file is not None:
            await asyncio.to_thread(os.fsync, self._file.fileno())

    def release(self) -> None:
        """The run is over: let go of its file and of its events in memory."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._events = None

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(line + b"\n")
        self._file.flush()


def reopen(path: Path) -> Journal | None:
    """The journal of an earlier process; a torn last line is cut off. None when not even the head is whole."""
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.truncate(path, len(whole))
    if not whole:
        return None
    journal = Journal(path, msgspec.json.decode(whole[: whole.index(b"\n")], type=Head))
    journal.last_seq = whole.count(b"\n") - 1
    journal.release()
    return journal


def _read(path: Path) -> list[Event]:
    return [msgspec.json.decode(line, type=Event) for line in path.read_bytes().split(b"\n")[1:] if line]
