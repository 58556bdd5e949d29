"""Resume points: what `Last-Event-ID` means. `<epoch>-<seq>` on a job's stream, `<epoch>:<xmin>` on all others."""

from __future__ import annotations

import re
from uuid import UUID

import msgspec

from app.core.errors import MalformedRequest

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OF_JOB = re.compile(rf"({_UUID})-([0-9]{{1,10}})", re.ASCII)
_OF_MANY = re.compile(rf"({_UUID}):([0-9]{{1,18}})", re.ASCII)
_LAST_SEQ = 2**31 - 1


class JobCursor(msgspec.Struct, frozen=True):
    """All events of one job up to `seq` have been seen."""

    epoch: UUID
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


class ManyCursor(msgspec.Struct, frozen=True):
    """All changes by transactions below `xmin` have been seen."""

    epoch: UUID
    xmin: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.xmin}"


def job_cursor(text: str) -> JobCursor | None:
    """None for an empty text. Raises `MalformedRequest`."""
    if not text:
        return None
    match = _OF_JOB.fullmatch(text)
    if match is None or int(match[2]) > _LAST_SEQ:
        raise MalformedRequest("Last-Event-ID is none of this job's stream")
    return JobCursor(UUID(match[1]), int(match[2]))


def many_cursor(text: str) -> ManyCursor | None:
    """None for an empty text. Raises `MalformedRequest`."""
    if not text:
        return None
    match = _OF_MANY.fullmatch(text)
    if match is None:
        raise MalformedRequest("Last-Event-ID is none of this stream")
    return ManyCursor(UUID(match[1]), int(match[2]))
