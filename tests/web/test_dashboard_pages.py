"""The dashboard's pages over HTTP: their headers, their types, and nothing but the listed files."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient

from app.core.catalogue import ADVICE, entries
from app.core.problems import HANDLERS
from app.dashboard.routes import router
from tests.service import web_settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'"
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    settings = Provide(lambda: web_settings("", "", tmp_path), sync_to_thread=False)
    with TestClient(Litestar([router], exception_handlers=HANDLERS, dependencies={"settings": settings})) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/records/0198a0b0-0000-4000-8000-000000000001", "text/html; charset=utf-8"),
        ("/sign-in", "text/html; charset=utf-8"),
        ("/static/core.js", "text/javascript; charset=utf-8"),
        ("/static/elements/form-review-table.js", "text/javascript; charset=utf-8"),
        ("/static/app.css", "text/css; charset=utf-8"),
        ("/problems/record-conflict", "text/html; charset=utf-8"),
        ("/favicon.ico", "image/svg+xml"),
    ],
)
def test_a_page_or_file_comes_with_its_type_and_every_guard(
    client: TestClient[Litestar], path: str, content_type: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["permissions-policy"] == "camera=(), geolocation=()"
    assert "strict-transport-security" in answer.headers


def test_an_unchanged_file_is_not_sent_again(client: TestClient[Litestar]) -> None:
    first = client.get("/static/core.js")
    again = client.get("/static/core.js", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/static/core.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_the_same_without_the_bytes(client: TestClient[Litestar]) -> None:
    answer = client.head("/")
    assert answer.status_code == 200
    assert answer.headers["etag"] == client.get("/").headers["etag"]


def test_who_shows_no_session_is_led_to_the_sign_in_without_a_question(client: TestClient[Litestar]) -> None:
    stranger = client.get("/operations")
    known = client.get(
        "/operations", headers={"Cookie": "asbuilt=something", "If-None-Match": stranger.headers["etag"]}
    )
    assert ("<html data-signed-out " in stranger.text, "data-signed-out" in known.text) == (True, False)
    assert (known.status_code, known.headers["vary"], stranger.headers["vary"]) == (200, "Cookie", "Cookie")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../routes.py",
        "/static/%2e%2e/routes.py",
        "/static/%2e%2e%2froutes.py",
        "/static//etc/passwd",
        "/static/elements",
        "/static/",
        "/static/core.js%00.css",
    ],
)
def test_nothing_but_the_listed_files_is_served(client: TestClient[Litestar], path: str) -> None:
    assert client.get(path).status_code == 404


def test_pages_cannot_be_posted_to(client: TestClient[Litestar]) -> None:
    assert client.post("/").status_code == 405


def test_every_error_has_a_page_that_says_what_to_do(client: TestClient[Litestar]) -> None:
    for entry in entries():
        page = client.get(f"/problems/{entry.code}").text
        assert entry.title in html.unescape(page)
        for retry in entry.retries:
            assert ADVICE[retry] in html.unescape(page)
        assert "<script" not in page
        assert "style=" not in page
    assert client.get("/problems/other").status_code == 404
