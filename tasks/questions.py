"""People in the loop: a run's question becomes the job's, its answer goes back to the run, and a submission waits for approval.

An answer is opened here, handed on and forgotten; it is never logged, and no exception carries it.
"""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.errors import StorageFull, StorageUnavailable
from app.core.vault import Vault, VaultError
from sql import load
from tasks.endings import RunCancelled
from tasks.engines import errors
from tasks.engines import events as told
from tasks.engines.contract import CommitGrant, Engine, Event, RunFailure, RunHandle
from tasks.engines.pictures import kind_of
from tasks.lease import Fenced
from tasks.store import Claim, InputsRow
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    outcome: str | None
    answer_cipher: bytes | None


class FateRow(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str | None


class FrameRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID


class DoneRow(msgspec.Struct, frozen=True, kw_only=True):
    done: bool


class AskedRow(msgspec.Struct, frozen=True, kw_only=True):
    """False: fenced; None: too late to ask, the attempt goes on."""

    done: bool | None


_Q = load("asking")
INPUT_OF_RUN = _Q.opt("input_of_run", InputRow)
INPUT_USED = _Q.exec("input_used")
INPUT_REOPENED = _Q.exec("input_reopened")
LAST_INPUT = _Q.opt("last_input", FateRow)
KEEP_FRAME = _Q.opt("keep_frame", FrameRow)
APPROVED = _Q.one("approved", DoneRow)
SETTLE_ASKED = _Q.one("settle_asked", AskedRow)

UNANSWERED = RunFailure.of("INPUT_EXPIRED", "nobody answered in time", outcome="not_submitted")

DECIDE = told.InputField(key="decision", label="Submit this record?", type="choice", options=("approve", "refuse"))
GO_ON = told.InputField(key="decision", label="What now?", type="choice", options=("try again", "give up"))


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `settle_asked` reads. `run_input_id` holds the run; without it the run is over and `within_s` is its time."""

    kind: str
    prompt: str
    fields: tuple[told.InputField, ...] = ()
    run_input_id: str | None = None
    artifact_id: UUID | None = None
    detail: dict[str, object] = {}
    expires_at: datetime | None = None
    within_s: float | None = None


class Parked(Exception):
    """The attempt is settled: its job waits for a person."""


class Unanswered(Exception):
    """The run asked and nobody answered in time, or the answer cannot be opened any more; the run is over."""


async def on_question(shop: Workshop, claim: Claim, run: RunHandle, event: Event) -> None:
    """Give the run its answer, or put its question to a person. Raises `Parked`, `Unanswered` and `Fenced`."""
    asked = event.read(told.InputRequired)
    known = await shop.ask(INPUT_OF_RUN, job=claim.id, generation=claim.generation, run_input=asked.id)
    if known is not None and known.outcome == "used":
        return
    if (await shop.engine_of(claim).run(run.run_id)).status != "needs_input":
        return  # an old event of a run we attached to: what follows tells what became of it
    if known is not None and known.outcome == "answered" and known.answer_cipher is not None:
        if await _provided(shop, claim, run, asked.id, known):
            return
        await shop.ask(INPUT_REOPENED, id=known.id)
        known = None
    if known is None or known.outcome is None:
        frame = None if asked.frame is None else await _keep_picture(shop, claim, asked.frame, step="question")
        question = Question(
            kind=asked.kind,
            prompt=asked.prompt,
            fields=asked.fields,
            run_input_id=asked.id,
            artifact_id=frame,
            expires_at=asked.expires_at,
        )
        await _park(shop, claim, question)
    elif await _ended(shop, claim, run, reason=f"the question was {known.outcome}") and known.outcome != "withdrawn":
        raise Unanswered


async def _provided(shop: Workshop, claim: Claim, run: RunHandle, input_id: str, known: InputRow) -> bool:
    """Hand the answer on. False: the run says that it does not fit its question, which stays open."""
    try:
        opened = Vault(shop.settings.secret_key).open(known.answer_cipher or b"")
    except VaultError as exc:
        log.error(  # noqa: TRY400 - the traceback would show where, and that is known
            "an answer cannot be opened", extra={"event": "question.sealed", "job": claim.id, "why": str(exc)}
        )
        await _ended(shop, claim, run, reason="the answer cannot be opened")
        raise Unanswered from None
    values = msgspec.json.decode(opened, type=dict[str, str])
    # Answered by an attempt before us, or too late: the run's events tell which.
    said = {"job": claim.id, "attempt": claim.attempt}
    try:
        with contextlib.suppress(errors.InputGone):
            await shop.engine_of(claim).provide_input(run, input_id=input_id, values=values)
    except errors.InputRefused:
        log.warning("the run refuses the answer; a person is asked again", extra={"event": "question.refused", **said})
        return False
    await shop.ask(INPUT_USED, id=known.id)
    log.info("the run has its answer", extra={"event": "question.used", **said})
    return True


async def _ended(shop: Workshop, claim: Claim, run: RunHandle, *, reason: str) -> bool:
    """Whether the run was stopped; one whose submission is on its way goes on, and its events tell how it ends."""
    try:
        await shop.engine_of(claim).cancel(run, reason=reason)
    except errors.CommitInProgress:
        return False
    return True


async def await_approval(shop: Workshop, claim: Claim, run: RunHandle, request: told.CommitRequested) -> None:
    """At the gate: returns when nobody needs to approve, or somebody has approved exactly this. Raises `Parked`."""
    detail: dict[str, object] = {"keyed": request.review.keyed, "photo_count": request.review.photo_count}
    if await _approved(shop, claim, detail):
        return
    frame = request.review.frame
    kept = None if frame is None else await _keep_picture(shop, claim, frame, step="review")
    # The run is known to be over before its generation is given up: what is approved is keyed by another.
    with contextlib.suppress(errors.NotAwaitingCommit):
        grant = CommitGrant(token=request.token, attempt=claim.attempt, decision="abort")
        await shop.engine_of(claim).authorize_commit(run, grant)
    await _ask_approval(
        shop, claim, detail, "The record stands on the portal’s review page. May it be submitted?", kept
    )


async def await_approval_of_start(shop: Workshop, claim: Claim, engine: Engine, inputs: InputsRow) -> None:
    """Before the start of a run that has no gate: the record itself is what is approved. Raises `Parked`."""
    if "commit_gate" in engine.caps or claim.submission == "intent":
        return
    detail: dict[str, object] = {
        "keyed": {name: str(value) for name, value in inputs.fields.items()},
        "photo_count": len(inputs.photos),
    }
    if not await _approved(shop, claim, detail):
        await _ask_approval(shop, claim, detail, "Once keyed, the record is submitted without a stop. May it be?", None)


async def _approved(shop: Workshop, claim: Claim, detail: dict[str, object]) -> bool:
    return not claim.approval or (await shop.ask(APPROVED, job=claim.id, detail=Jsonb(detail))).done


async def _ask_approval(
    shop: Workshop, claim: Claim, detail: dict[str, object], prompt: str, artifact_id: UUID | None
) -> None:
    question = Question(
        kind="approval",
        prompt=prompt,
        fields=(DECIDE,),
        artifact_id=artifact_id,
        detail=detail,
        within_s=shop.settings.decide_s,
    )
    await _park(shop, claim, question)


async def ask_to_mend(shop: Workshop, claim: Claim, failure: RunFailure) -> None:
    """A run has ended over something that only a person can do at the portal. Raises `Parked`, `Fenced`."""
    question = Question(kind="fix", prompt=failure.message, fields=(GO_ON,), within_s=shop.settings.decide_s)
    error = {
        "code": failure.code,
        "class": failure.error_class,
        "message": failure.message,
        "step": failure.step,
    }
    await _park(shop, claim, question, error=error)


async def read(shop: Workshop, claim: Claim, failure: RunFailure) -> RunFailure:
    """A run that ended over its own question says what became of it. Raises `RunCancelled` when that was withdrawn."""
    if failure.error_class != "needs_human" or failure.outcome != "not_submitted":
        return failure
    row = await shop.ask(LAST_INPUT, job=claim.id, generation=claim.generation)
    if row is None:
        return failure
    if row.outcome == "withdrawn":
        raise RunCancelled
    return UNANSWERED


async def _keep_picture(shop: Workshop, claim: Claim, artifact_id: str, *, step: str) -> UUID | None:
    """None when it cannot be had, which stops nothing. Raises `Fenced`."""
    try:
        data = await shop.engine_of(claim).artifact(artifact_id)
        sha256 = await shop.blobs.put(data)
    except (errors.EngineError, StorageFull, StorageUnavailable) as exc:
        log.warning("a picture is missing", extra={"event": "question.picture_missing", "error": exc.code})
        return None
    kept = await shop.ask(
        KEEP_FRAME,
        job=claim.id,
        attempt=claim.attempt,
        step=step,
        sha256=sha256,
        size=len(data),
        type=kind_of(data) or "application/octet-stream",
    )
    if kept is None:
        raise Fenced
    return kept.id


async def _park(
    shop: Workshop, claim: Claim, question: Question, *, error: dict[str, str | None] | None = None
) -> None:
    settled = await shop.ask(
        SETTLE_ASKED,
        job=claim.id,
        attempt=claim.attempt,
        question=Jsonb(msgspec.to_builtins(question)),
        error=None if error is None else Jsonb(error),
    )
    if settled.done is None:
        return
    if not settled.done:
        raise Fenced
    log.info("a person is asked", extra={"event": "question.asked", "job": claim.id, "kind": question.kind})
    shop.due.set()
    raise Parked
