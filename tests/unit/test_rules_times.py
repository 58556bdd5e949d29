"""Rules on the record's times, and on its form's state: each at and beyond its border."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.intake.rules import RuleContext
from tests.unit.records import check, context, found, only

NOW = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)


def at(*, captured: datetime | None = NOW, sent: datetime | None = NOW, **facts: Any) -> RuleContext:
    judged = context(captured_at=captured and captured.isoformat(), sent_at=sent and sent.isoformat())
    return msgspec.structs.replace(judged, received_at=NOW, **facts)


@pytest.mark.parametrize("seconds", [0, 300, -300])
def test_a_clock_that_is_a_little_off_is_no_finding(seconds: int) -> None:
    assert found(at(sent=NOW + timedelta(seconds=seconds))) == []


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(301, "5 minutes ahead of ours"), (-7_200, "2 hours behind ours"), (90_000, "25 hours ahead of ours")],
)
def test_a_clock_that_is_off_is_told(seconds: int, message: str) -> None:
    finding = only(at(sent=NOW + timedelta(seconds=seconds)))
    assert (finding.rule, finding.severity, finding.field) == ("clock-skew", "info", "sent_at")
    assert finding.message == f"The phone's clock is {message}."
    assert finding.evidence["skew_s"] == seconds


def test_without_a_time_of_sending_or_of_receiving_there_is_nothing_to_compare() -> None:
    assert found(at(sent=None, captured=None)) == []
    late = context(sent_at="2026-05-04T09:00:00Z", captured_at="2027-05-04T09:00:00Z")
    assert found(late) == []


def test_captured_an_hour_ahead_is_the_border_of_the_future() -> None:
    assert found(at(captured=NOW + timedelta(hours=1))) == []
    finding = only(at(captured=NOW + timedelta(hours=1, seconds=1)))
    assert (finding.rule, finding.severity, finding.field) == ("captured-in-future", "major", "captured_at")
    assert finding.message == "The record says it was captured 60 minutes from now."


@pytest.mark.parametrize(
    ("starts_on", "tz", "fine"),
    [
        (date(2026, 5, 4), "UTC", True),
        (date(2026, 5, 5), "UTC", False),
        # 15:00 UTC is already the next day in Auckland.
        (date(2026, 5, 5), "Pacific/Auckland", True),
        (date(2026, 5, 5), "nowhere", False),
        (None, "UTC", True),
    ],
)
def test_captured_before_the_first_day_of_the_work(starts_on: date | None, tz: str, fine: bool) -> None:
    expected = [] if fine else [("captured-before-start", "minor", "captured_at")]
    assert found(at(starts_on=starts_on, tz=tz)) == expected


def test_a_clock_that_was_never_set_is_told_without_a_start_of_the_project() -> None:
    assert found(at(captured=datetime(2000, 1, 1, tzinfo=UTC))) == []
    finding = only(at(captured=datetime(1999, 12, 31, 23, tzinfo=UTC)))
    assert finding.rule == "captured-before-start"
    assert finding.evidence["starts_on"] == "2000-01-01"


def test_a_newer_version_and_a_closing_form_are_only_told() -> None:
    old = only(at(newer_version=3))
    assert (old.rule, old.severity, old.evidence) == ("form-outdated", "info", {"version": 1, "newest": 3})
    for closing in ("form", "project"):
        finding = only(at(closing=closing))
        assert (finding.rule, finding.severity, finding.evidence) == ("form-closing", "info", {"closing": closing})


def test_a_form_may_change_a_rules_severity_or_switch_it_off() -> None:
    ctx = at(sent=NOW + timedelta(hours=1), newer_version=3)
    rules = msgspec.structs.replace(ctx.form.rules, severity={"clock-skew": "major", "form-outdated": "off"})
    changed = msgspec.structs.replace(ctx, form=msgspec.structs.replace(ctx.form, rules=rules))
    assert [(f.rule, f.severity) for f in check(changed)] == [("clock-skew", "major")]
