"""What follows a failure: which repeats, which costs, and which is looked into first."""

from __future__ import annotations

import pytest

from tasks.engines.contract import Outcome, RunFailure
from tasks.retry import decide, repeated


def failure(code: str, *, outcome: Outcome = "not_submitted", action: str = "Click Save") -> RunFailure:
    made = RunFailure.of(code, "it failed", outcome=outcome, step="photos")
    return RunFailure(
        code=made.code,
        message=made.message,
        error_class=made.error_class,
        step="photos",
        action=action,
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("before", "code", "next_"),
    [
        ((None, None, None), "ELEMENT_TIMEOUT", "again"),
        (("ELEMENT_TIMEOUT", "photos", "Click Save"), "ELEMENT_MISSING", "fail"),
        (("ELEMENT_TIMEOUT", "photos", "Click Cancel"), "ELEMENT_TIMEOUT", "again"),
        (("ELEMENT_TIMEOUT", "details", "Click Save"), "ELEMENT_TIMEOUT", "again"),
        (("PORTAL_ERROR", "photos", "Click Save"), "ELEMENT_TIMEOUT", "again"),
    ],
)
def test_what_is_late_twice_at_the_same_place_is_missing(
    before: tuple[str | None, str | None, str | None], code: str, next_: str
) -> None:
    judged = repeated(failure("ELEMENT_TIMEOUT"), before=before)
    assert (judged.code, decide(judged).next) == (code, next_)


def test_only_what_is_late_becomes_missing() -> None:
    same = failure("PORTAL_ERROR")
    assert repeated(same, before=("PORTAL_ERROR", "photos", "Click Save")) is same


@pytest.mark.parametrize(
    ("code", "spends"),
    [("PORTAL_TIMEOUT", "attempt"), ("PORTAL_REJECTED", "attempt"), ("BROWSER_LOST", "interruption")],
)
@pytest.mark.parametrize("outcome", ["unknown", "submitted"])
def test_an_outcome_that_is_open_is_looked_into_whatever_the_code(code: str, spends: str, outcome: Outcome) -> None:
    decision = decide(failure(code, outcome=outcome))
    assert (decision.next, decision.spends) == ("verify", spends)


def test_a_duplicate_is_looked_into_and_costs_nothing() -> None:
    decision = decide(failure("DUPLICATE_REFERENCE"))
    assert (decision.next, decision.spends) == ("verify", "nothing")
