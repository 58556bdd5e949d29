"""A secret is blackened in every form in which something that is kept may hold it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import msgspec
import pytest

from tasks.runner.redact import MASK, Redactor

SECRETS = ["p@ss word", 'Bridge & "Gate" 77%', "it's <äöü> \\ ~*", "4711-0815", "Zürich/Köln+1"]
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "percent": lambda s: quote(s, safe=""),
    "path": quote,
    "form": quote_plus,
    "query": lambda s: urlencode({"p": s}),
    "percent in lower case": lambda s: (
        quote(s, safe="").replace("%2F", "%2f").replace("%3C", "%3c").replace("%C3%B6", "%c3%b6")
    ),
    "html": html.escape,
    "html text": lambda s: html.escape(s, quote=False),
    "html by a browser": lambda s: (
        s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    ),
    "json": json.dumps,
    "json in utf-8": lambda s: json.dumps(s, ensure_ascii=False),
    "json of json": lambda s: json.dumps(json.dumps({"p": s})),
    "msgspec": lambda s: msgspec.json.encode(s).decode(),
    "repr": repr,
    "yaml": lambda s: "'" + s.replace("'", "''") + "'",
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for urls": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "exception": lambda s: f"Locator.fill: Timeout\nCall log:\n  - fill({json.dumps(s)})",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_passes(secret: str, form: str) -> None:
    encoded = FORMS[form](secret)
    told = Redactor([secret]).text(f"before {encoded} after")
    assert MASK in told
    assert secret not in told
    assert told.startswith("before ")
    assert told.endswith(" after")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("user", ["u", "us", "usr", "user"])
def test_basic_authentication_does_not_carry_it_out(secret: str, user: str) -> None:
    encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
    told = Redactor([secret]).text(f"Authorization: Basic {encoded}")
    left = told.removeprefix("Authorization: Basic ").split(MASK)
    assert len(left) >= 2
    assert max(len(part) for part in left) < len(user) + 8


def test_what_is_learnt_on_the_way_is_kept_out_from_then_on() -> None:
    redactor = Redactor([])
    assert redactor.text("code 917364") == "code 917364"
    redactor.learn("917364")
    assert redactor.value({"917364": ["code=917364", 917364]}) == {MASK: [f"code={MASK}", 917364]}


def test_a_secret_inside_another_is_no_way_around() -> None:
    redactor = Redactor(["tower", "watchtower-9"])
    assert redactor.text("watchtower-9 and tower") == f"{MASK} and {MASK}"


def test_a_secret_too_short_to_be_one_is_left_alone() -> None:
    assert Redactor(["", "abc"]).text("abc") == "abc"
