"""The wire shapes of the stream, and of what the sources bring. `state` carries a `JobView`, `progress` a `Progress`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec

from app.jobs.schemas import JobView

Reason = Literal["connect", "gap", "epoch"]
StatusSource = Literal["listen", "poll"]
ProgressSource = Literal["live", "degraded"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Event `health`: whether progress arrives, and whether status is told at once or asked for every few seconds."""

    progress: ProgressSource
    status: StatusSource


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Event `snapshot`: jobs as they stand. After `gap` events were lost; after `epoch` everything known is void."""

    jobs: list[JobView]
    reason: Reason


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stood after change `seq`; `data` is missing from a notification that would have been too large."""

    job: UUID
    record: UUID
    project: UUID
    device: UUID
    seq: int
    xmin: str = "0"
    data: JobView | None = None


class RecordNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A record whose content, review, findings, photos or comments have changed."""

    record: UUID
    project: UUID
    device: UUID


class RecordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Event `record`: read this one again. Without an id, so after a break of the stream a page reads it anyway."""

    record_id: UUID


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is being processed."""

    job: UUID
    record: UUID
    project: UUID
    device: UUID
    seq: int
    attempt: int


_TIMES = tuple(field.name for field in msgspec.structs.fields(JobView) if field.type in (datetime, datetime | None))


def in_utc(view: JobView) -> JobView:
    """SQL writes times in the time zone of whichever session made the change; the wire knows UTC only."""
    times: dict[str, datetime | None] = {name: getattr(view, name) for name in _TIMES}
    return msgspec.structs.replace(view, **{name: at and at.astimezone(UTC) for name, at in times.items()})
