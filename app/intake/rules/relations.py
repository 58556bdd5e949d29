"""The rule on measurements that must agree with one another, by the relations a form names."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake.form_defs import applies
from app.intake.form_rules import Count, Largest, Relation, Spread, Sum, TwoWay
from app.intake.position import number
from app.intake.rules.context import Finding, RuleContext
from app.intake.rules.paths import numbers, places
from app.intake.strict_json import Json

# Decimal fractions do not add up exactly in binary.
_EXACT = 1e-9


def measurements_inconsistent(ctx: RuleContext) -> Iterator[Finding]:
    """Minor, or as the form says. What is empty or no number is left to the rules on the form."""
    for relation in ctx.form.rules.relations:
        if applies(relation.when, ctx.upload.fields):
            yield from _judge(ctx, relation)


def _judge(ctx: RuleContext, relation: Relation) -> Iterator[Finding]:
    match relation:
        case Sum():
            yield from _sum(ctx, relation)
        case Largest():
            yield from _largest(ctx, relation)
        case Count():
            yield from _count(ctx, relation)
        case Spread():
            yield from _spread(ctx, relation)
        case TwoWay():
            yield from _two_way(ctx, relation)


def _sum(ctx: RuleContext, relation: Sum) -> Iterator[Finding]:
    said = number(ctx.upload.fields.get(relation.field))
    parts = [raw for path in relation.of for _, raw in places(ctx.upload.fields, path)]
    read = [value for value in map(number, parts) if value is not None]
    if said is None or not read or len(read) < len(parts):
        return
    allowed = max(relation.tolerance, abs(said) * relation.tolerance_pct / 100)
    if abs(said - sum(read)) > allowed + _EXACT:
        words = " and ".join(f"“{ctx.form.label(path)}”" for path in relation.of)
        message = f"“{ctx.form.label(relation.field)}” is {said:g}, but {words} add up to {sum(read):g}."
        evidence: dict[str, Json] = {"value": said, "expected": round(sum(read), 9), "tolerance": allowed}
        yield _finding(relation, relation.field, message, evidence)


def _largest(ctx: RuleContext, relation: Largest) -> Iterator[Finding]:
    said = number(ctx.upload.fields.get(relation.field))
    read = numbers(ctx.upload.fields, relation.of)
    if said is None or not read:
        return
    place, top = max(read, key=lambda pair: pair[1])
    if abs(said - top) > relation.tolerance + _EXACT:
        message = f"“{ctx.form.label(relation.field)}” is {said:g}, but “{ctx.form.label(place)}” is {top:g}."
        yield _finding(
            relation, relation.field, message, {"value": said, "expected": top, "tolerance": relation.tolerance}
        )


def _count(ctx: RuleContext, relation: Count) -> Iterator[Finding]:
    said = number(ctx.upload.fields.get(relation.field))
    rows = ctx.upload.fields.get(relation.rows)
    if said is not None and isinstance(rows, list) and said != len(rows):
        label = ctx.form.label(relation.rows)
        message = f"“{ctx.form.label(relation.field)}” is {said:g}, but “{label}” has {len(rows)} rows."
        yield _finding(relation, relation.field, message, {"value": said, "expected": len(rows)})


def _spread(ctx: RuleContext, relation: Spread) -> Iterator[Finding]:
    read = [pair for path in relation.of for pair in numbers(ctx.upload.fields, path)]
    values = [value for _, value in read]
    mean = sum(values) / len(values) if values else 0.0
    if len(values) < 2 or mean <= 0:
        return
    spread = (max(values) - min(values)) / mean * 100
    if spread > relation.max_pct + _EXACT:
        place, worst = max(read, key=lambda pair: abs(pair[1] - mean))
        message = (
            f"“{ctx.form.label(place)}” is {worst:g}, while the mean is {mean:.4g}: the values differ by {spread:.1f} %, "
            f"at most {relation.max_pct:g} % is usual."
        )
        evidence: dict[str, Json] = {
            "values": list(values),
            "spread_pct": round(spread, 2),
            "max_pct": relation.max_pct,
        }
        yield _finding(relation, place, message, evidence)


def _two_way(ctx: RuleContext, relation: TwoWay) -> Iterator[Finding]:
    rows = ctx.upload.fields.get(relation.rows)
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        if not isinstance(row, dict):
            continue
        there, back = number(row.get(relation.there)), number(row.get(relation.back))
        at = f"{relation.rows}/{index}"
        if there is not None and back is not None:
            yield from _averaged(ctx, relation, at, (there + back) / 2, number(row.get(relation.average or "")))
        elif there is not None or back is not None:
            lacks = f"{at}/{relation.back if back is None else relation.there}"
            message = (
                f"“{ctx.form.label(lacks)}” is missing: it was measured in one direction only, which can hide a loss."
            )
            yield _finding(relation, lacks, message, {"there": there, "back": back})


def _averaged(ctx: RuleContext, relation: TwoWay, at: str, mean: float, said: float | None) -> Iterator[Finding]:
    field = f"{at}/{relation.average or relation.there}"
    if said is not None and abs(said - mean) > relation.tolerance + _EXACT:
        message = f"“{ctx.form.label(field)}” is {said:g}, but the mean of both directions is {mean:.4g}."
        yield _finding(relation, field, message, {"value": said, "expected": round(mean, 9)})
    elif relation.max is not None and mean > relation.max + _EXACT:
        message = f"“{ctx.form.label(field)}”: the mean of both directions is {mean:.4g}; at most {relation.max:g} is allowed."
        yield _finding(relation, field, message, {"value": round(mean, 9), "max": relation.max})


def _finding(relation: Relation, field: str, message: str, evidence: dict[str, Json]) -> Finding:
    return Finding(
        rule="measurements-inconsistent",
        severity=relation.severity,
        field=field,
        message=message,
        evidence={"relation": relation.__struct_config__.tag or "", **evidence},
    )
