"""From how a run failed to what happens next. Pure: no I/O, no clock; the database computes when."""

from __future__ import annotations

from typing import Literal

import msgspec

from tasks.engines.codes import INTERRUPTIONS, ErrorClass, class_of
from tasks.engines.contract import RunFailure

Next = Literal["again", "fail", "ask", "verify"]
Spends = Literal["attempt", "interruption", "nothing"]

PORTAL_DOWN_S = 300.0
"""How long a portal that is down is left alone when it does not say itself."""


UNANSWERED = frozenset({"INPUT_EXPIRED", "NOT_APPROVED"})
"""A person was asked already: nobody is asked again, until somebody retries the job."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`again`: another attempt, while the budget lasts. `ask`: a person decides. `verify`: look the outcome up first.

    `wait_s` replaces the back-off; `wait_reason` says what an asked person is asked about.
    """

    next: Next
    spends: Spends = "attempt"
    wait_s: float | None = None
    wait_reason: str = ""


_BY_CLASS: dict[ErrorClass, Decision] = {
    "transient": Decision(next="again"),
    "portal_down": Decision(next="again", spends="nothing", wait_s=PORTAL_DOWN_S),
    # The account is paused and the job held with all others of it, in SQL: it goes on when a person has mended the login.
    "login_failed": Decision(next="again", spends="nothing"),
    "validation_rejected": Decision(next="fail"),
    "element_missing": Decision(next="fail"),
    "needs_human": Decision(next="ask", spends="nothing", wait_reason="question"),
    "duplicate": Decision(next="verify", spends="nothing"),
    "unknown_outcome": Decision(next="verify", spends="nothing"),
    "bug": Decision(next="fail"),
    "stopped": Decision(next="fail", spends="nothing"),
}


def repeated(failure: RunFailure, *, before: tuple[str | None, str | None, str | None]) -> RunFailure:
    """Something that did not appear in time, at the same place as in the attempt before, is missing; once is the portal's
    slowness. `before` is the code, step and action of that attempt's failure.
    """
    if failure.code != "ELEMENT_TIMEOUT" or before != (failure.code, failure.step, failure.action):
        return failure
    return msgspec.structs.replace(failure, code="ELEMENT_MISSING", error_class=class_of("ELEMENT_MISSING"))


def decide(failure: RunFailure) -> Decision:
    """What follows this failure. An outcome that is not `not_submitted` overrides code and class: verify first.

    The run that left the question open is what costs; finding out does not.
    """
    if failure.outcome != "not_submitted":
        return Decision(next="verify", spends="interruption" if failure.code in INTERRUPTIONS else "attempt")
    if failure.code in UNANSWERED:
        return Decision(next="fail", spends="nothing")
    if failure.code in INTERRUPTIONS:
        return Decision(next="again", spends="interruption")
    decision = _BY_CLASS[failure.error_class]
    if failure.retry_after_s is not None and decision.next == "again":
        return msgspec.structs.replace(decision, wait_s=float(failure.retry_after_s))
    return decision
