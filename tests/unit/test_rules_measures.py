"""Unit slips, and measurements that must agree: each relation of forms, at and beyond its border."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.intake.form_defs import Measure
from app.intake.form_rules import Count, Largest, Relation, Spread, Sum, Thresholds, TwoWay
from app.intake.rules import RuleContext
from app.intake.rules.context import Finding
from tests.unit.records import check, context, only


def measured(measure: Measure, value: object) -> RuleContext:
    ctx = context(fields={measure.field: value})
    return msgspec.structs.replace(ctx, form=msgspec.structs.replace(ctx.form, measures=(measure,)))


def related(relation: Relation, fields: dict[str, Any]) -> list[Finding]:
    ctx = context(fields=fields)
    form = msgspec.structs.replace(ctx.form, measures=(), rules=Thresholds(relations=(relation,)))
    return [f for f in check(msgspec.structs.replace(ctx, form=form)) if f.rule == "measurements-inconsistent"]


DEPTH = Measure(field="depth_m", unit="m", min=1.2, max=3.5)
COVER = Measure(field="depth_m", unit="mm", min=450, max=1200, severity="blocker")
EARTH = Measure(field="depth_m", unit="Ω", max=25)
INSULATION = Measure(field="depth_m", unit="MΩ", min=100)
VOLTS = Measure(field="depth_m", unit="V", min=238, max=244)
LOSS = Measure(field="depth_m", unit="dB", min=-0.3, max=0.3)


@pytest.mark.parametrize(
    ("measure", "value", "meant", "words"),
    [
        (DEPTH, 1800, 1.8, "1800 looks like millimetres; that would be 1.8 m."),
        (DEPTH, 180, 1.8, "180 looks like centimetres; that would be 1.8 m."),
        (DEPTH, 6.5, 1.981, "6.5 looks like feet; that would be 1.981 m."),
        (COVER, 0.6, 600, "0.6 looks like metres; that would be 600 mm."),
        (COVER, 24, 609.6, "24 looks like inches; that would be 609.6 mm."),
        (VOLTS, 2410, 241, "2410 seems to have its decimal point in the wrong place; that would be 241 V."),
        (VOLTS, 0.24, 240, "0.24 looks like a thousand times too little; that would be 240 V."),
        (EARTH, 4200, 4.2, "4200 looks like a thousand times too much; that would be 4.2 Ω."),
        (INSULATION, 0.25, 250, "0.25 looks like a thousand times too little; that would be 250 MΩ."),
    ],
)
def test_a_slip_is_hinted_at_beside_the_finding_itself(
    measure: Measure, value: float, meant: float, words: str
) -> None:
    out, slip = check(measured(measure, value))
    assert (out.rule, out.severity) == ("measurement-out-of-range", measure.severity)
    assert (slip.rule, slip.severity, slip.field) == ("unit-slip", "minor", measure.field)
    assert slip.message == f"“Setting depth (m)”: {words}"
    assert slip.evidence == {"value": value, "meant": pytest.approx(meant), "unit": measure.unit}


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        (DEPTH, 3.6),
        (DEPTH, 0.4),
        (EARTH, 26),
        # With one limit a tenth is no hint: a bad earth is bad.
        (EARTH, 240),
        (EARTH, 790),
        (INSULATION, 3.2),
        (VOLTS, 230),
        (LOSS, 0.31),
    ],
)
def test_a_value_that_is_merely_wrong_is_no_slip(measure: Measure, value: float) -> None:
    assert only(measured(measure, value)).rule == "measurement-out-of-range"


@pytest.mark.parametrize("value", [1.2, 3.5, "2", None])
def test_nothing_in_range_is_a_slip(value: object) -> None:
    assert "unit-slip" not in {f.rule for f in check(measured(DEPTH, value))}


SUM = Sum(field="depth_m", of=("rows/*/n", "extra"), tolerance=0.5, tolerance_pct=2, severity="major")
LARGEST = Largest(field="depth_m", of="rows/*/n", tolerance=0.25)
COUNT = Count(field="depth_m", rows="rows")
SPREAD = Spread(of=("rows/*/n",), max_pct=5)
TWO_WAY = TwoWay(rows="rows", there="ab", back="ba", average="mean", tolerance=0.01, max=0.1)


def rows(*numbers: object) -> dict[str, Any]:
    return {"rows": [{"n": n} for n in numbers]}


AGREES: list[tuple[Relation, dict[str, Any]]] = [
    (SUM, {"depth_m": 10, **rows(4, 5), "extra": 0.5}),
    (SUM, {"depth_m": 100, **rows(98)}),
    (SUM, {"depth_m": 0.3, **rows(0.1, 0.2)}),
    (SUM, {"depth_m": 10, **rows(4, "x")}),
    (SUM, {"depth_m": 10, **rows(4, None)}),
    (SUM, {"depth_m": 10}),
    (SUM, {"depth_m": None, **rows(4, 5)}),
    (LARGEST, {"depth_m": 1.25, **rows(1, 0.2)}),
    (LARGEST, {"depth_m": 9, "rows": []}),
    (LARGEST, {"depth_m": 9, "rows": "none"}),
    (COUNT, {"depth_m": 2, **rows(1, 2)}),
    (COUNT, {"depth_m": 0, "rows": []}),
    (COUNT, {"depth_m": 5}),
    (SPREAD, rows(100, 100, 95.2)),
    (SPREAD, rows(100)),
    (SPREAD, rows(-1, 1)),
    (SPREAD, rows(0, 0)),
    (TWO_WAY, {"rows": [{"ab": 0.12, "ba": 0.08, "mean": 0.1}]}),
    (TWO_WAY, {"rows": [{"ab": -0.02, "ba": 0.16, "mean": 0.08}]}),
    (TWO_WAY, {"rows": [{"ab": 0.05, "ba": 0.05}, {}, "torn", None]}),
]


@pytest.mark.parametrize(("relation", "fields"), AGREES)
def test_what_agrees_within_its_border_is_no_defect(relation: Relation, fields: dict[str, Any]) -> None:
    assert related(relation, fields) == []


DIFFERS: list[tuple[Relation, dict[str, Any], str, str, dict[str, Any]]] = [
    (
        SUM,
        {"depth_m": 10, **rows(4, 5), "extra": 0.4},
        "depth_m",
        "“Setting depth (m)” is 10, but “rows n” and “extra” add up to 9.4.",
        {"relation": "sum", "value": 10.0, "expected": 9.4, "tolerance": 0.5},
    ),
    (
        SUM,
        {"depth_m": 100, **rows(97.9)},
        "depth_m",
        "“Setting depth (m)” is 100, but “rows n” and “extra” add up to 97.9.",
        {"relation": "sum", "value": 100.0, "expected": 97.9, "tolerance": 2.0},
    ),
    (
        LARGEST,
        {"depth_m": 1.3, **rows(0.2, 1)},
        "depth_m",
        "“Setting depth (m)” is 1.3, but “rows 2 n” is 1.",
        {"relation": "largest", "value": 1.3, "expected": 1.0, "tolerance": 0.25},
    ),
    (
        COUNT,
        {"depth_m": 3, **rows(1, 2)},
        "depth_m",
        "“Setting depth (m)” is 3, but “rows” has 2 rows.",
        {"relation": "count", "value": 3.0, "expected": 2},
    ),
    (
        SPREAD,
        rows(100, 100, 94.9),
        "rows/2/n",
        "“rows 3 n” is 94.9, while the mean is 98.3: the values differ by 5.2 %, at most 5 % is usual.",
        {"relation": "spread", "values": [100.0, 100.0, 94.9], "spread_pct": 5.19, "max_pct": 5},
    ),
    (
        TWO_WAY,
        {"rows": [{"ab": 0.1, "ba": 0.1, "mean": 0.1}, {"ab": -0.05}]},
        "rows/1/ba",
        "“rows 2 ba” is missing: it was measured in one direction only, which can hide a loss.",
        {"relation": "two-way", "there": -0.05, "back": None},
    ),
    (
        TWO_WAY,
        {"rows": [{"ba": 0.05}]},
        "rows/0/ab",
        "“rows 1 ab” is missing: it was measured in one direction only, which can hide a loss.",
        {"relation": "two-way", "there": None, "back": 0.05},
    ),
    (
        TWO_WAY,
        {"rows": [{"ab": 0.1, "ba": 0.04, "mean": 0.05}]},
        "rows/0/mean",
        "“rows 1 mean” is 0.05, but the mean of both directions is 0.07.",
        {"relation": "two-way", "value": 0.05, "expected": 0.07},
    ),
    (
        TWO_WAY,
        {"rows": [{"ab": 0.2, "ba": 0.02}]},
        "rows/0/mean",
        "“rows 1 mean”: the mean of both directions is 0.11; at most 0.1 is allowed.",
        {"relation": "two-way", "value": 0.11, "max": 0.1},
    ),
]


@pytest.mark.parametrize(("relation", "fields", "field", "message", "evidence"), DIFFERS)
def test_what_differs_is_said_with_both_numbers(
    relation: Relation, fields: dict[str, Any], field: str, message: str, evidence: dict[str, Any]
) -> None:
    (finding,) = related(relation, fields)
    assert (finding.severity, finding.field, finding.message) == (relation.severity, field, message)
    assert finding.evidence == evidence


def test_a_relation_may_be_conditional() -> None:
    steel = msgspec.structs.replace(COUNT, when={"pole_material": ["Steel"]})
    assert related(steel, {"depth_m": 3, **rows(1)}) == []
    assert len(related(steel, {"depth_m": 3, **rows(1), "pole_material": "Steel"})) == 1
