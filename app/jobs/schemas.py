"""The wire shapes of jobs. `JobView` is the SQL function `job_view` plus the progress of a running attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.core.cache import Progress
from app.jobs.states import JobState


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why the last attempt failed; `step` is where, when it is known."""

    code: str
    message: str
    error_class: str | None = msgspec.field(name="class", default=None)
    step: str | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked; `GET /api/jobs/{id}/inputs` tells the whole of it."""

    id: UUID
    kind: Literal["otp", "captcha", "approval", "choice", "fix"]
    prompt: str
    expires_at: datetime


class FormerSubmission(msgspec.Struct, frozen=True, kw_only=True):
    """What the portal took in before the job was run again."""

    external_ref: str
    confirmation: str
    submitted_at: datetime


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as everybody outside sees it. `seq` counts its changes, dense from 1.

    `times`: so many submissions were asked for; `former` are those before the present one, of a job that was run again.
    """

    id: UUID
    record_id: UUID
    project: str
    state: JobState
    wait_reason: str | None
    ready_at: datetime | None
    attempt: int
    failures: int
    max_attempts: int
    external_ref: str
    portal: str
    portal_url: str | None
    confirmation: str | None
    error: JobError | None
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    changed_at: datetime
    seq: int
    times: int = 1
    former: list[FormerSubmission] = []
    question: Question | None = None
    progress: Progress | None = None


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; `next` continues the list, null at its end."""

    items: list[JobView]
    next: str | None = None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an attempt; `resumed` was done before this attempt began. `screenshot` is the address of its picture."""

    key: str
    index: int
    total: int
    label: str
    state: Literal["running", "confirmed", "failed"]
    started_at: datetime
    ended_at: datetime | None
    resumed: bool = False
    screenshot: str | None = None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a job by one worker; open while `ended_at` is null. It is the SQL function `attempt_view`."""

    job_id: UUID
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Literal["completed", "failed", "lost", "detached", "parked", "cancelled"] | None
    error: JobError | None
    steps: list[StepView]


class ReadValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that the portal's page showed: `at` is its label there, or what it is made of; `field` is the record's."""

    at: str
    field: str | None
    sent: str
    shown: str


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What was keyed by the portal's labels, and what it showed; null where the automation service does not tell."""

    keyed: dict[str, str] | None = None
    read_back: list[ReadValue] | None = None


class AttemptDetail(AttemptView, frozen=True, kw_only=True):
    """`progress` is the last that was kept. `traceback` and `log` are for operators, null for everybody else."""

    progress: Progress | None
    exchange: Exchange
    traceback: str | None
    log: list[str] | None


class AttemptList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: list[AttemptDetail]


class StepPace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a step took in so many `runs`, in seconds: half of them were quicker than `p50_s`, nine of ten than `p90_s`."""

    key: str
    index: int
    runs: int
    p50_s: float
    p90_s: float


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the recipe; empty where nothing has gone through yet."""

    steps: list[StepPace]


class OutcomeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person saw at the portal: the record is there, under the portal's number, or it is not."""

    submitted: bool
    confirmation: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    reason: str = ""


class RunAgainRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the portal is to have it once more; kept in the audit.

    `confirmation` is the number that was seen. Give it: a request that is sent twice then submits once.
    """

    reason: Annotated[str, msgspec.Meta(pattern=r"\S", max_length=500)]
    confirmation: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ActRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a person does it; kept in the audit."""

    reason: str = ""
