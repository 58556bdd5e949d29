"""Runs without a commit gate: their start is the point of no return, so that the intent stands before it."""

from __future__ import annotations

from tasks import store
from tasks.engines.contract import Engine
from tasks.engines.errors import EngineError, ServiceBusy, ServiceUnavailable
from tasks.lease import Fenced
from tasks.store import Claim
from tasks.workshop import Workshop


async def intend(shop: Workshop, claim: Claim, engine: Engine) -> bool:
    """Store the intent before the start of a run that has no gate; whether this attempt has stored it. Raises `Fenced`.

    A later attempt finds it standing, and may only attach.
    """
    if "commit_gate" in engine.caps or claim.submission == "intent":
        return False
    intended = await shop.ask(store.RECORD_INTENT, job=claim.id, attempt=claim.attempt)
    if not intended.done:
        raise Fenced
    return True


def nothing_started(exc: EngineError) -> bool:
    """Whether a start that raised this has certainly made no run; a lost answer may have made one."""
    return isinstance(exc, ServiceBusy) or not isinstance(exc, ServiceUnavailable)
