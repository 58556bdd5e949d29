"""The last act of an attempt: what its end means for the job, written in one transaction by the database's functions."""

from __future__ import annotations

import contextlib
import logging

from procrastinate.exceptions import JobAborted
from psycopg.types.json import Jsonb

from tasks import questions, store
from tasks.endings import AttemptFailed, OutcomeOpen, RunEnded
from tasks.engines.contract import Result, RunFailure
from tasks.retry import decide, repeated
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


async def complete(shop: Workshop, claim: Claim, result: Result) -> None:
    """The portal has the record. Raises `JobAborted` when the attempt is fenced."""
    settled = await shop.ask_at(
        "S2",
        claim.id,
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


async def fail(shop: Workshop, claim: Claim, ended: RunEnded, *, trace: str = "") -> None:
    """By the taxonomy. Returns when the job waits for a person; else raises `AttemptFailed`; `JobAborted` or `Fenced` if fenced.

    `RunCancelled` when the run's question was withdrawn, as a person wished the job to end.
    """
    failure = await questions.read(shop, claim, ended.failure)
    failure = repeated(failure, before=(claim.last_code, claim.last_step, claim.last_action))
    decision = ended.decision or decide(failure)
    attempt = {"job": claim.id, "attempt": claim.attempt}
    if failure.outcome == "not_submitted" and ended.run_over:
        evidence = Jsonb({"run": claim.run_key, "code": failure.code})
        await shop.ask(store.REFUTE_INTENT, **attempt, evidence=evidence)
    if failure.error_class == "validation_rejected":
        await shop.ask(store.REPORT_REJECTION, **attempt, findings=Jsonb(_findings(failure)))
    if decision.wait_reason == "question":
        with contextlib.suppress(questions.Parked):
            await questions.ask_to_mend(shop, claim, failure)
        return
    if decision.next == "ask":
        parked = await shop.ask(
            store.SETTLE_PARKED, **attempt, wait_reason=decision.wait_reason, error=_error(failure, trace)
        )
        if not parked.done:
            raise JobAborted
        return
    settled = await shop.ask(
        store.SETTLE_FAILED,
        **attempt,
        error=_error(failure, trace),
        again=decision.next == "again",
        spends=decision.spends,
        run_over=ended.run_over,
        base_s=shop.settings.retry_base_s,
        wait_s=decision.wait_s,
    )
    if settled.state is None:
        raise JobAborted
    said = {"code": failure.code, "class": failure.error_class, "step": failure.step, "state": settled.state}
    log.warning("attempt failed", extra={"event": "attempt.failed", **attempt, **said})
    shop.due.set()
    raise AttemptFailed(failure.code)


async def leave_open(shop: Workshop, claim: Claim, open_: OutcomeOpen) -> None:
    """The job waits for the next look, or for a person. Raises `AttemptFailed`, or `JobAborted` if fenced."""
    settled = await shop.ask(
        store.SETTLE_VERIFYING,
        job=claim.id,
        attempt=claim.attempt,
        error=_error(open_.failure, ""),
        spends=open_.spends,
        run_over=open_.run_over,
        blind=open_.blind,
        look_s=shop.settings.look_s,
        verify_s=shop.settings.verify_s,
    )
    if settled.state is None:
        raise JobAborted
    said = {"event": "submission.open", "job": claim.id, "attempt": claim.attempt, "state": settled.state}
    log.warning("it is not known whether the portal has the record", extra=said)
    shop.due.set()
    if not open_.blind:
        raise AttemptFailed(open_.failure.code)


def _error(failure: RunFailure, trace: str) -> Jsonb:
    return Jsonb(
        {
            "code": failure.code,
            "class": failure.error_class,
            "message": failure.message,
            "step": failure.step,
            "action": failure.action,
            "traceback": trace or None,
        }
    )


def _findings(failure: RunFailure) -> list[dict[str, str | None]]:
    """One for each thing the portal said; its whole message when it named nothing."""
    said = [
        {"field": each.record_field or each.field, "portal_field": each.field, "message": each.text}
        for each in failure.portal_messages
    ]
    return said or [{"field": None, "portal_field": None, "message": failure.message}]
