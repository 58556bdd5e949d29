"""Rules on measurements, each alone: the accepted range of the form, and values that look like another unit."""

from __future__ import annotations

import math
from collections.abc import Iterator

from app.intake.form_defs import Measure, applies
from app.intake.rules.context import Finding, RuleContext
from app.intake.rules.paths import numbers

_METRES = {"mm": 0.001, "cm": 0.01, "in": 0.0254, "ft": 0.3048, "m": 1.0}
_WORDS = {"mm": "millimetres", "cm": "centimetres", "in": "inches", "ft": "feet", "m": "metres"}


def measurement_out_of_range(ctx: RuleContext) -> Iterator[Finding]:
    """Severity as the form says. Texts and empty fields are left to the rules on the form."""
    for measure, field, value in _judged(ctx):
        limit = _limit(measure, value)
        if limit is not None:
            yield Finding(
                rule="measurement-out-of-range",
                severity=measure.severity,
                field=field,
                message=f"“{ctx.form.label(field)}” is {value:g} {measure.unit}; {limit} {measure.unit}.",
                evidence={"value": value, "min": measure.min, "max": measure.max, "unit": measure.unit},
            )


def unit_slip(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: a value out of range that would be in it in another unit, or with its decimal point elsewhere.

    A hint beside the range's own finding, which keeps its severity: a reading that is really bad may look like a slip.
    """
    for measure, field, value in _judged(ctx):
        slip = None if _limit(measure, value) is None else _slip(measure, value)
        if slip is not None:
            words, meant = slip
            yield Finding(
                rule="unit-slip",
                severity="minor",
                field=field,
                message=f"“{ctx.form.label(field)}”: {value:g} {words}; that would be {meant:g} {measure.unit}.",
                evidence={"value": value, "meant": meant, "unit": measure.unit},
            )


def _judged(ctx: RuleContext) -> Iterator[tuple[Measure, str, float]]:
    for measure in ctx.form.measures:
        if applies(measure.when, ctx.upload.fields):
            for field, value in numbers(ctx.upload.fields, measure.field):
                yield measure, field, value


def _limit(measure: Measure, value: float) -> str | None:
    if measure.max is not None and value > measure.max:
        return f"it must be at most {measure.max:g}"
    if measure.min is not None and value < measure.min:
        return f"it must be at least {measure.min:g}"
    return None


def _slip(measure: Measure, value: float) -> tuple[str, float] | None:
    """What the value looks like, and what it would mean."""
    for unit, metres in _METRES.items():
        meant = value * metres / _METRES[measure.unit] if measure.unit in _METRES else value
        if unit != measure.unit and measure.unit in _METRES and _limit(measure, meant) is None:
            return f"looks like {_WORDS[unit]}", _rounded(meant)
    # One limit alone is met by any value with enough zeros: there only a whole prefix counts (kΩ for Ω).
    factors = (0.1, 10.0, 0.001, 1000.0) if None not in (measure.min, measure.max) else (0.001, 1000.0)
    for factor in factors:
        if _limit(measure, value * factor) is None and _is_far(measure, value, factor):
            words = (
                "seems to have its decimal point in the wrong place"
                if factor in (0.1, 10.0)
                else (
                    "looks like a thousand times too much" if factor < 1 else "looks like a thousand times too little"
                )
            )
            return words, _rounded(value * factor)
    return None


def _is_far(measure: Measure, value: float, factor: float) -> bool:
    """Nearer to the slip than to the limit, so that 0.31 of at most 0.3 is no slipped 3.1."""
    limit = measure.max if factor < 1 else measure.min
    if limit is None or limit <= 0 or value <= 0:
        return False
    return abs(math.log10(value / limit)) >= abs(math.log10(factor)) / 2


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
