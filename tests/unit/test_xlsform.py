"""XLSForms from real workbooks: what they become, and where each construct that a form cannot hold is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from openpyxl import Workbook

from app.cli import main
from app.intake.form_defs import FormDef
from app.intake.rules.form import required_field_missing
from app.intake.xlsform import Translated, XlsFormProblem, translate
from app.intake.xlsform.expressions import Unsupported, constraint, relevant
from tests.unit.records import context

SURVEY = ("type", "name", "label", "hint", "required", "relevant", "constraint")
CHOICES = [
    ("list_name", "name", "label"),
    ("material", "steel", "Steel"),
    ("material", "wood", "Wood"),
    ("class", "4", "4"),
    ("class", "5", "5"),
]
SETTINGS = [("form_title", "form_id", "version"), ("Pole check", "Pole_Check", "7")]
GOOD = [
    SURVEY,
    ("start", "start", "", "", "", "", ""),
    ("text", "work_order", "Work order", "WO-48213", "yes", "", "regex(., 'WO-[0-9]{5}') and string-length(.) <= 8"),
    ("select_one material", "material", "Material", "", "yes", "", ""),
    ("integer", "height_ft", "Height (ft)", "", "yes", "", ". >= 20 and . <= 120"),
    ("decimal", "share", "Share", "", "", "", ". > 0 and 1 >= ."),
    ("begin_group", "steel_only", "Only for steel", "", "", "${material} = 'steel'", ""),
    ("text", "coating", "Coating", "", "yes", "", ""),
    ("image", "coating_photo", "The coating", "", "yes", "", ""),
    ("end_group", "", "", "", "", "", ""),
    (),
    ("begin repeat", "rods", "Rod", "", "", "", ""),
    ("decimal", "depth", "depth (m)", "", "yes", "", ". >= 1.2"),
    ("end repeat", "", "", "", "", "", ""),
    ("select_multiple material", "seen", "Seen", "", "", "", ""),
    ("range", "lean", "Lean", "", "", "", ""),
    ("geopoint", "where", "Where", "", "yes", "", ""),
    ("image", "whole", "The whole pole", "", "yes", "", ""),
    ("image", "extra", "Anything else", "", "no", "selected(${material}, 'wood') or ${material} = 'steel'", ""),
    ("note", "thanks", "Thank you", "", "", "", ""),
]


def workbook(folder: Path, survey: Sequence[tuple[str, ...]], **sheets: Sequence[tuple[str, ...]]) -> Path:
    book = Workbook()
    book.remove(book["Sheet"])
    for name, rows in ({"survey": survey, "choices": CHOICES, "settings": SETTINGS} | sheets).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = folder / "form.xlsx"
    book.save(path)
    return path


def one(folder: Path, *row: str) -> Translated:
    return translate(workbook(folder, [SURVEY, GOOD[3], row]))


def refused(path: Path) -> list[str]:
    with pytest.raises(XlsFormProblem) as caught:
        translate(path)
    return [str(finding) for finding in caught.value.findings]


def test_a_form_becomes_a_schema_shots_and_measures(tmp_path: Path) -> None:
    found = translate(workbook(tmp_path, GOOD))
    form = msgspec.to_builtins(found.form)
    assert (form["form_key"], form["version"], form["title"]) == ("pole-check", 7, "Pole check")
    assert found.has_version
    assert form["schema"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["work_order", "material", "height_ft"],
        "properties": {
            "work_order": {
                "title": "Work order",
                "type": "string",
                "description": "WO-48213",
                "pattern": "^(?:WO-[0-9]{5})$",
                "maxLength": 8,
            },
            "material": {"title": "Material", "enum": ["steel", "wood"], "enumNames": ["Steel", "Wood"]},
            "height_ft": {"title": "Height (ft)", "type": "integer"},
            "share": {"title": "Share", "type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "coating": {"title": "Coating", "type": "string"},
            "rods": {
                "title": "Rod",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["depth"],
                    "properties": {"depth": {"title": "depth (m)", "type": "number"}},
                },
            },
            "seen": {
                "title": "Seen",
                "type": "array",
                "uniqueItems": True,
                "items": {"enum": ["steel", "wood"], "enumNames": ["Steel", "Wood"]},
            },
            "lean": {"title": "Lean", "type": "number", "minimum": 0, "maximum": 10},
        },
        "allOf": [
            {
                "if": {"properties": {"material": {"enum": ["steel"]}}, "required": ["material"]},
                "then": {"required": ["coating"]},
            }
        ],
    }
    assert [(shot.key, shot.min, shot.when) for shot in found.form.shots] == [
        ("coating_photo", 1, {"material": ["steel"]}),
        ("whole", 1, None),
        ("extra", 0, {"material": ["wood", "steel"]}),
    ]
    assert [(m.field, m.unit, m.min, m.max) for m in found.form.measures] == [
        ("height_ft", "ft", 20, 120),
        ("rods/*/depth", "m", 1.2, None),
    ]
    assert found.form.rules.position_required


def test_the_imported_form_judges_records(tmp_path: Path) -> None:
    form = translate(workbook(tmp_path, GOOD)).form
    fields = {"work_order": "WO-48213", "material": "steel", "height_ft": 45}
    judged = msgspec.structs.replace(context(), form=form)
    judged = msgspec.structs.replace(judged, upload=msgspec.structs.replace(judged.upload, fields=fields))
    assert [finding.field for finding in required_field_missing(judged)] == ["coating"]


def test_the_number_of_a_choice_is_its_name(tmp_path: Path) -> None:
    rows = [SURVEY, ("select_one class", "class", "Class"), ("text", "why", "Why", "", "yes", "${class} = 4", "")]
    schema = translate(workbook(tmp_path, rows)).form.schema
    assert schema["allOf"] == [
        {"if": {"properties": {"class": {"enum": ["4"]}}, "required": ["class"]}, "then": {"required": ["why"]}}
    ]


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a calculation is no question": (("geotrace", "t", "Trace"), "the type 'geotrace' is not supported"),
    "audio": (("audio", "a", "Sound"), "the type 'audio' is not supported"),
    "a required that depends": (
        ("text", "t", "T", "", "${material} = 'wood'", "", ""),
        "'required' must be yes or no; put the condition into 'relevant'",
    ),
    "a condition that computes": (
        ("text", "t", "T", "", "yes", "string-length(${material}) > 3", ""),
        "the condition 'string-length(${material}) > 3' is not of the form ${question} = 'answer'",
    ),
    "a constraint on another question": (
        ("integer", "n", "N", "", "", "", ". >= 1 or . <= 0"),
        "the constraint '. >= 1 or . <= 0' is neither a bound, a length nor a regex() on the answer",
    ),
    "a bound on a text": (
        ("text", "t", "T", "", "", "", ". >= 1"),
        "the constraint does not fit the type of the question",
    ),
    "a pattern nobody can read": (
        ("text", "t", "T", "", "", "", "regex(., '[')"),
        "the regular expression of the constraint cannot be used",
    ),
    "a condition on a choice that is not there": (
        ("text", "t", "T", "", "yes", "${material} = 'gold'", ""),
        "the condition is on 'material', which has no choice 'gold'",
    ),
    "or_other": (
        ("select_one material or_other", "m", "M"),
        "'or_other' is not supported; add the choice and a text question",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_form_cannot_hold_is_named_with_its_row(tmp_path: Path, case: str) -> None:
    row, reason = REFUSED[case]
    assert refused(workbook(tmp_path, [SURVEY, GOOD[3], row])) == [f"survey, row 3: {reason}"]


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    rows = [
        (*SURVEY, "choice_filter", "calculation"),
        ("begin repeat", "outer", "Outer"),
        ("image", "p", "P"),
        ("geopoint", "g", "G"),
        ("begin repeat", "inner", "Inner"),
        ("text", "t", "T"),
        ("end repeat", "", ""),
        ("end repeat", "", ""),
        ("calculate", "c", "", "", "", "", "", "", "1 + 1"),
        ("select_one material", "m", "M", "", "", "", "", "true()"),
        ("begin group", "one", "One"),
        ("text", "x", "X"),
        ("end group", "", ""),
        ("begin group", "two", "Two"),
        ("text", "x", "X"),
        ("end group", "", ""),
    ]
    settings = [("form_title", "form_id"), ("Form", "_form")]
    assert refused(workbook(tmp_path, rows, settings=settings)) == [
        "survey, row 3: a picture inside of a repeat is not supported",
        "survey, row 4: a record has one position; a second geopoint is not supported",
        "survey, row 5: a repeat inside of a repeat is not supported",
        "survey, row 9: calculated values are not supported",
        "survey, row 10: cascading choices are not supported",
        "survey, row 15: the name 'x' is used twice; groups do not keep names apart here",
        "settings, row 2: form_id must begin with a letter or digit and hold letters, digits and dashes",
    ]


def test_what_pyxform_refuses_keeps_its_row(tmp_path: Path) -> None:
    rows = [SURVEY, ("text", "t", "T", "", "", "${missing} = '1'", "")]
    (said,) = refused(workbook(tmp_path, rows))
    assert said.startswith("survey, row 2: "), said
    assert "missing" in said


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 cut short"])
def test_what_is_no_workbook_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(content)
    (said,) = refused(path)
    assert said.startswith(("workbook: ", "survey: ")), said


def test_a_form_without_a_usable_version_says_so(tmp_path: Path) -> None:
    settings = [("form_title", "form_id", "version"), ("Form", "form", "2026-11")]
    assert not translate(workbook(tmp_path, [SURVEY, GOOD[3]], settings=settings)).has_version


def test_labels_in_several_languages_give_one(tmp_path: Path) -> None:
    rows = [
        ("type", "name", "label::English (en)", "label::Deutsch (de)"),
        ("text", "t", "Depth", "Tiefe"),
    ]
    settings = [("form_title", "form_id", "default_language"), ("Form", "form", "Deutsch (de)")]
    schema = translate(workbook(tmp_path, rows, settings=settings)).form.schema
    assert schema["properties"] == {"t": {"title": "Tiefe", "type": "string"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a} = 'x'", {"a": ["x"]}),
        ("(${a} = \"x\" or ${a} = 'y') and ${b} = 2.5", {"a": ["x", "y"], "b": [2.5]}),
        ("${a} = 'this and that'", {"a": ["this and that"]}),
        ("selected(${a}, 'x (old)')", {"a": ["x (old)"]}),
    ],
)
def test_conditions_that_can_be_said(text: str, expected: dict[str, list[object]]) -> None:
    assert relevant(text) == expected


@pytest.mark.parametrize(
    "text",
    ["${a} = 'x' or ${b} = 'y'", "${a} != 'x'", "${a} = ${b}", "not(${a} = 'x')", "${a} = 'x' and ${a} = 'y'", "("],
)
def test_conditions_that_cannot(text: str) -> None:
    with pytest.raises(Unsupported):
        relevant(text)


def test_bounds_are_read_from_both_sides() -> None:
    assert constraint("(. >= 1 and 9.5 > .)").number == {"minimum": 1, "exclusiveMaximum": 9.5}
    assert constraint("string-length(.) = 4").text == {"minLength": 4, "maxLength": 4}
    with pytest.raises(Unsupported):
        constraint(". >= 1 and . >= 2")


def test_the_command_prints_the_form_or_the_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = workbook(tmp_path, GOOD)
    with pytest.raises(SystemExit) as ended:
        main(["form", "import", str(path), "--project", "demo", "--dry-run"])
    assert ended.value.code == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=FormDef).form_key == "pole-check"
    path = workbook(tmp_path, [SURVEY, ("audio", "a", "Sound")])
    with pytest.raises(SystemExit) as ended:
        main(["form", "import", str(path), "--project", "demo"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "survey, row 2: the type 'audio' is not supported\n"
