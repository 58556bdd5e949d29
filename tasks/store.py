"""Rows of a worker in and out; every write is fenced by its attempt, in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from sql import load


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is ours to run, as attempt `attempt`; `submission` is what stands at the portal under its reference.

    A `suspect` was lost with its worker twice in a row, and runs alone. `approval`: a person approves its submission.
    """

    id: UUID
    record_id: UUID
    project_id: UUID
    device_id: UUID
    attempt: int
    generation: int
    external_ref: str
    portal_key: str
    account: str
    recipe: str
    recipe_version: int
    engine: str
    engine_config: dict[str, Any]
    submission: str | None
    confirmation: str | None
    former: list[str] = []
    """Numbers that the portal gave it before it was run again."""
    suspect: bool
    spent: Literal["attempts", "interruptions"] | None
    """This budget is used up: what is left to do is to find out whether the portal has the record."""
    begun: bool
    """A run of this generation was started before."""
    last_code: str | None
    last_step: str | None
    last_action: str | None
    approval: bool = False

    @property
    def run_key(self) -> str:
        """The idempotency key of the run: a later attempt of the same generation attaches to it."""
        return f"{self.id}.{self.generation}"


class InputsRow(msgspec.Struct, frozen=True, kw_only=True):
    fields: dict[str, Any]
    form_key: str
    asset_key: str
    lat: float | None
    lon: float | None
    captured_at: datetime | None
    photos: list[dict[str, Any]]


class DoneRow(msgspec.Struct, frozen=True, kw_only=True):
    done: bool


class AfterRow(msgspec.Struct, frozen=True, kw_only=True):
    after: int | None


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step the portal has saved, and all outputs until then."""

    key: str
    outputs: dict[str, str]
    input_hash: str


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    state: str | None


class ArtifactRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class LeaseRow(msgspec.Struct, frozen=True, kw_only=True):
    cancel_requested: bool


class RepairRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep mended, and for which job."""

    kind: str
    job_id: UUID


class WaitRow(msgspec.Struct, frozen=True, kw_only=True):
    wait_s: float


class PhotoRow(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    sha256: bytes


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True):
    """`batch` is the rows of its next batch."""

    what: str
    outcome: str
    batch: int


class RetainedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of a policy; `more` says that it was full, `next_batch` how many rows the next one should have."""

    removed: int
    took_ms: float
    more: bool
    next_batch: int


class ComparedRow(msgspec.Struct, frozen=True, kw_only=True):
    done: int


class NextRow(msgspec.Struct, frozen=True, kw_only=True):
    next_s: float | None


_Q = load("worker")
CLAIM = _Q.opt("claim", Claim)
BEGIN_ALONE = _Q.exec("begin_alone")
UNRENDERED = _Q.many("unrendered_photos", PhotoRow)
KEEP_RENDITION = _Q.exec("keep_rendition")
RUN_INPUTS = _Q.one("run_inputs", InputsRow)
ATTACH_RUN = _Q.one("attach_run", AfterRow)
CONFIRMED_STEPS = _Q.many("confirmed_steps", StepRow)
BEGIN_STEP = _Q.exec("begin_step")
RESUME_STEP = _Q.exec("resume_step")
CONFIRM_STEP = _Q.exec("confirm_step")
CHECKPOINT = _Q.exec("checkpoint")
KEEP_EXCHANGE = _Q.exec("keep_exchange")
KEEP_LOG = _Q.exec("keep_log")
ADD_ARTIFACT = _Q.opt("add_artifact", ArtifactRow)
RECORD_INTENT = _Q.one("record_intent", DoneRow)
REFUTE_INTENT = _Q.exec("refute_intent")
HOLD_COMMIT = _Q.one("hold_commit", DoneRow)
NOTE_OBSERVED = _Q.exec("note_observed")
SETTLE_VERIFYING = _Q.one("settle_verifying", StateRow)
SETTLE_ABSENT = _Q.one("settle_absent", DoneRow)
REPORT_REJECTION = _Q.exec("report_rejection")
SETTLE_COMPLETED = _Q.one("settle_completed", DoneRow)
SETTLE_FAILED = _Q.one("settle_failed", StateRow)
SETTLE_PARKED = _Q.one("settle_parked", DoneRow)
SETTLE_DETACHED = _Q.one("settle_detached", DoneRow)
RENEW_LEASE = _Q.opt("renew_lease", LeaseRow)
SETTLE_CANCELLED = _Q.one("settle_cancelled", DoneRow)
RECONCILE = _Q.many("reconcile", RepairRow)
COMPARE_PHOTOS = _Q.one("compare_photos", ComparedRow)
RETENTION_TURN = _Q.many("retention_turn", PolicyRow)
RETAIN = _Q.one("retain", RetainedRow)
FLUSH_LOG = _Q.exec("flush_log")
TURNED_AWAY = _Q.one("turned_away", DoneRow)
RESERVE_START = _Q.one("reserve_start", WaitRow)
PROMOTE_PROBES = _Q.exec("promote_probes")
PROMOTE_DUE = _Q.one("promote_due", NextRow)
WORKER_SEEN = _Q.exec("worker_seen")
WORKER_ENDED = _Q.exec("worker_ended")
