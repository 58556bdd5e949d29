"""Rules on what the database knows beside a record: its design, serial numbers, other records; each at its border."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.intake.form_rules import Planned, Serial, Thresholds
from app.intake.rules import RuleContext
from app.intake.rules.context import Design, Other, PhotoElsewhere, Previous, Related, SerialElsewhere
from app.intake.rules.serials import normal, serial_numbers
from tests.unit.records import GOOD, check, context, found, only

NOW = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
OTHER = {"id": "0199a3c4-7f00-7000-8000-0000000000ff", "reference": "AB-0123456789"}


def ruled(ctx: RuleContext, rules: Thresholds, **related: Any) -> RuleContext:
    form = msgspec.structs.replace(ctx.form, rules=rules, measures=())
    return msgspec.structs.replace(ctx, form=form, related=Related(**related))


def planned(fields: dict[str, Any], expected: dict[str, Any], *rules: Planned) -> RuleContext:
    return ruled(context(fields=fields), Thresholds(design=rules), design=Design(expected=expected), has_design=True)


DEPTH = Planned(field="depth_m", expected="depth_m", tolerance_pct=10)
MATERIAL = Planned(field="pole_material", expected="material")
MODEL = Planned(field="model", expected="model")
ROWS = Planned(field="rows/*/n", expected="counts/n")


@pytest.mark.parametrize(
    ("fields", "expected", "rule"),
    [
        ({"depth_m": 2.2}, {"depth_m": 2}, DEPTH),
        ({"depth_m": 1.8}, {"depth_m": 2}, DEPTH),
        ({"depth_m": 1.8}, {}, DEPTH),
        ({"depth_m": 1.8}, {"depth_m": None}, DEPTH),
        ({"pole_material": "Douglas fir"}, {"material": "DOUGLAS  FIR"}, MATERIAL),
        ({"pole_material": "Steel"}, {"material": ["Concrete", "steel"]}, MATERIAL),
        ({"rows": [{"n": 3}, {"n": "3"}]}, {"counts": {"n": 3}}, ROWS),
        ({"model": "12345678"}, {"model": 12345678}, MODEL),
        ({"model": "1.10"}, {"model": 1.1}, MODEL),
        ({"depth_m": 1.9}, {"depth_m": "2.0"}, DEPTH),
        ({"model": "007"}, {"model": "007"}, MODEL),
    ],
)
def test_what_is_as_planned_is_no_defect(fields: dict[str, Any], expected: dict[str, Any], rule: Planned) -> None:
    assert found(planned(fields, expected, rule)) == []


@pytest.mark.parametrize(
    ("fields", "expected", "rule", "field", "words"),
    [
        ({"depth_m": 2.21}, {"depth_m": 2}, DEPTH, "depth_m", "“Setting depth (m)” is 2.21; the design says 2."),
        ({"depth_m": 1.79}, {"depth_m": 2}, DEPTH, "depth_m", "“Setting depth (m)” is 1.79; the design says 2."),
        (
            {"pole_material": "Steel"},
            {"material": ["Concrete", "Douglas fir"]},
            MATERIAL,
            "pole_material",
            "“Pole material” is “Steel”; the design says “Concrete” or “Douglas fir”.",
        ),
        (
            {"rows": [{"n": 3}, {"n": 4}]},
            {"counts": {"n": 3}},
            ROWS,
            "rows/1/n",
            "“rows 2 n” is 4; the design says 3.",
        ),
    ],
)
def test_what_is_not_as_planned_is_major(
    fields: dict[str, Any], expected: dict[str, Any], rule: Planned, field: str, words: str
) -> None:
    finding = only(planned(fields, expected, rule))
    assert (finding.rule, finding.severity, finding.field) == ("design-mismatch", "major", field)
    assert finding.message == words


@pytest.mark.parametrize(("built", "wanted"), [("7", "007"), (True, 1), ("H2", 2), ("inf", 2), ({"a": 1}, 1)])
def test_what_only_resembles_the_plan_is_another_value(built: object, wanted: object) -> None:
    assert only(planned({"model": built}, {"model": wanted}, MODEL)).rule == "design-mismatch"


def test_a_planned_value_may_be_conditional() -> None:
    steel = msgspec.structs.replace(DEPTH, when={"pole_material": ["Steel"]})
    assert found(planned({"depth_m": 3}, {"depth_m": 2}, steel)) == []


def test_an_asset_that_nobody_planned_counts_only_where_there_is_a_plan() -> None:
    unplanned = ruled(context(), Thresholds(), has_design=True)
    finding = only(unplanned)
    assert (finding.rule, finding.field) == ("design-mismatch", "asset")
    assert finding.message == "The asset “P-1001” is not in the project's design."
    assert found(ruled(context(), Thresholds(), has_design=False)) == []


def test_the_record_is_of_the_asset_only_near_it() -> None:
    def made(metres: float) -> RuleContext:
        design = Design(lat=44.458 + metres / 111_195, lon=-93.161, tolerance_m=50)
        return ruled(context(), Thresholds(), design=design, has_design=True)

    # The position is good to 4 m, which counts for the crew.
    assert found(made(53.9)) == []
    assert only(made(54.2)).message == (
        "The record was made 54 m from where the design has “P-1001”; at most 50 m is allowed."
    )


SERIALS = Thresholds(serials=(Serial(field="a", pattern="TX-[0-9]{4}"), Serial(field="a"), Serial(field="rows/*/s")))


def test_serial_numbers_are_compared_by_letters_and_digits() -> None:
    assert normal(" tx-2026/44 ") == "TX202644"
    ctx = ruled(context(fields={"a": "tx-1", "rows": [{"s": "b2"}, {"s": 7}, {"s": "-"}, {}]}), SERIALS)
    assert serial_numbers(ctx.form, ctx.upload.fields) == [("TX1", "a"), ("B2", "rows/0/s")]


@pytest.mark.parametrize(
    ("serial", "fine"), [("TX-2026", True), (" TX-2026 ", True), ("TX-20264", False), ("TX", False)]
)
def test_a_serial_number_of_another_look_is_minor(serial: str, fine: bool) -> None:
    expected = [] if fine else [("serial-malformed", "minor", "a")]
    assert found(ruled(context(fields={"a": serial}), SERIALS)) == expected


def test_no_pattern_is_tried_on_a_flood_of_text() -> None:
    hostile = msgspec.structs.replace(SERIALS, serials=(Serial(field="a", pattern="(a+)+b"),))
    assert found(ruled(context(fields={"a": "a" * 5_000}), hostile)) == []


def test_a_serial_number_twice_in_a_record_or_in_another_one_is_major() -> None:
    fields = {"a": "TX-2026", "rows": [{"s": "tx 2026"}, {"s": "Q1"}]}
    elsewhere = SerialElsewhere(serial="Q1", field="inverter_serial", **OTHER)
    twice, again = check(ruled(context(fields=fields), SERIALS, serials=(elsewhere,)))
    assert (twice.rule, twice.severity, twice.field) == ("serial-duplicate", "major", "rows/0/s")
    assert twice.evidence == {"serial": "TX2026", "same_as": "a"}
    assert again.message == "“rows 2 s” is a serial number that record AB-0123456789 reports already."
    assert again.evidence["record"] == OTHER["id"]


def test_the_same_asset_again_is_major_and_tells_the_way_out() -> None:
    finding = only(ruled(context(), Thresholds(), recorded=Other(**OTHER)))
    assert (finding.rule, finding.severity, finding.field) == ("asset-already-recorded", "major", "asset")
    assert "as AB-0123456789" in finding.message and "`supersedes`" in finding.message


def test_a_photo_of_another_record_is_major_and_names_none_of_another_project() -> None:
    facts = {"tag.jpg": msgspec.structs.replace(GOOD, sha256="ab" * 32)}
    here = PhotoElsewhere(sha256="ab" * 32, name="front.jpg", **OTHER)
    finding = only(ruled(context(facts=facts), Thresholds(), photos=(here,)))
    assert (finding.rule, finding.severity, finding.photo) == ("photo-reused", "major", "tag.jpg")
    assert finding.message.endswith("was sent already with record AB-0123456789, as front.jpg.")
    foreign = only(ruled(context(facts=facts), Thresholds(), photos=(PhotoElsewhere(sha256="ab" * 32),)))
    assert foreign.message.endswith("was sent already with a record of another project.")


def travelled(km: float, minutes: float, **changed: Any) -> RuleContext:
    previous = Previous(
        captured_at=NOW - timedelta(minutes=minutes), lat=44.458 - km / 111.195, lon=-93.161, h_accuracy_m=None, **OTHER
    )
    return ruled(context(captured_at=NOW.isoformat(), **changed), Thresholds(), previous=previous)


@pytest.mark.parametrize(
    ("km", "minutes", "fine"),
    [(99, 30, True), (101, 30, False), (9.9, 0, True), (10.1, 0, False), (400, 121, True), (4_000, 60, False)],
)
def test_a_crew_drives_at_most_200_kilometres_an_hour(km: float, minutes: float, fine: bool) -> None:
    expected = [] if fine else [("implausible-travel", "minor", "position")]
    assert found(travelled(km, minutes)) == expected


def test_the_accuracy_of_both_positions_counts_for_the_crew() -> None:
    assert found(travelled(101, 30)) != []
    coarse = {"lat": 44.458, "lon": -93.161, "h_accuracy_m": 1_500}
    assert "implausible-travel" not in {rule for rule, _, _ in found(travelled(101, 30, position=coarse))}
