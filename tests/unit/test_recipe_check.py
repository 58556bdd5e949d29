"""A recipe's author is told all that is wrong at once, each with its line and step, in TOML and in JSON."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from app.cli import main
from tasks.runner import values
from tasks.runner.checking import Checked, check
from tasks.runner.lines import json_lines, toml_lines
from tasks.runner.recipe_file import RecipeProblem, available, load, shipped

FOLDER = files("tasks.runner") / "recipes"
SHIPPED = sorted(each.name for each in FOLDER.iterdir())

UNSOUND = r"""# A comment with [[steps]] in it
recipe = "toy"
version = 1
portal = "toy"
lookup = "none"
detect = [
  {code = "ODD", when = {css = ".a [[steps]]"}},  # needs a class
  {code = "PORTAL_ERROR", when = {status = "5xx"}},
]

[[steps]]
id = "job"
label = "Job"
actions = [
  {do = "goto", url = "/new"},
  {do = "fill", at = {label = "Work order"}, valeu = "x"},
  {do = "jump"},
  {do = "extract", pattern = "(D", as = "draft"},
]
done = {url = "**/x", at = {css = "#x"}}

[[steps]]
id = "submit"
actions = [{do = "click", at = {role = "button"}}]
done = {at = {css = "#n"}, as = "confirmation_number", matches = '''N-(\d+'''}
"""

WEAK = r"""
recipe = "toy"
version = 1
portal = "toy"
lookup = "none"
dialogs = "accept"

[[steps]]
id = "sign_in"
label = "Sign in"
session = true
actions = [{do = "fill", at = {label = "Password"}, value = "{{secret.password}}"}]
done = {url = "**/home"}

[[steps]]
id = "job"
label = "Job"
actions = [
  {do = "goto", url = "/new/{{out.draft}}?p={{secret.password}}"},
  {do = "extract", pattern = 'D\d+', as = "draft"},
  {do = "fill", at = {label = "Ticket"}, value = "{{form.ticket}}"},
  {do = "fill", at = {css = "main > input"}, value = "{{form.work_order|shout}}"},
]
done = {url = "**/review"}

[[steps]]
id = "job"
label = "Submit"
commits = {url = "**/send"}
actions = [
  {do = "upload", at = {label = "Photos"}, each_done = "[data-photo='{name}']"},
  {do = "click", at = {role = "button", name = "Send"}},
]
done = {at = {css = "#n"}, as = "confirmation_number"}
"""


def told(checked: Checked) -> list[str]:
    return [str(each) for each in checked.findings]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_recipes_are_sound_and_every_line_is_found(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert check(text, source=name).errors == ()
    lines, rows = toml_lines(text), text.splitlines()
    raw = tomllib.loads(text)
    for number, step in enumerate(raw["steps"]):
        assert rows[lines["steps", number] - 1] == "[[steps]]"
        for position, action in enumerate(step["actions"]):
            assert f'do = "{action["do"]}"' in rows[lines["steps", number, "actions", position] - 1]
            for key in action:
                assert f"{key} = " in rows[lines["steps", number, "actions", position, key] - 1]
    as_json = json.dumps(raw, indent=1)
    assert set(json_lines(as_json)) >= set(lines)
    assert check(as_json, source="x.json").errors == ()


def test_all_problems_of_the_shape_are_told_at_once_each_at_its_line() -> None:
    findings = told(check(UNSOUND, source="toy.toml"))
    wanted = [
        ("8", "detector PORTAL_ERROR: a status is"),
        ("16", "step job, action 2 (fill): there is no key `valeu`"),
        ("17", "step job, action 3 (jump)"),
        ("20", "step job: done needs exactly one of url, at"),
        ("22", "step submit: the key is missing: `label`"),
        ("24", "step submit, action 1 (click): role and name go together"),
        ("25", "step submit: matches is no pattern"),
    ]
    assert [each.split(": ", 1)[0] for each in findings] == [line for line, _ in wanted], findings
    for finding, (_, piece) in zip(findings, wanted, strict=True):
        assert piece in finding


def test_the_same_problems_are_told_of_json() -> None:
    text = json.dumps(tomllib.loads(UNSOUND), indent=2)
    findings = told(check(text, source="toy.json"))
    assert len(findings) == 7
    line = int(next(each for each in findings if "valeu" in each).split(":")[0])
    assert '"valeu"' in text.splitlines()[line - 1]


def test_what_is_well_formed_but_unsound_is_told_at_once() -> None:
    findings = told(check(WEAK, source="weak.toml", fields=frozenset({"work_order"})))
    for line, sentence in (
        (5, "warning: lookup: without a look-up"),
        (6, "warning: every question of the page is answered with yes"),
        (8, "step sign_in: a step with session = true needs skip_if"),
        (12, "step sign_in, action 1 (fill): {{secret.password}}: a secret needs sensitive = true"),
        (19, "step job, action 1 (goto): /new/{{out.draft}}?p={{secret.password}}: secrets may only be filled in"),
        (19, "nothing has read out.draft by then"),
        (20, "D\\d+: a pattern needs exactly one group"),
        (21, "step job, action 3 (fill): {{form.ticket}}: the form has no field 'ticket'"),
        (22, "there is no filter 'shout'"),
        (22, "is not a selector this driver knows"),
        (26, "warning: step job: nothing is read back"),
        (26, "a later attempt cannot enter this step"),
        (27, "step 'job' is there twice"),
        (31, "step job, action 1 (upload): an upload cannot stand in the step that commits"),
    ):
        assert any(each.startswith(f"{line}: ") and sentence in each for each in findings), (line, sentence, findings)
    assert len(findings) == 14


def test_a_field_that_the_form_lacks_is_told() -> None:
    text = (FOLDER / "npl-asbuilt.toml").read_text(encoding="utf-8")
    assert any("pole_height_ft" in str(each) for each in check(text, source="x", fields=frozenset({"notes"})).errors)


@pytest.mark.parametrize(
    ("text", "source", "line"),
    [("a = 1\nb = [", "x.toml", 2), ("a = 1\n\nb == 2\n", "x.toml", 3), ('{"a": 1,\n "b" 2}', "x.json", 2)],
)
def test_an_unreadable_text_is_told_with_its_line(text: str, source: str, line: int) -> None:
    [finding] = check(text, source=source).findings
    assert finding.line == line
    assert "at line" not in finding.message


@pytest.mark.parametrize(
    "raw", ["[]", "3", '{"steps": 7, "detect": {}, "lookup": []}', '{"steps": [1, {"actions": 2}]}']
)
def test_any_json_gets_an_answer(raw: str) -> None:
    assert check(raw, source="x.json").errors


HOSTILE = (
    "__import__('os').system('touch OWNED')",
    "{{form.__class__}}",
    "{{__import__('os')}}",
    "{{form.x|eval:1}}",
    "${7*7}",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    "{{form.x.__init__.__globals__}}",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_recipe_cannot_run_code(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands where values may stand is looked up, refused, or kept as the text it is."""
    monkeypatch.chdir(tmp_path)
    scope = values.Scope(form={"x": "1", "__class__": "harmless"})
    try:
        rendered = values.render(text, scope)
    except (values.ValueProblem, values.ValueMissing):
        rendered = ""
    assert rendered in {"", text, "harmless"}
    assert not (tmp_path / "OWNED").exists()


def test_a_folder_of_ones_own_adds_versions_beside_the_shipped_ones(tmp_path: Path) -> None:
    text = (FOLDER / "npl-asbuilt.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    (tmp_path / "mine.toml").write_text(text.replace(f"\nversion = {raw['version']}\n", "\nversion = 70\n"))
    (tmp_path / "own.json").write_text(json.dumps(raw | {"recipe": "own", "version": 4}))
    recipes = available(tmp_path)
    assert recipes.names["npl-asbuilt"] == (*shipped().names["npl-asbuilt"], 70)
    assert recipes.names["own"] == (4,)
    newest = recipes.get("npl-asbuilt")
    assert newest is not None
    assert newest.version == 70
    assert load(tmp_path / "own.json").recipe == "own"


def test_unsound_files_of_a_folder_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(UNSOUND)
    (tmp_path / "b.toml").write_text("recipe =")
    with pytest.raises(RecipeProblem) as refused:
        available(tmp_path)
    assert "a.toml" in str(refused.value)
    assert "b.toml" in str(refused.value)
    with pytest.raises(RecipeProblem):
        available(tmp_path / "nowhere")


def test_two_files_of_the_same_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "again.toml").write_text((FOLDER / "npl-asbuilt.toml").read_text(encoding="utf-8"))
    with pytest.raises(RecipeProblem, match="twice"):
        available(tmp_path)


def test_the_command_prints_lines_an_editor_can_jump_to_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text(UNSOUND)
    with pytest.raises(SystemExit) as ended:
        main(["recipe", "check", str(tmp_path / "a.toml"), str(tmp_path / "gone.toml"), str(FOLDER / SHIPPED[0])])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert f"{tmp_path}/a.toml:16: step job, action 2 (fill): there is no key `valeu`\n" in said
    assert f"{tmp_path}/gone.toml:1: cannot be read: " in said
    assert "is sound: 5 steps" in said


def test_the_command_exits_0_for_the_shipped_recipes_with_their_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["recipe", "check", "--form", "fibre-splice-closure", str(FOLDER / "harbor-closeout.toml")])
    assert ended.value.code == 0, capsys.readouterr().out
