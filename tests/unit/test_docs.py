"""The docs as a whole: each page has its place, and each link leads somewhere."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from itertools import takewhile
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from app.cli import parser
from app.core import catalogue, settings
from app.core.problems import ProblemBody
from app.jobs.states import JobState
from app.live.frames import RETRY
from app.live.timings import ROWS, Timings
from tests import composed
from tests.faults import checker
from tests.reference import life
from tests.reference.pages import MADE, render
from tests.reference.places import DOCS
from tests.unit.test_layout import ROOT, tracked

INDEX = DOCS / "README.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(path for path in tracked(".md") if DOCS in path.parents)]
KINDS = ["Tutorial", "How-to", "Reference", "Explanation"]
_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def prose(path: Path) -> str:
    """A page without its code."""
    return _CODE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What headings of a page are called in addresses, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: Counter[str] = Counter()
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?)\s*$", text, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return names


def test_every_page_stands_once_in_one_of_the_four_kinds() -> None:
    """A page that nothing points at is one that nobody reads, and so one that goes stale."""
    text = INDEX.read_text(encoding="utf-8")
    assert [heading.split(":")[0] for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)] == KINDS
    listed = Counter(DOCS / name for name, _ in _LINK.findall(text))
    there = {path for path in tracked(".md", ".json") if DOCS in path.parents and path != INDEX}
    assert listed == Counter(there)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = []
    for name, anchor in _LINK.findall(prose(page)):
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(f"{name}#{anchor}" if anchor else name)
    assert missing == []


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_from_the_code_is_fresh(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == render(name, page), "run: python -m tests.reference"


def test_every_variable_that_a_page_names_is_a_setting() -> None:
    """A misspelt one is one that nothing reads, and that everybody believes in."""
    known = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "settings.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {settings.variable(name) for name in settings.Settings.__struct_fields__} - {"ASBUILT_BUCKET"} <= known
    known |= set(composed.variables())
    named = {
        (page.name, word)
        for page in PAGES
        if page.stem != "CHANGELOG"  # which knows what was
        for word in re.findall(r"\bASBUILT_[A-Z_]+\b", page.read_text("utf-8"))
    }
    assert {(page, word) for page, word in named if word not in known} == set()


@pytest.mark.parametrize("name", ["settings.md", "commands.md"])
def test_every_setting_and_argument_says_what_it_is(name: str) -> None:
    rows = re.findall(r"^\| `.*$", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if row.endswith("|  |")] == []


def commands(page: Path) -> list[list[str]]:
    """Arguments of each `asbuilt` that a block of a page types."""
    found = []
    text = re.sub(r"\\\n", "", page.read_text(encoding="utf-8"))
    for block in re.findall(r"^ *```(?:sh)?\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^(?:.*(?:run|tools) )?asbuilt .*$", block, re.MULTILINE):
            words = shlex.split(line, comments=True)
            if "asbuilt" in words:
                typed = words[words.index("asbuilt") + 1 :]
                found.append(list(takewhile(lambda word: word not in {"|", ">", "<", "&&", ";"}, typed)))
    return found


def test_every_command_that_a_page_types_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    typed = [(page.name, arguments) for page in PAGES for arguments in commands(page)]
    assert len(typed) >= 20
    for name, arguments in typed:
        try:
            parser().parse_args([str(UUID(int=0)) if word == "ID" else word for word in arguments])
        except SystemExit:
            pytest.fail(f"{name}: asbuilt {shlex.join(arguments)}\n{capsys.readouterr().err}")


def test_the_example_of_a_problem_is_one() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    shown = msgspec.json.decode(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0], type=dict[str, object])
    msgspec.convert(shown, ProblemBody)
    known = {each.code: each for each in catalogue.entries()}[str(shown["code"])]
    assert (shown["status"], shown["title"]) == (known.status, known.title)
    assert shown["retry"] in known.retries
    assert shown.keys() <= {field.encode_name for field in msgspec.structs.fields(ProblemBody)}


def test_the_page_of_events_has_the_times_of_the_stream() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    times = Timings()
    for said in (
        f"every {times.heartbeat_s:.0f} seconds at least",
        f"after at most {times.lifetime_s / 60:.0f} minutes",
        f"nobody reads it for {settings.Settings().body_idle_s:.0f} seconds",
        f"more than {ROWS} jobs have changed",
        f"`{RETRY.decode().strip()}`",
    ):
        assert said in page, said


def test_every_part_of_the_filter_is_on_the_page_of_lists() -> None:
    """A filter that nobody is told of is one that nobody uses."""
    page = (DOCS / "lists.md").read_text(encoding="utf-8").split("\n## ")[0]
    told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)))
    document = msgspec.json.decode((DOCS / "openapi.json").read_bytes())
    asked = {each["name"] for each in document["paths"]["/api/records"]["get"]["parameters"] if each["in"] == "query"}
    assert set(told) == asked


def test_every_room_of_the_house_is_in_the_architecture() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    parts = {path.relative_to(ROOT).parts[:2] for path in tracked(".py") if len(path.relative_to(ROOT).parts) > 2}
    rooms = {"/".join(part) for part in parts if part[0] in {"app", "tasks"}}
    assert {room for room in rooms if f"| `{room}` |" not in page} == set()


def test_every_figure_that_an_alert_names_is_one() -> None:
    """An alert on a figure that nobody tells never rings."""
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(asbuilt_\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    named = re.findall(r"\basbuilt_\w+", "".join(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)))
    assert len(named) > 8
    assert {name.removesuffix("_bucket") for name in named} <= told


def test_every_problem_says_more_than_its_title() -> None:
    """Apps are written from docs/errors.md."""
    assert [each.code for each in catalogue.entries() if not each.note] == []


def test_the_diagram_of_a_jobs_life_has_legal_transitions_only_and_every_state() -> None:
    """A diagram is believed more than a table, and goes stale sooner."""
    page = (DOCS / "job-life-cycle.md").read_text(encoding="utf-8")
    diagram = re.search(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert diagram
    drawn = set(re.findall(r"^ +(\S+) --> (\S+?)(?::|$)", diagram[1], re.MULTILINE))
    legal = life.transitions()
    begins = {after for before, after in drawn if before == "[*]"}
    ends = {before for before, after in drawn if after == "[*]"}
    assert {(a, b) for a, b in drawn if "[*]" not in {a, b}} <= {(a, b) for a in legal for b in legal[a]}
    assert {name for pair in drawn for name in pair} == set(JobState) | {"[*]"}
    assert (begins, ends) == (checker.LIVE_AFTER[""], {state for state in legal if not legal[state]})


def test_the_fault_programme_and_the_doctor_know_the_same_transitions() -> None:
    """Each has its own list, so that neither is wrong with the other."""
    known = {state: after - {state} for state, after in checker.LIVE_AFTER.items() if state}
    assert known == {state: set(after) for state, after in life.transitions().items()}
