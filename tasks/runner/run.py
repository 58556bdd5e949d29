"""One run as the service knows it: its status, its events, its fence and its gate."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import msgspec

from tasks.engines.contract import (
    ActionPosition,
    Result,
    RunFailure,
    RunSpec,
    RunStatus,
    RunView,
    StepPosition,
)
from tasks.engines.events import (
    ActionStarted,
    CommitRequested,
    CommitSent,
    Frame,
    InputReceived,
    InputRequired,
    Kept,
    RunCancelled,
    RunFailed,
    RunStarted,
    RunSucceeded,
    StepStarted,
)
from tasks.runner.artifacts import Artifacts
from tasks.runner.driver import Shot
from tasks.runner.gate import CommitGate
from tasks.runner.journal import Journal
from tasks.runner.questions import Questions
from tasks.runner.redact import Redactor
from tasks.runner.refusals import InputAnswered, InputExpired, InputUnknown

log = logging.getLogger("asbuilt.runner")

_PAGE_CHARS = 2_000_000


class Run:
    """`attempt` is the fence: grants below it are refused. `spec` is None for a run of an earlier process."""

    def __init__(self, journal: Journal, *, spec: RunSpec | None, redactor: Redactor, artifacts: Artifacts) -> None:
        self.journal = journal
        self.id = journal.head.run_id
        self.key = journal.head.key
        self.fingerprint = journal.head.fingerprint
        self.attempt = journal.head.attempt
        self.spec = spec
        self.status: RunStatus = "queued"
        self.deadline = journal.head.deadline
        self.gate: CommitGate | None = None
        self.task: asyncio.Task[None] | None = None
        self.cancel_reason: str | None = None
        self.timer: asyncio.Timeout | None = None
        self.questions: Questions | None = None
        self._held_since: datetime | None = None
        self._asked: dict[str, bool] = {}
        self._redactor = redactor
        self._artifacts = artifacts
        self._step: StepPosition | None = None
        self._action: ActionPosition | None = None
        self._started_at: datetime | None = None
        self._finished_at: datetime | None = None
        self._result: Result | None = None
        self._error: RunFailure | None = None

    @property
    def over(self) -> bool:
        return self.status in {"succeeded", "failed", "cancelled"}

    @property
    def finished_at(self) -> datetime | None:
        return self._finished_at

    def emit(self, kind: str, data: msgspec.Struct) -> None:
        """Record a fact, without secrets, and let it change the run's own state."""
        if self.over:
            # A gate that outlives its run must not write behind the terminal event: readers have left.
            log.warning("event after the end", extra={"event": "runner.late_event", "run": self.id, "type": kind})
            return
        plain = msgspec.to_builtins(data)
        redacted = self._redactor.value(plain)
        event = self.journal.append(kind, redacted if isinstance(redacted, dict) else {}, attempt=self.attempt)
        self.apply(msgspec.convert(event.data, type(data)), at=event.at)

    def apply(self, data: msgspec.Struct, *, at: datetime) -> None:
        """What a fact means for the run as it stands."""
        match data:
            case RunStarted():
                self.status, self._started_at = "running", at
            case StepStarted():
                self._step = StepPosition(index=data.index, total=data.total, id=data.id, label=data.label)
                self._action = None
            case ActionStarted():
                self._action = ActionPosition(index=data.index, total=data.total, label=data.label)
            case CommitRequested():
                self.status = "awaiting_commit"
            case CommitSent():
                self.status = "running"
            case InputRequired():
                self.status, self._asked[data.id] = "needs_input", False
            case InputReceived():
                self.status, self._asked[data.id] = "running", True
            case RunSucceeded():
                self.status, self._finished_at, self._result = "succeeded", at, data.result
            case RunFailed():
                self.status, self._finished_at, self._error = "failed", at, data.error
            case RunCancelled():
                self.status, self._finished_at = "cancelled", at
            case _:
                pass

    async def sync(self) -> None:
        await self.journal.sync()

    def frame(self, shot: Shot | None, *, step: str) -> str | None:
        """Keep a screenshot beside the run's file and tell of it."""
        if shot is None or self.over:
            return None
        kept = self._artifacts.add(self.id, shot.body, mime="image/jpeg")
        self.emit("frame", Frame(artifact_id=kept.id, url=kept.url, w=shot.width, h=shot.height, step=step))
        return kept.id

    def keep(self, text: str, *, mime: str) -> None:
        """Keep the text of a page, without secrets, and tell of it."""
        if self.over:
            return
        kept = self._artifacts.add(self.id, self._redactor.text(text[:_PAGE_CHARS]).encode(), mime=mime)
        self.emit("artifact", Kept(artifact_id=kept.id, url=kept.url, kind=kept.kind, mime=kept.mime, size=kept.size))

    @property
    def step_id(self) -> str:
        """The step at work, empty before the first."""
        return self._step.id if self._step is not None else ""

    def learn(self, secret: str) -> None:
        """From now on this text is kept out of all that is told about the run."""
        self._redactor.learn(secret)

    def answer(self, input_id: str, values: Mapping[str, str]) -> None:
        """Answer a question. Raises `InputUnknown`, `InputAnswered`, `InputExpired`, `InputInvalid`."""
        if input_id not in self._asked:
            raise InputUnknown(f"the run has not asked {input_id[:40]!r}")
        if self._asked[input_id]:
            raise InputAnswered
        if self.over or self.questions is None:
            raise InputExpired
        self.questions.answer(input_id, values)

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """While the run waits for a person its deadline stands still."""
        self._held_since = datetime.now(UTC)
        if self.timer is not None and not self.timer.expired():
            self.timer.reschedule(None)
        try:
            yield
        finally:
            if self.deadline is not None:
                self.deadline += datetime.now(UTC) - self._held_since
            self._held_since = None
            if self.timer is not None and not self.timer.expired():
                self.timer.reschedule(self._due())

    def reached(self, attempt: int, *, deadline: datetime | None) -> None:
        """A start with the same key: a higher attempt takes the run over, with its own deadline."""
        if attempt > self.attempt:
            self.attempt = attempt
            self.deadline = deadline
            if self._held_since is not None:
                self._held_since = datetime.now(UTC)
            elif self.timer is not None and not self.timer.expired():
                self.timer.reschedule(self._due())

    @asynccontextmanager
    async def timed(self) -> AsyncGenerator[None, None]:
        """Raises `TimeoutError` at the deadline, which a higher attempt may move meanwhile."""
        try:
            async with asyncio.timeout_at(self._due()) as self.timer:
                yield
        finally:
            self.timer = None

    def _due(self) -> float | None:
        """The deadline on the loop's clock."""
        if self.deadline is None:
            return None
        return asyncio.get_running_loop().time() + (self.deadline - datetime.now(UTC)).total_seconds()

    def view(self) -> RunView:
        return RunView(
            id=self.id,
            key=self.key,
            attempt=self.attempt,
            status=self.status,
            last_seq=self.journal.last_seq,
            created_at=self.journal.head.created_at,
            step=self._step,
            action=self._action,
            started_at=self._started_at,
            finished_at=self._finished_at,
            deadline=self.deadline,
            result=self._result,
            error=self._error,
        )


def fingerprint(spec: RunSpec) -> str:
    """Hash over what would be keyed; a re-attach may change the attempt, resume, deadline, screenshots and file URLs."""
    keyed = [
        spec.portal,
        spec.account,
        spec.recipe,
        spec.recipe_version,
        spec.external_ref,
        spec.inputs,
        [(each.name, each.sha256) for each in spec.files],
        spec.commit,
    ]
    return hashlib.sha256(msgspec.json.encode(keyed, order="deterministic")).hexdigest()
