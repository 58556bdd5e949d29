"""What is logged while an attempt runs, kept with the attempt: messages only, the latest of them, within bounds.

A line has a time, a level, an event key and a message; never the fields beside it, which may hold what was keyed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import psycopg

from tasks import store
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

LINES = 1000
BYTES = 64 * 2**10
LINE_BYTES = 1000

_current: ContextVar[AttemptLog | None] = ContextVar("attempt_log", default=None)


class AttemptLog:
    """The lines of one attempt, oldest first. The database refuses more than `BYTES`."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0

    def add(self, line: str) -> None:
        """Take a line in, and drop the oldest ones for it when there is no room."""
        # NUL cannot be stored, and a message of several lines is still one.
        text = line.replace("\0", "").replace("\r", " ").replace("\n", " ")
        data = text.encode("utf-8", "replace")[:LINE_BYTES]
        self._lines.append(data)
        self._bytes += len(data) + 1
        while len(self._lines) > LINES - 1 or self._bytes > BYTES - LINE_BYTES:
            self._bytes -= len(self._lines.popleft()) + 1
            self._dropped += 1

    def text(self) -> str:
        """All lines; the first says how many are left out, if any."""
        head = [f"… {self._dropped} earlier lines are left out"] if self._dropped else []
        return "\n".join(head + [line.decode("utf-8", "ignore") for line in self._lines])


class _Keeper(logging.Handler):
    """Gives each record of the product's own loggers to the attempt in whose task it was logged."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _current.get()
        if lines is not None:
            at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            event = getattr(record, "event", "log")
            lines.add(f"{at.replace('+00:00', 'Z')} {record.levelname.lower()} {event} {record.getMessage()}")


_keeper = _Keeper()


@asynccontextmanager
async def kept(shop: Workshop, queue_job_id: int) -> AsyncIterator[None]:
    """Collect what the block logs, and every task that it starts, and keep it with the attempt of this queue row.

    A log that cannot be kept fails no attempt.
    """
    with collecting() as lines:
        try:
            yield
        finally:
            try:
                async with shop.pool.connection() as conn:
                    await store.KEEP_LOG(conn, queue_job=queue_job_id, worker=shop.worker, log=lines.text())
            except psycopg.Error as exc:
                log.warning("a log was not kept", extra={"event": "attempt.log", "error": type(exc).__name__})


@contextmanager
def collecting() -> Iterator[AttemptLog]:
    """Collect what the block logs, and every task that it starts."""
    logging.getLogger("asbuilt").addHandler(_keeper)  # the same handler twice is one
    lines = AttemptLog()
    token = _current.set(lines)
    try:
        yield lines
    finally:
        _current.reset(token)


def so_far() -> str:
    """What the attempt of this task has logged."""
    lines = _current.get()
    return "" if lines is None else lines.text()
