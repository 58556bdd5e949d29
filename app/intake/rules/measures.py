"""The rule on measurements: each accepted range of the form against the value, or against each row of a table."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake.form_defs import Measure, applies
from app.intake.position import number
from app.intake.rules.context import Finding, RuleContext
from app.intake.strict_json import Json


def measurement_out_of_range(ctx: RuleContext) -> Iterator[Finding]:
    """Severity as the form says. Texts and empty fields are left to the rules on the form."""
    for measure in ctx.form.measures:
        if not applies(measure.when, ctx.upload.fields):
            continue
        for field, raw in _places(ctx.upload.fields, measure.field.split("/")):
            value = number(raw)
            limit = None if value is None else _limit(measure, value)
            if value is not None and limit is not None:
                yield Finding(
                    rule="measurement-out-of-range",
                    severity=measure.severity,
                    field=field,
                    message=f"“{ctx.form.label(field)}” is {value:g} {measure.unit}; {limit} {measure.unit}.",
                    evidence={"value": value, "min": measure.min, "max": measure.max, "unit": measure.unit},
                )


def _limit(measure: Measure, value: float) -> str | None:
    if measure.max is not None and value > measure.max:
        return f"it must be at most {measure.max:g}"
    if measure.min is not None and value < measure.min:
        return f"it must be at least {measure.min:g}"
    return None


def _places(value: Json, path: list[str], at: str = "") -> Iterator[tuple[str, Json]]:
    if not path:
        yield at, value
        return
    step, *rest = path
    if step == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, rest, f"{at}/{index}" if at else str(index))
    elif isinstance(value, dict) and step in value:
        yield from _places(value[step], rest, f"{at}/{step}" if at else step)
