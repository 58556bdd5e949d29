"""The forms that ship: each speaks of what it has, and has an example that passes and fails where it should."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import jsonschema_rs
import msgspec
import pytest

from app.intake.decode import decode
from app.intake.form_defs import FormDef, applies, bundled, examples
from app.intake.rules import RuleContext
from tests.unit.records import GOOD, SITE, found

FORMS = {form.form_key: form for form in bundled()}
EXAMPLES = examples()
CONDITIONS = [
    (form.form_key, part, field, value)
    for form in FORMS.values()
    for part, when in (*((s.key, s.when) for s in form.shots), *((m.field, m.when) for m in form.measures))
    for field, values in (when or {}).items()
    for value in values
]


def context(form: str, *, fields: dict[str, Any] | None = None, shots: list[str] | None = None) -> RuleContext:
    document = copy.deepcopy(EXAMPLES[form])
    if fields is not None:
        document["fields"] = fields
    if shots is not None:
        document["photos"] = [{"name": f"{shot}.jpg", "shot": shot} for shot in shots]
    upload = decode(json.dumps(document).encode())
    return RuleContext(form=FORMS[form], upload=upload, photos={p.name: GOOD for p in upload.photos}, site=SITE)


def test_five_forms_ship_and_each_has_its_example() -> None:
    assert set(FORMS) == {
        "fibre-splice-closure",
        "pole-replacement",
        "rooftop-solar-m1",
        "transformer-commissioning",
        "underground-lv-service",
    }
    assert set(EXAMPLES) == set(FORMS)
    assert len({record["id"] for record in EXAMPLES.values()}) == len(FORMS)


@pytest.mark.parametrize("form", FORMS)
def test_its_example_passes_every_rule(form: str) -> None:
    assert found(context(form)) == []


@pytest.mark.parametrize("form", FORMS)
def test_its_schema_is_one_and_names_only_fields_it_has(form: str) -> None:
    definition = FORMS[form]
    jsonschema_rs.meta.validate(definition.schema)
    properties = cast("dict[str, Any]", definition.schema["properties"])
    assert set(cast("list[str]", definition.schema["required"])) <= set(properties)
    assert all(column["title"] for column in properties.values())
    assert set(cast("dict[str, Any]", EXAMPLES[form]["fields"])) <= set(properties)
    keys = [shot.key for shot in definition.shots]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("form", FORMS)
def test_each_required_field_is_missed(form: str) -> None:
    fields = cast("dict[str, Any]", EXAMPLES[form]["fields"])
    for name in cast("list[str]", FORMS[form].schema["required"]):
        rest = {key: value for key, value in fields.items() if key != name}
        assert ("required-field-missing", "blocker", name) in found(context(form, fields=rest))


@pytest.mark.parametrize("form", FORMS)
def test_each_required_shot_is_missed(form: str) -> None:
    wanted = [shot.key for shot in FORMS[form].shots if shot.min and applies(shot.when, context(form).upload.fields)]
    for key in wanted:
        without = [shot for shot in wanted if shot != key]
        assert found(context(form, shots=without)) == [("required-photo-missing", "blocker", f"shots/{key}")]


@pytest.mark.parametrize(
    ("form", "index"), [(form.form_key, index) for form in FORMS.values() for index in range(len(form.measures))]
)
def test_each_measure_has_a_unit_and_is_judged_by_its_limits(form: str, index: int) -> None:
    measure = FORMS[form].measures[index]
    assert measure.unit
    assert measure.min is not None or measure.max is not None
    for limit, step in ((measure.min, -0.001), (measure.max, 0.001)):
        if limit is None:
            continue
        for off, wrong in ((0.0, False), (step, True)):
            fields = copy.deepcopy(cast("dict[str, Any]", EXAMPLES[form]["fields"]))
            fields |= {name: values[0] for name, values in (measure.when or {}).items()}
            place = _put(fields, measure.field.split("/"), limit + off)
            said = [finding for finding in found(context(form, fields=fields)) if finding[2] == place]
            ranges = [finding for finding in said if finding[0] == "measurement-out-of-range"]
            assert bool(ranges) is wrong, (measure, off, said)
            assert all(severity == measure.severity for _, severity, _ in ranges)


@pytest.mark.parametrize(("form", "part", "field", "value"), CONDITIONS)
def test_each_condition_is_on_an_answer_that_may_be_given(form: str, part: str, field: str, value: object) -> None:
    column = cast("dict[str, Any]", FORMS[form].schema["properties"])[field]
    assert value in column.get("enum", [True, False] if column.get("type") == "boolean" else []), part


CONDITIONAL: list[tuple[str, dict[str, object], list[tuple[str, str, str]]]] = [
    (
        "underground-lv-service",
        {"duct_used": True, "duct_size_mm": None, "duct_capped": None},
        [("required-field-missing", "blocker", "duct_capped"), ("required-field-missing", "blocker", "duct_size_mm")],
    ),
    (
        "underground-lv-service",
        {"other_services": ["Gas"], "clearance_mm": None},
        [("required-field-missing", "blocker", "clearance_mm")],
    ),
    (
        "transformer-commissioning",
        {"reason": "Replacement"},
        [
            ("required-field-missing", "blocker", "removed_serial"),
            ("required-photo-missing", "blocker", "shots/old_nameplate"),
        ],
    ),
    (
        "rooftop-solar-m1",
        {"storage": True},
        [
            ("required-field-missing", "blocker", "battery_serial"),
            ("required-photo-missing", "blocker", "shots/battery"),
        ],
    ),
    ("underground-lv-service", {"polarity_correct": False}, [("value-invalid", "major", "polarity_correct")]),
]


@pytest.mark.parametrize(("form", "fields", "expected"), CONDITIONAL)
def test_an_answer_asks_for_more(form: str, fields: dict[str, object], expected: list[tuple[str, str, str]]) -> None:
    answers = cast("dict[str, Any]", EXAMPLES[form]["fields"]) | fields
    assert sorted(map(str, found(context(form, fields=answers)))) == sorted(map(str, expected))


def _put(fields: dict[str, Any], path: list[str], value: float) -> str:
    """Write the value at the path, in the first row of a table, and answer where that is."""
    steps: list[Any] = [0 if step == "*" else step for step in path]
    at: Any = fields
    for step in steps[:-1]:
        at = at[step]
    at[steps[-1]] = value
    return "/".join(map(str, steps))


def test_a_form_version_survives_the_way_through_json() -> None:
    for form in FORMS.values():
        assert msgspec.json.decode(msgspec.json.encode(form), type=FormDef) == form
