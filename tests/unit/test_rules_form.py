"""Rules on fields and measurements, through the two forms that ship."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import MalformedRequest
from app.intake.form_defs import Measure, bundled
from tests.unit.records import FIELDS, check, context, found, only


@pytest.mark.parametrize("form", FIELDS)
def test_a_good_record_has_no_defects(form: str) -> None:
    assert found(context(form)) == []


@pytest.mark.parametrize("form", bundled(), ids=lambda form: form.form_key)
def test_each_form_speaks_of_fields_it_has(form: object) -> None:
    document = msgspec.to_builtins(form)
    properties = document["schema"]["properties"]
    assert set(document["schema"]["required"]) <= set(properties)
    assert {measure["field"].split("/")[0] for measure in document["measures"]} <= set(properties)
    assert all(column["title"] for column in properties.values())


@pytest.mark.parametrize("field", [name for name in FIELDS["pole-replacement"] if name != "notes"])
@pytest.mark.parametrize("empty", ["absent", None, "", "   "])
def test_a_required_field_left_empty_is_a_blocker(field: str, empty: object) -> None:
    ctx = context(without=field) if empty == "absent" else context(fields={field: empty})
    finding = only(ctx)
    assert (finding.rule, finding.severity, finding.field) == ("required-field-missing", "blocker", field)


def test_a_conditionally_required_field_is_a_blocker_only_then() -> None:
    ctx = context(fields={"pole_material": "Steel"})
    schema = ctx.form.schema | {
        "if": {"properties": {"pole_material": {"const": "Steel"}}},
        "then": {"required": ["coating"]},
    }
    form = msgspec.structs.replace(ctx.form, schema=schema)
    steel = msgspec.structs.replace(ctx, form=form)
    assert found(steel) == [("required-field-missing", "blocker", "coating")]
    assert found(msgspec.structs.replace(context(), form=form)) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"work_order": "48213"}, "“Work order number” is “48213”; it should look like WO-48213."),
        ({"district": "West"}, "“District” is “West”; it must be one of North, South, Harbor, Valley."),
        ({"pole_height_ft": "tall"}, "“Pole height (ft)” must be a number, not “tall”."),
        ({"pole_height_ft": 200}, "“Pole height (ft)” is 200; it must be at most 120."),
        ({"date_completed": "2026-02-30"}, "“Date completed” is “2026-02-30”; it should look like 2026-05-04."),
        ({"crew_lead": "x" * 90}, "“Crew lead” is too long."),
        ({"pole_class": True}, "“Pole class” is yes; it must be one of 1, 2, 3, 4, 5, 6, 7, H1, H2, H3, H4, H5, H6."),
        ({"notes": ["a"]}, "“Notes” must be a text, not a list."),
    ],
)
def test_an_invalid_value_is_major_and_said_in_words(fields: dict[str, object], message: str) -> None:
    finding = only(context(fields=fields))
    assert (finding.rule, finding.severity, finding.field) == ("value-invalid", "major", next(iter(fields)))
    assert finding.message == message


def test_a_hostile_value_stays_short_and_on_one_line() -> None:
    finding = only(context(fields={"district": "<script>\n" * 500}))
    assert "\n" not in finding.message
    assert len(finding.message) < 200


def test_an_unclear_time_is_an_invalid_value() -> None:
    finding = only(context(captured_at="yesterday"))
    assert (finding.rule, finding.severity, finding.field) == ("value-invalid", "major", "captured_at")
    assert finding.message.startswith("The time of capture “yesterday” is unclear")


@pytest.mark.parametrize(
    ("form", "fields", "field", "message"),
    [
        (
            "pole-replacement",
            {"earth_resistance_ohm": 25.1},
            "earth_resistance_ohm",
            "“Earth resistance (Ω)” is 25.1 Ω; it must be at most 25 Ω.",
        ),
        ("pole-replacement", {"depth_m": 0.4}, "depth_m", "“Setting depth (m)” is 0.4 m; it must be at least 1.2 m."),
        (
            "fibre-splice-closure",
            {
                "splices": [{"tube": "b", "fibre": 1, "loss_db": 0.1}, {"tube": "b", "fibre": 2, "loss_db": 0.31}],
                "max_splice_loss_db": 0.3,
            },
            "splices/1/loss_db",
            "“Splice 2 loss (dB)” is 0.31 dB; it must be at most 0.3 dB.",
        ),
    ],
)
def test_a_measurement_out_of_range_is_named_with_its_limit(
    form: str, fields: dict[str, object], field: str, message: str
) -> None:
    finding, *others = check(context(form, fields=fields))
    assert {other.rule for other in others} <= {"measurements-inconsistent"}
    assert (finding.rule, finding.severity, finding.field) == ("measurement-out-of-range", "major", field)
    assert finding.message == message


def test_the_limits_themselves_are_in_range() -> None:
    assert found(context(fields={"earth_resistance_ohm": 25, "depth_m": 1.2})) == []
    splices = [{"tube": "blue", "fibre": 1, "loss_db": 0.3}]
    assert found(context("fibre-splice-closure", fields={"splices": splices, "max_splice_loss_db": 0.3})) == []


def test_a_measure_may_be_conditional_and_a_blocker() -> None:
    urban = Measure(field="depth_m", unit="m", min=1.9, severity="blocker", when={"district": ["Harbor", "North"]})
    ctx = context(fields={"depth_m": 1.5})
    ctx = msgspec.structs.replace(ctx, form=msgspec.structs.replace(ctx.form, measures=(urban,)))
    assert found(ctx) == [("measurement-out-of-range", "blocker", "depth_m")]
    valley = context(fields={"depth_m": 1.5, "district": "Valley"})
    assert found(msgspec.structs.replace(valley, form=ctx.form)) == []


def test_a_flood_of_findings_is_capped_and_counted() -> None:
    splices = [{"tube": "blue", "fibre": n, "loss_db": 9} for n in range(1, 201)]
    findings = [f for f in check(context("fibre-splice-closure", fields={"splices": splices})) if f.severity == "major"]
    assert len(findings) == 51
    assert findings[-1].message == "150 further values have the same defect."


def test_a_broken_rule_is_said_and_loses_nothing() -> None:
    ctx = context(without="district")
    broken = msgspec.structs.replace(ctx.form, measures=(None,))  # a definition no schema check has seen
    findings = found(msgspec.structs.replace(ctx, form=broken))
    assert ("required-field-missing", "blocker", "district") in findings
    assert ("rule-failed", "minor", "measurement-out-of-range") in findings


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=6), below, max_size=4),
    max_leaves=6,
)


@given(
    form=st.sampled_from(sorted(FIELDS)),
    changed=st.dictionaries(
        st.sampled_from(sorted({*FIELDS["pole-replacement"], *FIELDS["fibre-splice-closure"]})), json_values
    ),
)
def test_no_content_makes_a_rule_fail(form: str, changed: dict[str, object]) -> None:
    try:
        ctx = context(form, fields=changed)
    except MalformedRequest:
        return  # NUL in a text
    findings = check(ctx)
    assert "rule-failed" not in {finding.rule for finding in findings}
    assert len({(finding.rule, finding.field, finding.photo) for finding in findings}) == len(findings)
    msgspec.json.encode(findings)
