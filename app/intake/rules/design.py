"""The rule on the plan: what was built against what the asset's design says."""

from __future__ import annotations

from collections.abc import Iterator

from app.intake import geometry
from app.intake.form_defs import applies
from app.intake.form_rules import Planned
from app.intake.position import number
from app.intake.rules.context import Finding, RuleContext, said
from app.intake.rules.paths import places
from app.intake.rules.position import metres
from app.intake.strict_json import Json


def design_mismatch(ctx: RuleContext) -> Iterator[Finding]:
    """Major: an asset that the project does not plan, one recorded at another place, or a value other than planned."""
    design = ctx.related.design
    if design is None:
        if ctx.related.has_design:
            message = f"The asset {said(ctx.upload.asset)} is not in the project's design."
            yield _finding("asset", message, {"value": ctx.upload.asset, "expected": None})
        return
    yield from _elsewhere(ctx)
    for planned in ctx.form.rules.design:
        if applies(planned.when, ctx.upload.fields):
            expected = [raw for _, raw in places(design.expected, planned.expected) if raw is not None]
            for field, raw in places(ctx.upload.fields, planned.field):
                if expected and raw is not None and not _as_planned(raw, expected[0], planned):
                    message = f"“{ctx.form.label(field)}” is {said(raw)}; the design says {_words(expected[0])}."
                    evidence: dict[str, Json] = {"value": raw, "expected": expected[0]}
                    yield _finding(field, message, evidence | {"tolerance_pct": planned.tolerance_pct})


def _elsewhere(ctx: RuleContext) -> Iterator[Finding]:
    design, position = ctx.related.design, ctx.upload.position
    if design is None or design.lat is None or design.lon is None or position is None:
        return
    distance = geometry.between(position.lat, position.lon, design.lat, design.lon)
    if distance - (position.h_accuracy_m or 0.0) > design.tolerance_m:
        message = (
            f"The record was made {metres(distance)} from where the design has {said(ctx.upload.asset)}; "
            f"at most {metres(design.tolerance_m)} is allowed."
        )
        yield _finding("asset", message, {"distance_m": round(distance, 1), "allowed_m": design.tolerance_m})


def _as_planned(raw: Json, expected: Json, planned: Planned) -> bool:
    if isinstance(expected, list):
        return any(_as_planned(raw, each, planned) for each in expected)
    built, wanted = number(raw), number(expected)
    if built is None and wanted is None:
        return _plain(raw) == _plain(expected)
    # A design from a table has numbers where a form has texts, and the other way round.
    built, wanted = _amount(raw), _amount(expected)
    if built is None or wanted is None:
        return False
    return abs(built - wanted) <= abs(wanted) * planned.tolerance_pct / 100 + 1e-9


def _amount(value: Json) -> float | None:
    try:
        return number(float(value)) if isinstance(value, str) else number(value)
    except ValueError:
        return None


def _plain(value: Json) -> Json:
    """Case and spaces do not make another model."""
    return "".join(value.casefold().split()) if isinstance(value, str) else value


def _words(expected: Json) -> str:
    return " or ".join(said(each) for each in expected[:5]) if isinstance(expected, list) else said(expected)


def _finding(field: str, message: str, evidence: dict[str, Json]) -> Finding:
    return Finding(rule="design-mismatch", severity="major", field=field, message=message, evidence=evidence)
