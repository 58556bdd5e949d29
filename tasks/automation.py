"""The job: claim an attempt, drive its run at the automation service, settle how it ended. Nothing else knows the whole.

How the queue row ends says how the attempt ended: succeeded (completed, or parked for a person), failed, or aborted
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
from psycopg.types.json import Jsonb

from app.core.crashpoints import crashpoint
from tasks import store, ungated
from tasks.engines import errors
from tasks.engines import events as told
from tasks.engines.contract import CommitGrant, Engine, Event, Found, Result, RunFailure, RunHandle
from tasks.inputs import run_spec
from tasks.lease import Fenced, Lease, undisturbed
from tasks.recorder import Recorder
from tasks.retry import Decision, decide
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


class AttemptFailed(Exception):
    """The attempt failed and is settled so; raised to end its queue row the same way."""


class _RunFailed(Exception):
    """The run, or the way to it, ended without success."""

    def __init__(self, failure: RunFailure, *, run_over: bool) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.run_over = run_over


class _RunCancelled(Exception):
    """The run was stopped, before anything was submitted, as a person asked."""


async def automate(shop: Workshop, job_id: UUID, queue_job_id: int) -> None:
    """Run one attempt of a job to its end. Raises `AttemptFailed` and Procrastinate's `JobAborted`."""
    claim = await shop.ask(
        store.CLAIM, job=job_id, queue_job=queue_job_id, worker=shop.worker, lease_s=shop.settings.lease_s
    )
    if claim is None:
        log.info("the queue row is not the job's any more", extra={"event": "attempt.superseded", "job": job_id})
        raise JobAborted
    said = {"job": claim.id, "attempt": claim.attempt}
    log.info("attempt began", extra={"event": "attempt.began", **said})
    try:
        await crashpoint("W2", subject=claim.id)
        await _attempt(shop, claim, queue_job_id)
    except _RunCancelled as exc:
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
    """Drive the run, and settle how it ended. Raises `_RunCancelled`, `Fenced`, `AttemptFailed` and `JobAborted`."""
    lease = Lease(shop, claim)
    drive = _drive_alone(shop, claim, lease, queue_job_id) if claim.suspect else _drive(shop, claim, lease)
    try:
        result = await lease.hold(drive)
    except _RunFailed as exc:
        await _settle_failure(shop, claim, exc)
    except (_RunCancelled, Fenced):
        raise
    except Exception as exc:
        failure = RunFailure.of("INTERNAL", f"{type(exc).__name__}: {exc}", outcome="not_submitted")
        await _settle_failure(shop, claim, _RunFailed(failure, run_over=False), trace=traceback.format_exc())
    else:
        await crashpoint("W6", subject=claim.id)
        await _complete(shop, claim, result)
        await crashpoint("W7", subject=claim.id)


async def _drive_alone(shop: Workshop, claim: Claim, lease: Lease, queue_job_id: int) -> Result:
    """As `_drive`, once nothing else runs in this process: the two workers before it were lost."""
    async with shop.company.alone(queue_job_id):
        if await shop.ask(store.BEGIN_ALONE, job=claim.id, attempt=claim.attempt) != 1:
            raise Fenced
        return await _drive(shop, claim, lease)


async def _drive(shop: Workshop, claim: Claim, lease: Lease) -> Result:
    """Start the run, or attach to it, and follow it to its result. Raises `_RunFailed` and `Fenced`."""
    if claim.submission == "confirmed":
        return Result(external_ref=claim.external_ref, confirmation_number=claim.confirmation, how="lookup")
    recorder = Recorder(shop, claim)
    run_over = False
    try:
        engine = shop.engine_of(claim)
        inputs = await shop.ask(store.RUN_INPUTS, record=claim.record_id)
        if claim.submission == "intent" and await engine.run_by_key(claim.run_key) is None:
            # A new run would key the record again, and nobody knows what became of the request of the lost one.
            failure = RunFailure.of("SUBMIT_OUTCOME_UNKNOWN", "the run that was to submit is lost", outcome="unknown")
            raise _RunFailed(failure, run_over=True)
        fresh = await ungated.intend(shop, claim, engine)
        try:
            run = await engine.start(run_spec(shop.settings, claim, inputs), key=claim.run_key)
        except errors.EngineError as exc:
            run_over = fresh and ungated.nothing_started(exc)
            raise
        await shop.ask(store.NOTE_RUN, job=claim.id, generation=claim.generation, run_id=run.run_id)
        lease.on_cancel = lambda: _ask_to_stop(engine, run)
        async for event in engine.events(run, deadline_s=shop.settings.attempt_s):
            run_over = event.terminal
            await recorder.record(event)
            if event.type == "step.started":
                await crashpoint("W3", subject=claim.id)
            if event.type == "commit.requested":
                await _open_gate(shop, claim, engine, run, event)
            elif event.terminal:
                return _ending(event)
    except errors.Fenced as exc:
        raise Fenced from exc
    except errors.EngineError as exc:
        failure = RunFailure(
            code=exc.code,
            message=str(exc),
            error_class=exc.error_class,
            outcome="not_submitted",
            retry_after_s=math.ceil(exc.retry_after_s)
            if isinstance(exc, errors.ServiceBusy) and exc.retry_after_s
            else None,
        )
        raise _RunFailed(failure, run_over=run_over) from exc
    failure = RunFailure.of("STREAM_LOST", "the run's events ended without an end", outcome="not_submitted")
    raise _RunFailed(failure, run_over=False)


async def _open_gate(shop: Workshop, claim: Claim, engine: Engine, run: RunHandle, event: Event) -> None:
    """The intent first, committed; then the one word that lets the request out. Raises `Fenced`."""
    if (await engine.run(run.run_id)).status != "awaiting_commit":
        return  # an old event of a run we attached to
    request: told.CommitRequested = event.read(told.CommitRequested)
    attempt = {"job": claim.id, "attempt": claim.attempt}
    intended = await shop.ask(store.RECORD_INTENT, **attempt)
    if not intended.done:
        # An intent for this very run stands: an earlier attempt's, or ours when its answer was lost. The gate is still
        # closed, and our higher attempt keeps the earlier one out, so nothing of it was sent or can be.
        await shop.ask(store.REFUTE_INTENT, **attempt, evidence=Jsonb({"run": claim.run_key, "gate": "closed"}))
        intended = await shop.ask(store.RECORD_INTENT, **attempt)
    if not intended.done:
        await engine.authorize_commit(run, CommitGrant(token=request.token, attempt=claim.attempt, decision="abort"))
        raise Fenced
    await crashpoint("W4", subject=claim.id)
    # A lost answer, or a gate that closed meanwhile, is no failure: the run's events tell what became of it.
    with contextlib.suppress(errors.ServiceUnavailable, errors.NotAwaitingCommit):
        await engine.authorize_commit(run, CommitGrant(token=request.token, attempt=claim.attempt))
    await crashpoint("W5", subject=claim.id)


def _ending(event: Event) -> Result:
    """What a terminal event says. Raises `_RunFailed`."""
    if event.type == "run.succeeded":
        return event.read(told.RunSucceeded).result
    if event.type == "run.failed":
        raise _RunFailed(event.read(told.RunFailed).error, run_over=True)
    raise _RunCancelled


async def _complete(shop: Workshop, claim: Claim, result: Result) -> None:
    settled = await shop.ask(
        store.SETTLE_COMPLETED,
        job=claim.id,
        attempt=claim.attempt,
        confirmation=result.confirmation_number,
        how=result.how,
        portal_url=result.portal_url,
    )
    if not settled.done:
        raise JobAborted
    log.info("job completed", extra={"event": "job.completed", "job": claim.id, "attempt": claim.attempt})


async def _settle_failure(shop: Workshop, claim: Claim, ended: _RunFailed, *, trace: str = "") -> None:
    """Settle by the taxonomy. Returns when the job is well after all or waits for a person; else raises."""
    failure = ended.failure
    decision = decide(failure)
    if decision.next == "verify":
        found = await shop.engine_of(claim).lookup(
            portal=claim.portal_key, external_ref=claim.external_ref, account=claim.account
        )
        if isinstance(found, Found):
            number = found.confirmation_number
            url = found.evidence_url
            await _complete(
                shop,
                claim,
                Result(external_ref=claim.external_ref, confirmation_number=number, how="lookup", portal_url=url),
            )
            return
        decision = Decision(next="ask", spends="nothing", wait_reason="outcome_unknown")
    error = Jsonb(
        {
            "code": failure.code,
            "class": failure.error_class,
            "message": failure.message,
            "step": failure.step,
            "traceback": trace or None,
        }
    )
    attempt = {"job": claim.id, "attempt": claim.attempt}
    if failure.outcome == "not_submitted" and ended.run_over:
        evidence = Jsonb({"run": claim.run_key, "code": failure.code})
        await shop.ask(store.REFUTE_INTENT, **attempt, evidence=evidence)
    if decision.next == "ask":
        parked = await shop.ask(store.SETTLE_PARKED, **attempt, wait_reason=decision.wait_reason, error=error)
        if not parked.done:
            raise JobAborted
        return
    settled = await shop.ask(
        store.SETTLE_FAILED,
        **attempt,
        error=error,
        again=decision.next == "again",
        spends=decision.spends,
        run_over=ended.run_over,
        base_s=shop.settings.retry_base_s,
        wait_s=decision.wait_s,
    )
    if settled.state is None:
        raise JobAborted
    shop.due.set()
    raise AttemptFailed(failure.code)


async def _ask_to_stop(engine: Engine, run: RunHandle) -> None:
    """A cancel that comes too late is none: the run goes on to its end."""
    with contextlib.suppress(errors.EngineError):
        await engine.cancel(run, reason="cancelled by a person")


async def _detach(shop: Workshop, claim: Claim) -> None:
    async with shop.pool.connection() as conn:
        await store.SETTLE_DETACHED(conn, job=claim.id, attempt=claim.attempt)
