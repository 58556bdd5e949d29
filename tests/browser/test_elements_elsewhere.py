"""The elements in somebody else's page: the example of docs/elements.md, from a second server, with a token."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
from playwright.async_api import Page, expect

from sql import Connection
from tests.browser.air import Air, air
from tests.browser.desk import SHOTS, Desk, at_desk
from tests.service import Service, listed, multipart, record, service, token, web_settings
from tests.unit.pictures import jpeg

DOCS = Path(__file__).parents[2] / "docs" / "elements.md"
LOOK = """(tag) => {
  const made = document.body.appendChild(document.createElement(tag));
  const { color, background, border, borderRadius, padding, margin, font, display, boxSizing, appearance } = getComputedStyle(made);
  const ink = getComputedStyle(made).getPropertyValue('--ink');
  made.remove();
  return { color, background, border, borderRadius, padding, margin, font, display, boxSizing, appearance, ink };
}"""
PLAIN = ("button", "a", "input", "select", "dialog", "code", "progress", "h2", "p")


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A site of another origin; `url` is its page."""

    url: str


@contextmanager
def site(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def example(base: str, secret: str, job: str) -> str:
    page = re.search(r"```html\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert page
    return page[1].replace("https://asbuilt.example", base).replace("TOKEN", secret).replace("JOB", job)


async def upload(served: Service, **changed: Any) -> dict[str, Any]:
    files = {name: jpeg(shade=90 + 20 * at) for at, name in enumerate(SHOTS)}
    form = multipart(record(**changed, photos=listed(SHOTS)), files)
    answer = await served.http.post("/api/mobile/records", **form, headers=served.bearer())
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


@asynccontextmanager
async def office(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path, *, allowed: bool
) -> AsyncIterator[tuple[Service, Air, Desk, dict[str, Any]]]:
    """Our server, the way to it, a browser at the other site's page, and the record of a crew."""
    folder = tmp_path / "office"
    folder.mkdir()
    with site(folder) as origin:
        settings = web_settings(database_url, redis_url, tmp_path, cors_origins=(origin,) if allowed else ())
        async with service(settings) as served, air(served.url) as way:
            sent = await upload(served, asset="P-ELSEWHERE")
            secret = await token(conn, scopes=("read", "operate"))
            (folder / "index.html").write_text(example(way.url, secret, sent["automation_job_id"]))
            (folder / "plain.html").write_text("<!doctype html><title>Plain</title><body>")
            (folder / "favicon.ico").touch()
            served.http.headers.update(served.bearer(secret))
            async with at_desk(Office(url=origin)) as desk:
                yield served, way, desk, sent


async def looks(page: Page) -> dict[str, Any]:
    return {tag: await page.evaluate(LOOK, tag) for tag in PLAIN}


async def act(http: httpx.AsyncClient, sent: dict[str, Any], what: str) -> None:
    answer = await http.post(f"/api/jobs/{sent['automation_job_id']}/{what}", json={"reason": "for the test"})
    assert answer.status_code < 300, answer.text


async def test_each_element_works_in_a_page_of_another_origin(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    async with office(database_url, redis_url, conn, tmp_path, allowed=True) as (served, way, desk, sent):
        page = desk.page
        await desk.open("/plain.html")
        plain = await looks(page)
        await desk.open("/")
        badge, row = page.locator("body > automation-status-badge"), desk.row(sent)
        await expect(page.locator("connection-status")).to_have_text("Live")
        await expect(page.locator("form-stats-cards [data-card=progress] .value")).to_have_text("1")
        await expect(row).to_contain_text("P-ELSEWHERE")
        await expect(badge).to_have_attribute("data-state", "queued")
        assert await looks(page) == plain, "the style sheets have reached the page around the elements"

        # A break: what happened meanwhile is there afterwards, so the stream may say from another origin where it stood.
        desk.provokes("net::ERR_", "/api/events")
        way.cut()
        await expect(page.locator("connection-status")).to_have_attribute("data-phase", "reconnecting")
        await act(served.http, sent, "cancel")
        way.heal()
        await expect(page.locator("connection-status")).to_have_text("Live")
        await expect(badge).to_have_attribute("data-state", "cancelled")
        await expect(row.locator("automation-status-badge")).to_have_attribute("data-state", "cancelled")

        # The record, its photos, and an act on it.
        await row.click()
        dialog = page.locator("dialog.detail")
        await expect(dialog.locator(".photos img")).to_have_count(3)
        assert (
            await dialog.locator(".photos img").first.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0
        )
        await dialog.locator(".photos button").first.click()
        lightbox = page.locator("dialog.lightbox")
        await expect(lightbox.locator("img")).to_be_visible()
        assert await lightbox.evaluate("(box) => getComputedStyle(box).borderRadius") == "16px"
        await page.keyboard.press("Escape")
        await dialog.get_by_label("Reason").fill("From the office's own page")
        await dialog.get_by_role("button", name="Retry", exact=True).click()
        await expect(badge).to_have_attribute("data-state", "queued")
        await expect(dialog.locator(".timeline")).to_contain_text("From the office's own page")


async def test_without_the_setting_a_browser_refuses_all_of_it(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    async with office(database_url, redis_url, conn, tmp_path, allowed=False) as (_, way, desk, _):
        desk.provokes("CORS policy")
        desk.provokes("net::ERR_FAILED", way.url)
        await desk.open("/")
        for name in ("static/elements/form-review-table.js", "static/tokens.css", "api/stats?project=demo"):
            refused = "(url) => fetch(url, { headers: { Authorization: 'Bearer x' } }).then(() => false, () => true)"
            assert await desk.page.evaluate(refused, f"{way.url}/{name}"), name
        assert not await desk.page.evaluate("() => Boolean(customElements.get('form-review-table'))")
