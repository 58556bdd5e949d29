"""The page tree of the forms driver: hostile and broken markup included."""

from __future__ import annotations

import pytest

from tasks.runner.dom import parse, quoted

PAGE = """<!doctype html><title>T</title><body>
<div role="alert" class="alert bad"><ul><li data-field=height>Too <b>tall</b><li data-field="crew">Who?</ul></div>
<form id=f><select name=s><option>One<option value=2 selected>Two</select><br><input id="certify" type=checkbox>
<script>var hidden = "<li>no</li>";</script></form><p data-photo='it&#39;s "odd".jpg'>x</p>"""


@pytest.mark.parametrize(
    ("css", "texts"),
    [
        ("[role=alert] li", ["Too tall", "Who?"]),
        ("[role=alert] li[data-field=crew]", ["Who?"]),
        ("div.alert.bad li[data-field='height'] b", ["tall"]),
        ("#certify", [""]),
        ("form option", ["One", "Two"]),
        ("option[value='2']", ["Two"]),
        ("form li", []),
        ("li li", []),
    ],
)
def test_selectors(css: str, texts: list[str]) -> None:
    assert [node.text for node in parse(PAGE).select(css)] == texts


def test_a_quoted_name_finds_exactly_its_own_element() -> None:
    name = """it's "odd".jpg"""
    assert len(parse(PAGE).select(f"[data-photo='{quoted(name)}']")) == 1


def test_an_unknown_selector_is_an_error_and_not_a_silent_nothing() -> None:
    with pytest.raises(ValueError, match="selector"):
        parse(PAGE).select("li:first-child")
