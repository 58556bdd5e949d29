"""What a run tells, written down: steps, pictures and checkpoints in Postgres, progress in the cache.

Every write is fenced: one that touches no row means that the attempt is over, and stops it.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.cache import Audience, Progress
from app.core.errors import StorageFull, StorageUnavailable
from tasks import attempt_log, store
from tasks.engines import events as told
from tasks.engines.contract import Event, RunHandle
from tasks.engines.errors import EngineError
from tasks.engines.pictures import kind_of
from tasks.lease import Fenced
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

CHECKPOINT_S = 3.0
SHORT = 500


class Recorder:
    """Follows one attempt."""

    def __init__(self, shop: Workshop, claim: Claim, run: RunHandle) -> None:
        self._shop = shop
        self._claim = claim
        self._run_id = run.run_id
        self._attempt = {"job": claim.id, "attempt": claim.attempt, "generation": claim.generation}
        self._seq = run.last_seq
        self._asked: int | None = None
        self._step = told.StepStarted(index=1, total=1, id="start", label="Starting")
        self._percent = 0
        self._label = "Starting"
        self._screenshot: str | None = None
        self._checkpoint_at = 0.0
        self._read: tuple[told.ReadValue, ...] = ()

    async def record(self, event: Event) -> None:
        """Write an event down. Raises `Fenced`."""
        self._seq = event.seq
        match event.type:
            case "step.started":
                await self._begin(event.read(told.StepStarted))
            case "step.resumed":
                await self._resume(event.read(told.StepResumed))
            case "step.confirmed":
                await self._confirm(event.read(told.StepConfirmed))
            case "action.started":
                await self._advance(event.read(told.ActionStarted))
            case "frame":
                await self._picture(event.read(told.Frame))
            case "read_back":
                self._read += event.read(told.ReadBack).values
                await self._keep(read_back=[_short(msgspec.to_builtins(each)) for each in self._read])
            case "commit.requested" | "input.required":
                self._asked = event.seq
                if event.type == "commit.requested":
                    await self._keep_keyed(event.read(told.CommitRequested).review.keyed)
            case "input.received":
                self._asked = None
            case "commit.sent":
                self._asked = None
                await self._publish("Submitting")
            case "drift":
                text = event.read(told.Drift).text
                log.warning("the portal has changed: %s", text, extra={"event": "run.drift", "job": self._claim.id})

    @property
    def _heard(self) -> int:
        """The event that a successor need not hear again. What waits for an answer is heard again until it has got it."""
        return self._seq if self._asked is None else min(self._seq, self._asked - 1)

    async def _keep_keyed(self, keyed: dict[str, str]) -> None:
        if keyed:
            await self._keep(keyed=_short(keyed))

    async def _keep(self, **said: object) -> None:
        """What was sent to the portal and what it showed of it, for people; nothing of it is acted upon."""
        await self._shop.ask(store.KEEP_EXCHANGE, job=self._claim.id, attempt=self._claim.attempt, said=Jsonb(said))

    async def _begin(self, step: told.StepStarted) -> None:
        self._step = step
        self._label = step.label
        touched = await self._shop.ask(
            store.BEGIN_STEP,
            **self._attempt,
            seq=self._heard,
            recipe_version=self._claim.recipe_version,
            key=step.id,
            index=step.index,
            total=step.total,
            label=step.label,
        )
        _demand(touched)
        self._log("step.began", "step began: %s", step.label)
        await self._publish(step.label)

    async def _resume(self, step: told.StepResumed) -> None:
        touched = await self._shop.ask(
            store.RESUME_STEP,
            job=self._claim.id,
            attempt=self._claim.attempt,
            key=step.id,
            index=step.index,
            total=step.total,
            label=step.label,
            outputs=Jsonb(step.outputs),
            input_hash=step.input_hash,
            recipe_version=self._claim.recipe_version,
        )
        _demand(touched)
        self._log("step.resumed", "taken over as saved before: %s", step.label)

    async def _confirm(self, step: told.StepConfirmed) -> None:
        touched = await self._shop.ask(
            store.CONFIRM_STEP,
            **self._attempt,
            seq=self._heard,
            key=step.id,
            input_hash=step.input_hash,
            outputs=Jsonb(step.outputs),
        )
        _demand(touched)
        self._log("step.confirmed", "the portal confirmed: %s", self._step.label)

    async def _advance(self, action: told.ActionStarted) -> None:
        self._percent = min(99, round(100 * (action.index - 1) / max(action.total, 1)))
        await self._publish(action.label)

    async def _picture(self, frame: told.Frame) -> None:
        """Fetch and keep it; a picture that cannot be had stops nothing."""
        try:
            data = await self._shop.engine_of(self._claim).artifact(frame.artifact_id)
            sha256 = await self._shop.blobs.put(data)
        except (EngineError, StorageFull, StorageUnavailable) as exc:
            log.warning("a picture is missing", extra={"event": "run.picture_missing", "error": exc.code})
            return
        row = await self._shop.ask(
            store.ADD_ARTIFACT,
            **self._attempt,
            seq=self._seq,
            heard=self._heard,
            run_id=self._run_id,
            step=frame.step or self._step.id,
            sha256=sha256,
            size=len(data),
            type=kind_of(data) or "application/octet-stream",
        )
        _demand(0 if row is None else 1)
        if row is not None:
            self._screenshot = artifact_url(self._claim.id, row.id)
            await self._publish(self._label)

    def _log(self, event: str, message: str, label: str) -> None:
        log.info(message, label, extra={"event": event, "job": self._claim.id, "attempt": self._claim.attempt})

    async def _publish(self, label: str) -> None:
        self._label = label
        claim = self._claim
        progress = Progress(
            job_id=claim.id,
            record_id=claim.record_id,
            attempt=claim.attempt,
            percent=self._percent,
            step=self._step.id,
            step_index=self._step.index,
            step_total=self._step.total,
            label=label,
            screenshot=self._screenshot,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        await self._shop.cache.publish(progress, Audience(project_id=claim.project_id, device_id=claim.device_id))
        if time.monotonic() - self._checkpoint_at >= CHECKPOINT_S:
            self._checkpoint_at = time.monotonic()
            checkpoint = Jsonb(msgspec.to_builtins(progress))
            touched = await self._shop.ask(
                store.CHECKPOINT,
                **self._attempt,
                seq=self._heard,
                progress=checkpoint,
                log=attempt_log.so_far(),
            )
            _demand(touched)


def artifact_url(job_id: UUID, artifact_id: UUID) -> str:
    """The address of a picture in the public API."""
    return f"/api/jobs/{job_id}/artifacts/{artifact_id}"


def _demand(touched: int) -> None:
    if touched != 1:
        raise Fenced


def _short(values: dict[str, str]) -> dict[str, str]:
    """Long texts are cut: they are kept to be compared by people, beside the record that has them whole."""
    return {name: text if text is None or len(text) <= SHORT else f"{text[:SHORT]}…" for name, text in values.items()}
