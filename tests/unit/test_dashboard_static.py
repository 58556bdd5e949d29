"""The dashboard's files hold together: one state map, drawn icons, readable colours, and no way for text to become HTML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from app.dashboard.assets import STATIC, load_assets
from app.dashboard.routes import PAGES as SERVED
from app.jobs.states import LOOKS
from app.review.schemas import Decision

SCRIPTS = sorted(STATIC.rglob("*.js"))
PAGES = sorted(STATIC.glob("*.html"))
STYLES = sorted(STATIC.glob("*.css"))
DOCS = Path(__file__).parents[2] / "docs"
SQL = Path(__file__).parents[2] / "sql"


class _State(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    icon: str
    tone: str
    terminal: bool
    retry: str | None
    meaning: str


def _states() -> dict[str, _State]:
    found = re.search(r"STATES = freeze\((\{.*?\n\})\);", (STATIC / "states.js").read_text(), re.DOTALL)
    assert found, "states.js no longer holds one JSON literal"
    return msgspec.json.decode(found[1], type=dict[str, _State])


def _drawn() -> set[str]:
    return set(re.findall(r"^  (\w+): \[", (STATIC / "icons.js").read_text(), re.MULTILINE))


def test_the_page_and_the_server_say_the_same_about_every_state() -> None:
    shown = {name: (s.label, s.icon, s.tone, s.terminal) for name, s in _states().items()}
    assert shown == {state.value: (look.label, look.icon, look.tone, look.terminal) for state, look in LOOKS.items()}


def test_every_state_says_what_it_means() -> None:
    assert all(state.meaning.endswith(".") for state in _states().values())


def test_only_what_the_server_retries_has_a_retry_button() -> None:
    assert {name for name, state in _states().items() if state.retry} == {"retrying", "failed", "cancelled"}


def test_every_icon_that_is_named_is_drawn() -> None:
    text = "".join(path.read_text() for path in SCRIPTS)
    named = set(re.findall(r'icon\("(\w+)"\)|"?icon"?: "(\w+)"', text))
    assert {a or b for a, b in named} <= _drawn()


def test_every_act_that_sql_can_put_on_record_has_its_words() -> None:
    texts = [path.read_text() for path in SQL.rglob("*.sql") if path.parent.name in ("functions", "queries")]
    texts = [text for text in texts if re.search(r"insert into audit_event|note_edit\(", text)]
    written = {act for text in texts for act in re.findall(r"'((?!asbuilt\.)[a-z]+\.[a-z_]+)'", text)}
    written |= {f"record.{decision}" for decision in get_args(Decision)}
    assert {"job.retry", "portal.breaker", "queue.delete", "form.import"} <= written
    words = (STATIC / "words.js").read_text()
    missing = {act for act in written if f'"{act}": "' not in words}
    assert not missing, "shown as a code in the audit and on the record's timeline"


def test_every_tone_has_its_colours() -> None:
    tones = set(re.findall(r'\[data-tone="(\w+)"\]', (STATIC / "tokens.css").read_text()))
    text = "".join(path.read_text() for path in SCRIPTS)
    assert set(re.findall(r'"?tone"?: "(\w+)"', text)) <= tones


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_text_from_outside_can_never_become_html_or_code(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc|\beval\(|new Function|setHTML"
    assert not re.search(forbidden, path.read_text())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_hold_no_script_or_style_of_their_own(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"https?:|//", text.replace("<!doctype html>", "")), "a page loads something from another site"


def test_everything_that_is_referred_to_exists() -> None:
    for path in SCRIPTS:
        for name in re.findall(r'(?:from |^import |\bimport\()"(\.[^"]+)"', path.read_text(), re.MULTILINE):
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"
    assets = load_assets()
    for page in PAGES:
        for name in re.findall(r'"/static/([^"]+)"', page.read_text()):
            assert name in assets, f"{page.name} refers to {name}"


def test_the_server_answers_every_address_that_has_a_view() -> None:
    """A view whose address the server does not know opens by its link, and is gone at a reload."""
    views = re.findall(r'\{ path: "([^"]+)"', (STATIC / "views.js").read_text())
    assert views == [re.sub(r":\w+}", "}", path) for path in SERVED]


@pytest.mark.parametrize("path", sorted((STATIC / "views").glob("*.js")), ids=lambda path: path.name)
def test_every_view_is_what_the_shell_mounts(path: Path) -> None:
    text = path.read_text()
    assert re.search(r"^export const title = ", text, re.MULTILINE)
    assert re.search(r"^export function mount\(root", text, re.MULTILINE)
    assert f'import("./views/{path.name}")' in (STATIC / "views.js").read_text(), "no address leads to it"
    assert 'h("h1"' in text, "the focus goes to the heading"


def test_the_forerunners_four_elements_are_registered_by_literal_names() -> None:
    text = "".join(path.read_text() for path in SCRIPTS)
    defined = set(re.findall(r'customElements\.define\("([a-z-]+)"', text))
    four = {"automation-status-badge", "form-review-table", "form-detail-modal", "form-stats-cards"}
    assert four <= defined


def _colours() -> dict[str, tuple[str, str]]:
    text = (STATIC / "tokens.css").read_text()
    return {name: (a, b) for name, a, b in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)}


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TONES = ("mute", "run", "warn", "good", "bad")
GROUNDS = ("paper", "surface", "raised", "hover")
TEXT_ON = [(text, ground) for text in ("ink", "ink-2", "link", *TONES) for ground in GROUNDS]
TEXT_ON += [(tone, f"{tone}-bg") for tone in TONES] + [("on-button", "button"), ("ink", "bad-bg"), ("ink-2", "bad-bg")]
TEXT_ON += [("ink-2", f"{tone}-bg") for tone in TONES]


@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_can_be_read_in_light_and_dark(text: str, ground: str) -> None:
    colours = _colours()
    for theme in (0, 1):
        ratio = _contrast(colours[text][theme], colours[ground][theme])
        assert ratio >= 4.5, f"{text} on {ground} has only {ratio:.2f} in {('light', 'dark')[theme]}"


@pytest.mark.parametrize("line", ["line-strong", "focus", "run"])
def test_the_edges_of_what_can_be_used_can_be_seen(line: str) -> None:
    colours = _colours()
    for theme in (0, 1):
        assert _contrast(colours[line][theme], colours["surface"][theme]) >= 3


def test_styles_use_only_tokens_that_exist() -> None:
    defined = set(re.findall(r"(--[\w-]+):", (STATIC / "tokens.css").read_text()))
    for path in STYLES:
        assert set(re.findall(r"var\((--[\w-]+)", path.read_text())) <= defined, path.name


# Properties, and what their values may not hold: it comes from tokens.css, as var(--…).
BUILT_FROM = {
    r"[\w-]*color|background|fill|stroke|border(?:-\w+)?|outline": r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|light-dark)\(|\b(?:white|black|gr[ae]y|red|green|blue)\b",
    r"font(?:-size)?": r"\d(?:px|rem|em)\b",
    r"(?:padding|margin|gap|row-gap|column-gap)[\w-]*": r"\d(?:px|rem|em)\b",
    r"border-radius": r"\d(?:px|rem|em)\b",
}


def test_styles_are_built_from_the_scales_alone() -> None:
    """One colour, size or distance of its own is how a look begins to come apart."""
    found = []
    for path in STYLES:
        text = "" if path.name == "tokens.css" else re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for name, value in re.findall(r"([\w-]+):\s*([^;{}]+)[;}]", text):
            for names, own in BUILT_FROM.items():
                if re.fullmatch(names, name) and re.search(own, value):
                    found.append(f"{path.name}: {name}: {value}")
    assert found == []


def _rem(name: str) -> list[float]:
    return [float(size) for size in re.findall(rf"--{name}-\w+: ([\d.]+)rem;", (STATIC / "tokens.css").read_text())]


def test_distances_are_whole_steps_of_four_pixels_and_each_scale_rises() -> None:
    distances, sizes = _rem("s"), _rem("t")
    assert [rem * 16 % 4 for rem in distances[1:]] == [0] * (len(distances) - 1)
    assert distances[0] * 16 == 2, "the half step, for what lies within a line"
    assert distances == sorted(set(distances))
    assert sizes == sorted(set(sizes))
    assert sizes[0] * 16 >= 12, "smaller text is not read"


def test_the_styles_end_at_the_elements_that_other_pages_use() -> None:
    """Each sheet names them once more: one that is forgotten is naked there, and a rule outside dresses their page."""
    sheets = {name: (STATIC / f"{name}.css").read_text() for name in ("tokens", "elements", "detail")}
    scopes = [
        names for text in sheets.values() for names in re.findall(r"(?:@scope|:where) ?\((\.asbuilt, .*?)\) \{", text)
    ]
    assert len(set(scopes)) == 1, set(scopes)
    documented = re.findall(r"^\| `([a-z]+-[a-z-]+)` \|", (DOCS / "elements.md").read_text(), re.MULTILINE)
    assert len(documented) == 5
    assert set(documented) <= set(scopes[0].split(", "))
    for name in ("elements", "detail"):
        outside = _without_scopes(re.sub(r"/\*.*?\*/", "", sheets[name], flags=re.DOTALL))
        plain = re.findall(r"^(?:\*|\[|[a-z]+[1-6]?(?![\w-]))[^{}\n]* \{", outside, re.MULTILINE)
        assert plain == [], f"{name}.css dresses every element of the page"


def _without_scopes(sheet: str) -> str:
    """The sheet without its `@scope` blocks."""
    kept, rest = "", sheet
    while (at := rest.find("@scope")) >= 0:
        kept, depth, end = kept + rest[:at], 0, rest.index("{", at)
        while True:
            depth += {"{": 1, "}": -1}.get(rest[end], 0)
            end += 1
            if depth == 0:
                break
        rest = rest[end:]
    return kept + rest
