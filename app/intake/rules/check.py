"""The ordered list of rules, and running them: no rule can lose an upload, and none can flood the list of defects."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec

from app.intake.rules import design, form, measures, others, photos, pixels, position, relations, serials, times
from app.intake.rules.context import Finding, Rule, RuleContext

log = logging.getLogger("asbuilt.intake")

RULES: tuple[Rule, ...] = (
    form.required_field_missing,
    form.value_invalid,
    form.time_invalid,
    measures.measurement_out_of_range,
    measures.unit_slip,
    relations.measurements_inconsistent,
    design.design_mismatch,
    serials.serial_malformed,
    serials.serial_duplicate,
    others.asset_already_recorded,
    photos.required_photo_missing,
    photos.photo_unreadable,
    photos.photo_too_small,
    pixels.photo_dark,
    pixels.photo_overexposed,
    pixels.photo_blurred,
    photos.photo_far_from_record,
    photos.photo_time_mismatch,
    photos.photo_duplicate_in_record,
    others.photo_reused,
    position.position_missing,
    position.position_swapped,
    position.position_mock,
    position.position_poor,
    position.outside_site,
    times.clock_skew,
    times.captured_in_future,
    times.captured_before_start,
    others.implausible_travel,
    form.form_outdated,
    form.form_closing,
)

MAX_A_RULE = 50
_MAX_FIELD = 200


def check(ctx: RuleContext) -> list[Finding]:
    """All findings, at most one for each rule, field and photo."""
    found: dict[tuple[str, str | None, str | None], Finding] = {}
    for rule in RULES:
        for finding in _run(rule, ctx):
            severity = ctx.form.rules.severity.get(finding.rule, finding.severity)
            if severity != "off":
                told = msgspec.structs.replace(finding, severity=severity)
                found.setdefault((finding.rule, finding.field, finding.photo), told)
    return list(found.values())


def _run(rule: Rule, ctx: RuleContext) -> Iterator[Finding]:
    try:
        findings = list(rule(ctx))
    except Exception:
        # A bug of ours must not bounce a crew's record; it is said on the record instead of passing as "no defects".
        log.exception("rule failed", extra={"event": "rule.failed", "rule": rule.__name__})
        name = rule.__name__.replace("_", "-")
        yield Finding(
            rule="rule-failed",
            severity="minor",
            field=name,
            message=f"The check “{name}” could not be made.",
            evidence={"check": name},
        )
        return
    for finding in findings[:MAX_A_RULE]:
        # Part of a unique index, whose entries Postgres limits.
        yield msgspec.structs.replace(finding, field=finding.field and finding.field[:_MAX_FIELD])
    if len(findings) > MAX_A_RULE:
        rest = len(findings) - MAX_A_RULE
        worst = findings[0]
        yield msgspec.structs.replace(
            worst,
            field=None,
            photo=None,
            message=f"{rest} further values have the same defect.",
            evidence={"more": rest},
        )
