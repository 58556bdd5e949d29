"""What a run under faults leaves behind: who called, what was heard, what the portal took, what was done to it, what is stored.

Logs are JSON lines, one file a kind; times are seconds since the epoch, one machine's clock for all of them.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

Phase = Literal["invoke", "ok", "fail", "info"]
"""`info`: the outcome is unknown (time-out, reset, 5xx); both are legal."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a client: it is about to ask, or was answered. `key` is the record's id, which the client made."""

    at: float
    client: str
    op: Literal["upload", "photo", "retry", "cancel", "edit"]
    key: UUID
    phase: Phase
    status: int = 0
    record: UUID | None = None
    job: UUID | None = None
    took_s: float = 0.0
    retry_after: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """A submission request as the portal saw it: the ground truth."""

    reference: str
    fence: int
    time: float
    accepted: bool
    run: str = ""
    note: str = ""
    """What was keyed into the field `note`; of runs of the stand-in only."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a stream; `connection` counts the connections of this client from 1."""

    at: float
    client: str
    follows: UUID | None
    connection: int
    event: str
    job: UUID | None = None
    seq: int = 0
    data: dict[str, Any] = {}
    reason: str = ""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something done to the system. `running`: jobs that a killed or stopped worker was running; `until`: of an outage."""

    at: float
    act: str
    target: str = ""
    running: tuple[UUID, ...] = ()
    until: float = 0.0


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    external_ref: str


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    record_id: UUID
    external_ref: str
    state: str
    wait_reason: str | None
    attempt: int
    failures: int
    max_attempts: int
    seq: int
    queue_job_id: int | None


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    job_id: UUID
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    error_code: str | None = None
    error_class: str | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    job_id: UUID
    seq: int
    at: datetime
    data: dict[str, Any]

    @property
    def state(self) -> str:
        return str(self.data["state"])


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    queue: str
    status: str


class PhotoRow(msgspec.Struct, frozen=True, kw_only=True):
    record_id: UUID
    name: str
    sha256: str


class Snapshot(msgspec.Struct, kw_only=True):
    """All rows at the end. `files` are the stored files' names with the hash of their bytes; `retries` a job's by people, `again` how often
    they ran it again."""

    records: list[RecordRow]
    jobs: list[JobRow]
    attempts: list[AttemptRow]
    events: list[EventRow]
    queue: list[QueueRow]
    intents: list[UUID] = []
    retries: dict[UUID, int] = {}
    again: dict[UUID, int] = {}
    photos: list[PhotoRow] = []
    files: dict[str, str] = {}


class History(msgspec.Struct, kw_only=True):
    """Everything the checker judges."""

    calls: list[Call]
    effects: list[Effect]
    heard: list[Heard]
    acts: list[Act]
    snapshot: Snapshot


class Log:
    """Appends lines; each is with the kernel before the call returns, so a line that promises something precedes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._lock = threading.Lock()

    def write(self, line: msgspec.Struct) -> None:
        with self._lock:
            os.write(self._fd, msgspec.json.encode(line) + b"\n")

    def sync(self) -> None:
        """Now it would also survive the machine."""
        os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


Line = TypeVar("Line", Call, Effect, Heard, Act)


def lines(path: Path, kind: type[Line]) -> list[Line]:
    """All whole lines of a log; a missing file is an empty log."""
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().split(b"\n")[:-1]]


def now() -> float:
    return time.time()
