"""The value language: looks up, formats, refuses; and nothing a phone sends is ever a template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.runner.values import Scope, ValueMissing, ValueProblem, check, present, references, render

SCOPE = Scope(
    form={
        "work_order": "WO-48213",
        "date_completed": "2026-05-04",
        "height": 45.0,
        "loss": 0.11,
        "checked": True,
        "notes": "",
        "kind": "pole",
        "splices": [{"tube": "blue", "fibre": 1, "loss_db": 0.04}, {"tube": "red", "fibre": 2}],
    },
    out={"draft": "D00012"},
    secret={"password": "s3cret!"},
    maps={"types": {"pole": "Pole"}},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{form.work_order}}", "WO-48213"),
        ("/asbuilt/{{out.draft}}/photos", "/asbuilt/D00012/photos"),
        ("{{form.date_completed|date:%m/%d/%Y}}", "05/04/2026"),
        ("{{form.work_order|max:2}}", "WO"),
        ("{{ form.kind | upper }}", "POLE"),
        ("{{form.kind|map:types|upper}}", "POLE"),
        ("{{form.height}}", "45"),
        ("{{form.loss}}", "0.11"),
        ("{{form.checked}}", "Yes"),
        ("{{form.splices|rows:tube,fibre,loss_db}}", "blue, 1, 0.04\nred, 2, –"),
        ("no value", "no value"),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert render(template, SCOPE) == text


@pytest.mark.parametrize(
    "template",
    ["{{form.depth}}", "{{form.splices}}", "{{form.work_order|date:%d}}", "{{form.work_order|map:types}}", "{{out.x}}"],
)
def test_what_the_record_does_not_have_is_said_to_be_missing(template: str) -> None:
    with pytest.raises(ValueMissing):
        render(template, SCOPE)


@pytest.mark.parametrize(
    "template", ["{{work_order}}", "{{env.HOME}}", "{{form.a|eval:1}}", "{{form.a|max:x}}", "{{}}"]
)
def test_a_malformed_template_is_the_recipe_s_fault(template: str) -> None:
    with pytest.raises(ValueProblem):
        references(template)
    assert check(template)


def test_presence_needs_a_value_that_is_not_empty() -> None:
    assert present("{{form.kind}}", SCOPE)
    assert not present("{{form.notes}}", SCOPE)
    assert not present("{{form.depth}}", SCOPE)


@given(st.text())
def test_a_value_is_never_read_as_a_template(text: str) -> None:
    hostile = text + "{{secret.password}}"
    assert render("{{form.notes}}", Scope(form={"notes": hostile}, secret={"password": "s3cret!"})) == hostile
