"""JSON lines on standard error, one a record, with a stable event key beside the human sentence (docs/logs.md).

A line names the request, job or run that it is about, and holds nothing of a form: no body, no argument, and of an exception
its kind and its frames, but not its message, which quotes the value that it is about.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "event"}
FRAMES = 20
"""The innermost of a traceback; of a recursion a thousand would be alike."""
_CHAIN = 5

_about: ContextVar[Mapping[str, str | int]] = ContextVar("log_about", default=MappingProxyType({}))


@contextmanager
def about(**fields: str | int) -> Iterator[None]:
    """Every line that is logged inside, and in tasks that are started inside, has these fields, unless it says its own."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """Fields given by `extra=` beside time, level, logger, event and message; control characters escaped by JSON."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", getattr(record, "action", "log")),
            # asyncio's second line shows the exception of a lost task with its message.
            "message": message.partition("\n")[0] if record.name == "asyncio" else message,
        }
        line |= _about.get()
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["traceback"] = "".join(frames(record.exc_info[1]))
        return msgspec.json.encode(line, enc_hook=str).decode()


def frames(exc: BaseException, *, left: int = _CHAIN) -> list[str]:
    """Where it was raised, with what led to it above; kinds of exceptions without their messages."""
    before = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    lines = [*frames(before, left=left - 1), "which led to\n"] if before is not None and left else []
    lines += traceback.format_tb(exc.__traceback__, limit=-FRAMES)
    if isinstance(exc, BaseExceptionGroup) and left:
        lines += [line for each in exc.exceptions[:_CHAIN] for line in frames(each, left=left - 1)]
    return [*lines, f"{type(exc).__module__}.{type(exc).__qualname__}\n"]


def configure(level: int = logging.INFO) -> None:
    """Send every logger of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # They log whole requests, task arguments and their own comings and goings at INFO; ours say the same without them.
    for noisy in ("httpx", "httpcore", "uvicorn", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
