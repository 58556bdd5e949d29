"""The job: claim an attempt, drive its run at the automation service, settle how it ended. Nothing else knows the whole.

How the queue row ends says how the attempt ended: succeeded (completed, parked for a person, or not admitted), failed, or aborted
(detached, or not ours any more).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import traceback
from uuid import UUID

from procrastinate.exceptions import JobAborted

from app.core import logs
from app.core.crashpoints import crashpoint
from tasks import claiming, questions, settling, store, ungated, verifying
from tasks.admission import await_start, turned_away
from tasks.committing import Flight, open_gate
from tasks.endings import AttemptFailed, OutcomeOpen, RunCancelled, RunEnded
from tasks.engines import errors
from tasks.engines import events as told
from tasks.engines.contract import Engine, Event, Result, Resume, RunFailure, RunHandle, RunView
from tasks.inputs import resume_of, run_spec
from tasks.lease import Fenced, Lease, undisturbed
from tasks.recorder import Recorder
from tasks.renditions import make_renditions
from tasks.retry import decide
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")

__all__ = ["AttemptFailed", "automate"]


async def automate(shop: Workshop, job_id: UUID, queue_job_id: int) -> None:
    """Run one attempt of a job to its end. Raises `AttemptFailed` and Procrastinate's `JobAborted`."""
    claim = await claiming.claim(shop, job_id, queue_job_id)
    if claim is None:
        if await turned_away(shop, job_id):
            return
        log.info("the queue row is not the job's any more", extra={"event": "attempt.superseded", "job": job_id})
        raise JobAborted
    with logs.about(attempt=claim.attempt):
        await _to_its_end(shop, claim, queue_job_id)


async def _to_its_end(shop: Workshop, claim: Claim, queue_job_id: int) -> None:
    said = {"job": claim.id, "attempt": claim.attempt}
    log.info("attempt began", extra={"event": "attempt.began", **said})
    try:
        await crashpoint("W2", subject=claim.id)
        await _attempt(shop, claim, queue_job_id)
    except RunCancelled as exc:
        await shop.ask(store.SETTLE_CANCELLED, job=claim.id, attempt=claim.attempt)
        log.info("job cancelled", extra={"event": "job.cancelled", **said})
        raise JobAborted from exc
    except Fenced as exc:
        log.warning("the attempt was fenced", extra={"event": "attempt.fenced", **said})
        raise JobAborted from exc
    except asyncio.CancelledError as exc:
        await undisturbed(shop.ask(store.SETTLE_DETACHED, job=claim.id, attempt=claim.attempt))
        log.info("attempt detached", extra={"event": "attempt.detached", **said})
        raise JobAborted from exc


async def _attempt(shop: Workshop, claim: Claim, queue_job_id: int) -> None:
    """Drive the run, and settle how it ended. Raises `RunCancelled`, `Fenced`, `AttemptFailed` and `JobAborted`."""
    lease = Lease(shop, claim)
    drive = _drive_alone(shop, claim, lease, queue_job_id) if claim.suspect else _drive(shop, claim, lease)
    try:
        result = await lease.hold(drive)
    except RunEnded as exc:
        await settling.fail(shop, claim, exc)
    except OutcomeOpen as exc:
        await settling.leave_open(shop, claim, exc)
    except questions.Parked:
        return
    except (RunCancelled, Fenced):
        raise
    except Exception as exc:
        failure = RunFailure.of("INTERNAL", f"{type(exc).__name__}: {exc}", outcome="not_submitted")
        await settling.fail(shop, claim, RunEnded(failure, run_over=False), trace=traceback.format_exc())
    else:
        await crashpoint("W6", subject=claim.id)
        await settling.complete(shop, claim, result)
        await crashpoint("W7", subject=claim.id)


async def _drive_alone(shop: Workshop, claim: Claim, lease: Lease, queue_job_id: int) -> Result:
    """As `_drive`, once nothing else runs in this process: the two workers before it were lost."""
    async with shop.company.alone(queue_job_id):
        if await shop.ask(store.BEGIN_ALONE, job=claim.id, attempt=claim.attempt) != 1:
            raise Fenced
        return await _drive(shop, claim, lease)


async def _drive(shop: Workshop, claim: Claim, lease: Lease) -> Result:
    """To the result: by what is known already, by the run, or by the portal's word on how a run ended.

    Raises `RunEnded`, `OutcomeOpen`, `RunCancelled` and `Fenced`.
    """
    try:
        return await _run(shop, claim, lease)
    except RunEnded as exc:
        if exc.decision is None and decide(exc.failure).next == "verify":
            return await verifying.after(shop, claim, exc)
        raise


async def _run(shop: Workshop, claim: Claim, lease: Lease) -> Result:
    """Nothing is keyed that is there already. An automation service in trouble ends it like a run that failed."""
    try:
        known = await verifying.before(shop, claim)
        if isinstance(known, Result):
            return known
        return await _follow(shop, claim, await _begin(shop, known), lease)
    except questions.Unanswered as exc:
        raise RunEnded(questions.UNANSWERED, run_over=True) from exc
    except errors.Fenced as exc:
        raise Fenced from exc
    except errors.EngineError as exc:
        raise RunEnded(_trouble(exc), run_over=False) from exc


async def _begin(shop: Workshop, claim: Claim) -> RunHandle:
    """Start the run, or attach to it; `last_seq` of the answer is the event after which to go on. Raises `Fenced`."""
    await make_renditions(shop, claim)
    inputs = await shop.ask(store.RUN_INPUTS, record=claim.record_id)
    engine = shop.engine_of(claim)
    resume: Resume | None = None
    if claim.attempt > 1 and "resume" in engine.caps:
        steps = {"job": claim.id, "attempt": claim.attempt, "recipe_version": claim.recipe_version}
        resume = resume_of(await shop.ask(store.CONFIRMED_STEPS, **steps))
    await questions.await_approval_of_start(shop, claim, engine, inputs)
    await await_start(shop, claim)
    fresh = await ungated.intend(shop, claim, engine)
    try:
        run = await engine.start(run_spec(shop.settings, claim, inputs, resume=resume), key=claim.run_key)
    except errors.Fenced:
        raise
    except errors.EngineError as exc:
        raise RunEnded(_trouble(exc), run_over=fresh and ungated.nothing_started(exc)) from exc
    attached = await shop.ask(
        store.ATTACH_RUN,
        job=claim.id,
        attempt=claim.attempt,
        generation=claim.generation,
        run_id=run.run_id,
        last_seq=run.last_seq,
    )
    if attached.after is None:
        raise Fenced
    return RunHandle(run_id=run.run_id, key=run.key, replayed=run.replayed, last_seq=attached.after)


async def _follow(shop: Workshop, claim: Claim, run: RunHandle, lease: Lease) -> Result:
    """The run's events, one by one, to the end. Raises `RunEnded`, `RunCancelled` and `Fenced`."""
    engine = shop.engine_of(claim)
    recorder = Recorder(shop, claim, run)
    lease.on_cancel = lambda: _ask_to_stop(engine, run)
    async with Flight(shop, claim) as flight:
        async for event in engine.events(run, after=run.last_seq, deadline_s=shop.settings.attempt_s):
            await crashpoint("P1", subject=claim.id)
            await recorder.record(event)
            if event.type == "step.started":
                await crashpoint("W3", subject=claim.id)
            if event.type == "commit.requested":
                await open_gate(shop, claim, run, event, flight)
            elif event.type == "input.required":
                await questions.on_question(shop, claim, run, event)
            elif event.type == "commit.observed":
                await crashpoint("C3", subject=claim.id)
                await flight.end(event.read(told.CommitObserved))
            elif event.terminal:
                return _ending(event)
        return _standing(await engine.run(run.run_id))


def _ending(event: Event) -> Result:
    """What a terminal event says. Raises `RunEnded` and `RunCancelled`."""
    if event.type == "run.succeeded":
        return event.read(told.RunSucceeded).result
    if event.type == "run.failed":
        raise RunEnded(event.read(told.RunFailed).error, run_over=True)
    raise RunCancelled


def _standing(run: RunView) -> Result:
    """The same, of a run whose last event was heard before."""
    if run.result is not None:
        return run.result
    if run.error is not None:
        raise RunEnded(run.error, run_over=True)
    if run.status == "cancelled":
        raise RunCancelled
    failure = RunFailure.of("STREAM_LOST", "the run's events ended without an end", outcome="not_submitted")
    raise RunEnded(failure, run_over=False)


def _trouble(exc: errors.EngineError) -> RunFailure:
    """The service could not be asked; a run of ours may go on there. A run that it has forgotten is begun again."""
    if isinstance(exc, errors.RunUnknown):
        return RunFailure.of("WORKER_LOST", "the automation service has lost the run", outcome="not_submitted")
    wait_s = exc.retry_after_s if isinstance(exc, errors.ServiceBusy) else None
    return RunFailure(
        code=exc.code,
        message=str(exc),
        error_class=exc.error_class,
        outcome="not_submitted",
        retry_after_s=math.ceil(wait_s) if wait_s else None,
    )


async def _ask_to_stop(engine: Engine, run: RunHandle) -> None:
    """A cancel that comes too late is none: the run goes on to its end."""
    with contextlib.suppress(errors.EngineError):
        await engine.cancel(run, reason="cancelled by a person")
