"""Rules on the record's times against the server's clock and the project's start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.intake.rules.context import Finding, RuleContext

EARLIEST = date(2000, 1, 1)
"""Nothing was recorded on a phone before; a clock that was never set says so."""


def clock_skew(ctx: RuleContext) -> Iterator[Finding]:
    """Info: the phone's clock is off, by the time of sending; its other times are as wrong."""
    sent, received = ctx.upload.sent_at, ctx.received_at
    if sent is None or received is None:
        return
    skew = (sent - received).total_seconds()
    if abs(skew) > ctx.form.rules.clock_skew_s:
        way = "ahead of" if skew > 0 else "behind"
        yield Finding(
            rule="clock-skew",
            severity="info",
            field="sent_at",
            message=f"The phone's clock is {span(abs(skew))} {way} ours.",
            evidence={"sent_at": sent.isoformat(), "received_at": received.isoformat(), "skew_s": round(skew)},
        )


def captured_in_future(ctx: RuleContext) -> Iterator[Finding]:
    """Major: captured later than now, beyond what a clock may be off."""
    captured, received = ctx.upload.captured_at, ctx.received_at
    if captured is None or received is None:
        return
    ahead = (captured - received).total_seconds()
    if ahead > ctx.form.rules.future_s:
        yield Finding(
            rule="captured-in-future",
            severity="major",
            field="captured_at",
            message=f"The record says it was captured {span(ahead)} from now.",
            evidence={"captured_at": captured.isoformat(), "received_at": received.isoformat()},
        )


def captured_before_start(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: captured before the project began, on its own calendar."""
    captured = ctx.upload.captured_at
    starts_on = ctx.starts_on or EARLIEST
    if captured is not None and _day(captured, ctx.tz) < starts_on:
        yield Finding(
            rule="captured-before-start",
            severity="minor",
            field="captured_at",
            message=f"The record says it was captured on {_day(captured, ctx.tz)}, before work began on {starts_on}.",
            evidence={"captured_at": captured.isoformat(), "starts_on": starts_on.isoformat()},
        )


def span(seconds: float) -> str:
    """A length of time in words, in the largest unit that fits twice."""
    for size, unit in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _day(at: datetime, tz: str) -> date:
    try:
        zone = ZoneInfo(tz)
    except (LookupError, ValueError, OSError):
        return at.astimezone(UTC).date()
    return at.astimezone(zone).date()
