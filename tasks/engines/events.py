"""The typed data of a run's events, one Struct a type: `event.read(StepStarted)`; see `Event` for the envelope."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from tasks.engines.contract import ActionPosition, Result, RunFailure, StepPosition


class RunQueued(msgspec.Struct, frozen=True, kw_only=True):
    """`run.queued`: so many runs are ahead."""

    position: int


class RunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """`run.started`: the driver at work; `browser` is `none` for plain HTTP."""

    worker: str
    browser: str


class StepStarted(StepPosition, frozen=True, kw_only=True):
    """`step.started`."""


class StepConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`step.confirmed`, the checkpoint: the portal has saved this step; `outputs` are all so far."""

    id: str
    outputs: dict[str, str] = {}
    input_hash: str = ""


class StepResumed(msgspec.Struct, frozen=True, kw_only=True):
    """`step.resumed`: an earlier run has saved this step, and it is passed over; `outputs` are all that are taken over."""

    index: int
    total: int
    id: str
    label: str
    outputs: dict[str, str] = {}
    input_hash: str = ""


class ActionStarted(ActionPosition, frozen=True, kw_only=True):
    """`action.started`."""


class ActionCompleted(msgspec.Struct, frozen=True, kw_only=True):
    """`action.completed`."""

    index: int
    ms: int


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """`frame`: a screenshot can be fetched; `step` is the one it shows."""

    artifact_id: str
    url: str
    w: int
    h: int
    step: str | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`artifact`: something other than a frame can be fetched, such as the page (`kind = "page"`) a run failed on."""

    artifact_id: str
    url: str
    kind: str
    mime: str
    size: int


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """`drift`: a target was found only by its fallback; the portal has changed."""

    target: str
    used: str
    text: str = ""
    """For people: button “Save and continue” is now “Continue”."""


class ReadValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value: `at` is its name in `keyed`, or what it is made of where it was not keyed; `field` is the record's."""

    at: str
    field: str | None = None
    sent: str
    shown: str


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """`read_back`: what the portal's page shows of what it was given; the last value is the one that differs, if one does."""

    step: str
    values: tuple[ReadValue, ...]


class Retrying(msgspec.Struct, frozen=True, kw_only=True):
    """`retrying`: the run repeats a part by itself."""

    why: str
    in_ms: int = 0


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the portal's review page."""

    keyed: dict[str, str] = {}
    photo_count: int = 0
    frame: str | None = None


class CommitRequested(msgspec.Struct, frozen=True, kw_only=True):
    """`commit.requested`: the run holds the irreversible request until a grant with this token."""

    external_ref: str
    review: Review
    token: str
    expires_at: datetime


class CommitSent(msgspec.Struct, frozen=True, kw_only=True):
    """`commit.sent`: written and on disk before the bytes leave."""

    at: datetime


class CommitObserved(msgspec.Struct, frozen=True, kw_only=True):
    """`commit.observed`: what the portal answered."""

    status: int
    location: str | None = None


class InputField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to fill in; `options` are what a `choice` is among."""

    key: str
    label: str
    type: Literal["text", "choice"] = "text"
    options: tuple[str, ...] = ()


class InputRequired(msgspec.Struct, frozen=True, kw_only=True):
    """`input.required`: the run holds its page open for a person's answer; `frame` is the artifact that shows it."""

    id: str
    kind: str
    prompt: str
    expires_at: datetime
    fields: tuple[InputField, ...] = ()
    frame: str | None = None


class InputReceived(msgspec.Struct, frozen=True, kw_only=True):
    """`input.received`."""

    id: str


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """`log`."""

    level: str
    text: str


class RunSucceeded(msgspec.Struct, frozen=True, kw_only=True):
    """`run.succeeded`."""

    result: Result


class RunFailed(msgspec.Struct, frozen=True, kw_only=True):
    """`run.failed`."""

    error: RunFailure


class RunCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """`run.cancelled`: how far it had come; nothing was submitted."""

    stage: str


DATA: dict[str, type[msgspec.Struct]] = {
    "run.queued": RunQueued,
    "run.started": RunStarted,
    "step.started": StepStarted,
    "step.resumed": StepResumed,
    "step.confirmed": StepConfirmed,
    "action.started": ActionStarted,
    "action.completed": ActionCompleted,
    "frame": Frame,
    "artifact": Kept,
    "drift": Drift,
    "read_back": ReadBack,
    "retrying": Retrying,
    "commit.requested": CommitRequested,
    "commit.sent": CommitSent,
    "commit.observed": CommitObserved,
    "input.required": InputRequired,
    "input.received": InputReceived,
    "log": Log,
    "run.succeeded": RunSucceeded,
    "run.failed": RunFailed,
    "run.cancelled": RunCancelled,
}
"""The types of this version; a reader passes over others."""
