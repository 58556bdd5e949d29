"""The wire shapes of lists: what is asked for, and what is found. A row is `app.review.schemas.RecordRow`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from app.jobs.states import JobState
from app.review.schemas import RecordRow, Severity

ReviewState = Literal["received", "has_issues", "edited", "approved", "rejected"]
Worst = Severity | Literal["none"]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class RecordFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What records are asked for: each part narrows, a missing or empty one lets all through, of a list one must fit.

    `until` is excluded. `severity` is the worst open finding. `q`: every word must be found in a name, id or field's text.
    """

    project: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    state: Annotated[list[JobState], msgspec.Meta(max_length=20)] = []
    review: Annotated[list[ReviewState], msgspec.Meta(max_length=20)] = []
    severity: Annotated[list[Worst], msgspec.Meta(max_length=20)] = []
    portal: Annotated[list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=20)] = []
    received_from: Time | None = None
    received_until: Time | None = None
    captured_from: Time | None = None
    captured_until: Time | None = None


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; `next` continues the list, null at its end."""

    items: list[RecordRow]
    next: str | None = None


class RecordCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many records match; `more` when there are more than are counted."""

    count: int
    more: bool


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """`by_state` counts jobs that are not completed or cancelled; days are those of each project's time zone."""

    by_state: dict[str, int]
    received_today: int
    completed_today: int
    failed_open: int
    needs_attention: int
    median_run_s: float | None
    """Of today's completed runs, at most the latest 500 of a project."""
