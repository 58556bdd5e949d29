"""The words of the automation contract, version 1, and the `Engine` that speaks them; no transport in here.

Times are RFC 3339 in UTC. Readers ignore fields and event types they do not know.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

from tasks.engines.codes import ErrorClass, class_of

RunStatus = Literal["queued", "running", "needs_input", "awaiting_commit", "succeeded", "failed", "cancelled"]
TERMINAL: frozenset[RunStatus] = frozenset({"succeeded", "failed", "cancelled"})
TERMINAL_EVENTS = frozenset({"run.succeeded", "run.failed", "run.cancelled"})

Outcome = Literal["not_submitted", "unknown", "submitted"]
CommitMode = Literal["gated", "dry_run"]
Screenshots = Literal["off", "steps", "actions", "live"]
Capability = Literal["stream", "resume", "commit_gate", "input", "cancel", "screenshots", "live", "lookup"]

Data = TypeVar("Data", bound=msgspec.Struct)


class FileSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A photo to upload; `name` is unique in the run, `shot` its slot, `url` is fetched with the service's token."""

    id: str
    name: str
    mime: str
    size: int
    sha256: str
    url: str
    shot: str = ""


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Steps confirmed by earlier attempts and what they put out (`{"draft": "D00012"}`)."""

    steps: tuple[str, ...] = ()
    outputs: dict[str, str] = {}
    hashes: dict[str, str] = {}
    """`input_hash` of the confirmed steps; a step whose hash differs now is keyed again, and all after it."""


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be keyed. Holds no secrets: `account` names credentials the service has."""

    job_id: UUID
    record_id: UUID
    attempt: int
    portal: str
    external_ref: str
    recipe: str
    recipe_version: int | None = None
    """`None` is the newest the service has."""
    account: str = "default"
    inputs: dict[str, object] = {}
    """The record's fields, plus asset, lat, lon, captured_at and form (its key)."""
    files: tuple[FileSpec, ...] = ()
    resume: Resume | None = None
    commit: CommitMode = "gated"
    deadline: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    screenshots: Screenshots = "steps"


class RunHandle(msgspec.Struct, frozen=True, kw_only=True):
    """A run at the service; `replayed` says that the start attached to a run that existed."""

    run_id: str
    key: str
    replayed: bool = False
    last_seq: int = 0


class StepPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands; `index` counts from 1."""

    index: int
    total: int
    id: str
    label: str


class ActionPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The action at work; `index` counts from 1 through the whole run."""

    index: int
    total: int
    label: str


class PortalMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What the portal said, and about which field of its own; `record_field` is the record's, where that is known."""

    text: str
    field: str | None = None
    record_field: str | None = None


class RunFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run ended without success. `outcome` other than `not_submitted` must be verified before a repeat."""

    code: str
    message: str
    error_class: ErrorClass = msgspec.field(name="class", default="bug")
    step: str | None = None
    action: str | None = None
    portal_messages: tuple[PortalMessage, ...] = ()
    frame: str | None = None
    retry_after_s: int | None = None
    outcome: Outcome = "unknown"

    @classmethod
    def of(cls, code: str, message: str, *, outcome: Outcome, step: str | None = None) -> RunFailure:
        """A failure whose class follows from its code."""
        return cls(code=code, message=message, error_class=class_of(code), outcome=outcome, step=step)


class KeyedPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as the portal has it now."""

    name: str
    sha256: str
    accepted: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run that succeeded leaves: the confirmation, what was keyed, and the evidence."""

    external_ref: str
    confirmation_number: str | None = None
    """None only for a dry run."""
    submitted_at: datetime | None = None
    how: Literal["page", "lookup", "dry_run"] = "page"
    keyed: dict[str, str] = {}
    photos: tuple[KeyedPhoto, ...] = ()
    portal_url: str | None = None
    evidence: dict[str, str | int | None] = {}
    steps: int = 0
    actions: int = 0
    duration_ms: int = 0


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it stands."""

    id: str
    key: str
    attempt: int
    status: RunStatus
    last_seq: int
    created_at: datetime
    step: StepPosition | None = None
    action: ActionPosition | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline: datetime | None = None
    result: Result | None = None
    error: RunFailure | None = None

    @property
    def over(self) -> bool:
        return self.status in TERMINAL


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about a run. `seq` is dense from 1; `read` gives the typed data of the types listed below."""

    seq: int
    run_id: str
    type: str
    at: datetime
    attempt: int
    data: dict[str, object] = {}

    def read(self, shape: builtins.type[Data]) -> Data:
        """The event's data as one of the Structs of `events.py`; raises `msgspec.ValidationError`."""
        return msgspec.convert(self.data, shape)

    @property
    def terminal(self) -> bool:
        return self.type in TERMINAL_EVENTS


class CommitGrant(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's word at the gate: used once, refused below the fence."""

    token: str
    attempt: int
    decision: Literal["submit", "abort"] = "submit"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The portal has a submission under this reference."""

    confirmation_number: str
    submitted_at: datetime | None = None
    evidence_url: str | None = None


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """The portal answered and has none, as of a moment; its index may lag by `index_lag_s`."""

    as_of: datetime
    index_lag_s: float


class Unavailable(msgspec.Struct, frozen=True, kw_only=True):
    """The portal could not tell; this is never a negative."""

    reason: str
    retry_after_s: int | None = None


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """This portal cannot be searched at all: asking again is of no use, only a person can tell."""

    reason: str


Lookup = Found | Absent | Unavailable | Unsupported


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the service can do now; `browser` is `none` where only the forms driver runs."""

    browser: str
    free_slots: int
    portals: tuple[str, ...] = ()
    recipes: dict[str, tuple[int, ...]] = {}
    """Every recipe with its versions."""


class Engine(Protocol):
    """An automation service. Every call may raise `EngineError` or a subclass named in its line."""

    @property
    def name(self) -> str: ...

    @property
    def caps(self) -> frozenset[Capability]:
        """Without `commit_gate` the intent is written before the start, and an end without success is `unknown`."""

    async def start(self, spec: RunSpec, *, key: str) -> RunHandle:
        """Start the run, or attach to the one of this key. Raises `KeyReused`, `ServiceBusy`, `ServiceUnavailable`."""

    def events(self, run: RunHandle, *, after: int = 0, deadline_s: float | None = None) -> AsyncIterator[Event]:
        """All events with a seq above `after`, in order, then live, ending after the terminal one.

        Reconnects by itself until `deadline_s` seconds have passed; then raises `StreamLost`. Raises `StreamGap` and
        `RunUnknown`.
        """

    async def authorize_commit(self, run: RunHandle, grant: CommitGrant) -> RunView:
        """Open the gate, or abort. Raises `NotAwaitingCommit`, `GrantExpired`, `Fenced`.

        `ServiceUnavailable` here means that the grant may have arrived: read the run and its events.
        """

    async def provide_input(self, run: RunHandle, *, input_id: str, values: dict[str, str]) -> RunView:
        """Answer a question of the run. Raises `InputGone`, and `InputRefused` when it does not fit."""

    async def cancel(self, run: RunHandle, *, reason: str) -> RunView:
        """Ask the run to stop; idempotent. Raises `CommitInProgress` when it is too late."""

    async def run(self, run_id: str) -> RunView:
        """The run as it stands. Raises `RunUnknown`."""

    async def run_by_key(self, key: str) -> RunView | None:
        """The run of this key, if the service knows one."""

    async def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Lookup:
        """Ask the portal for a submission by our reference; trouble of any kind is `Unavailable`, never raised.

        `Unsupported` when the portal's recipe has no look-up.
        """

    async def artifact(self, artifact_id: str) -> bytes:
        """The bytes of a frame. Raises `ArtifactGone`."""

    async def health(self) -> Health:
        """Raises `ServiceUnavailable`."""

    async def close(self) -> None:
        """Let go of connections."""
