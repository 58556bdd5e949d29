"""Has the portal taken the record in? Asked before anything is keyed again, and when a run leaves the question open.

It looks and answers; the waiting between two looks is the job's, in `retrying`, and holds no worker.
"""

from __future__ import annotations

import logging

import msgspec

from tasks import store
from tasks.endings import OutcomeOpen, RunEnded
from tasks.engines import errors
from tasks.engines.contract import Absent, Found, Lookup, Result, RunFailure, Unavailable, Unsupported
from tasks.retry import Decision, decide
from tasks.store import Claim
from tasks.workshop import Workshop

log = logging.getLogger("asbuilt.worker")


async def before(shop: Workshop, claim: Claim) -> Result | Claim:
    """What is known before a run is started or attached to: its result, or the claim as it stands now.

    Raises `OutcomeOpen` and `RunEnded`.
    """
    if claim.submission == "confirmed":
        return Result(external_ref=claim.external_ref, confirmation_number=claim.confirmation, how="lookup")
    if claim.submission is None and not claim.begun:
        return claim
    try:
        if await shop.engine_of(claim).run_by_key(claim.run_key) is not None:
            return claim
    except errors.EngineError as exc:
        if claim.submission != "intent":
            raise
        raise _open(f"the automation service does not say what it knows: {exc}") from exc
    answer = await _look(shop, claim)
    if isinstance(answer, Found):
        return _adopted(claim, answer)
    if claim.submission == "intent" and not await _settled(shop, claim, answer):
        raise _open(_words(answer), blind=isinstance(answer, Unsupported))
    if claim.spent:
        failure = RunFailure.of("SUBMIT_NOT_TAKEN", _not_taken(claim), outcome="not_submitted")
        raise RunEnded(failure, run_over=True, decision=Decision(next="fail", spends="nothing"))
    return claim if claim.submission is None else msgspec.structs.replace(claim, submission="absent")


async def after(shop: Workshop, claim: Claim, ended: RunEnded) -> Result:
    """The same for a run that ended without telling. Raises `OutcomeOpen` unless the portal shows the record."""
    answer = await _look(shop, claim)
    if isinstance(answer, Found):
        return _adopted(claim, answer)
    spends = decide(ended.failure).spends
    blind = isinstance(answer, Unsupported)
    raise OutcomeOpen(ended.failure, spends=spends, run_over=ended.run_over, blind=blind) from ended


async def _look(shop: Workshop, claim: Claim) -> Lookup:
    answer = await shop.engine_of(claim).lookup(
        portal=claim.portal_key, external_ref=claim.external_ref, account=claim.account
    )
    said = {"event": "submission.looked_up", "job": claim.id, "attempt": claim.attempt}
    log.info("looked the record up at the portal: %s", type(answer).__name__.lower(), extra=said)
    if isinstance(answer, Found) and answer.confirmation_number in claim.former:
        # A search that takes part of a reference shows the entry from before the record was run again.
        return Unavailable(reason=f"its search shows {answer.confirmation_number}, the entry before")
    return answer


async def _settled(shop: Workshop, claim: Claim, answer: Lookup) -> bool:
    """Whether "there is none" can be believed by now; the intent is taken back then."""
    if not isinstance(answer, Absent):
        return False
    return (await shop.ask(store.SETTLE_ABSENT, job=claim.id, attempt=claim.attempt, as_of=answer.as_of)).done


def _adopted(claim: Claim, found: Found) -> Result:
    return Result(
        external_ref=claim.external_ref,
        confirmation_number=found.confirmation_number,
        how="lookup",
        portal_url=found.evidence_url,
    )


def _open(message: str, *, blind: bool = False) -> OutcomeOpen:
    failure = RunFailure.of("SUBMIT_OUTCOME_UNKNOWN", message, outcome="unknown")
    return OutcomeOpen(failure, spends="nothing", run_over=False, blind=blind)


def _words(answer: Lookup) -> str:
    match answer:
        case Absent():
            return "the portal does not show the submission yet"
        case Unavailable() | Unsupported():
            return f"the portal could not be asked: {answer.reason}"
        case Found():
            return "the portal shows the submission"


def _not_taken(claim: Claim) -> str:
    last = f" (last: {claim.last_code})" if claim.last_code else ""
    return f"the portal has not taken the record in, and its {claim.spent} are used up{last}"
