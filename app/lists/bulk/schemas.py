"""The wire shapes of bulk acts."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.jobs.states import JobState
from app.lists.schemas import RecordFilter

Act = Literal["retry", "hold", "release", "cancel"]
MOST = 200
"""Jobs that one request acts on."""


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, why, and with which jobs: `jobs` by id, or the latest jobs of the records that match `filter`.

    With a filter, `expect` is how many records the person has been told of; when more match by now, nothing is done. `cursor`
    goes on after an answer's `next`, with its `left` as `expect`.
    """

    action: Act
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    jobs: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MOST)] | None = None
    filter: RecordFilter | None = None
    expect: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    cursor: str | None = None


class BulkItem(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one job. A skipped one says why with `code` and words; `state` is what it is in now."""

    job_id: UUID
    outcome: Literal["done", "skipped"]
    code: str | None = None
    detail: str | None = None
    external_ref: str | None = None
    state: JobState | None = None


class BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`next` continues with what is left to do, null at the end."""

    action: Act
    done: int
    skipped: int
    left: int
    items: list[BulkItem]
    next: str | None = None
