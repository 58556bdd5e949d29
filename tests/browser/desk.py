"""A person at the dashboard in a real Chromium, and the crew that sends records to the same running stack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import uuid4

import httpx
import msgspec
from playwright.async_api import ConsoleMessage, Dialog, Page, async_playwright, expect

from tests.e2e.stacks import Stack, asbuilt
from tests.machine import browser
from tests.service import listed, multipart, record
from tests.unit.pictures import jpeg

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
DEADLINE_MS = 60_000
TRIES = 5
"""A busy server refuses rather than lets a person wait; the form keeps what was typed, and is sent again."""

# Everything the browser holds against the page is collected: a test that ends with a complaint has failed.
WATCH_CSP = (
    "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))"
)

expect.set_options(timeout=DEADLINE_MS)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    password: str


class Site(Protocol):
    """What a browser needs to know of a server."""

    @property
    def url(self) -> str: ...


class Crew:
    """Uploads records as a phone does."""

    def __init__(self, stack: Stack) -> None:
        answer = asbuilt(
            "token", "create", "--project", "demo", "--scope", "upload,read,operate", "--home", str(stack.home)
        )
        self.token = answer.stdout.strip()
        self.http = httpx.Client(base_url=stack.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def send(self, *, photos: bool = True, **changed: Any) -> dict[str, Any]:
        """A record with three drawn photos unless `photos` is false; the server's answer. `fields` are merged."""
        body = record()
        fields = {**body["fields"], "work_order": f"WO-{uuid4().int % 90000 + 10000}", **changed.pop("fields", {})}
        body |= {**changed, "fields": fields}
        files = {name: jpeg(shade=90 + 20 * at) for at, name in enumerate(SHOTS)} if photos else {}
        answer = self.http.post(
            "/api/mobile/records", **multipart({**body, "photos": listed(SHOTS if photos else {})}, files)
        )
        assert answer.status_code == 201, answer.text
        sent: dict[str, Any] = answer.json()
        return sent

    def job(self, sent: dict[str, Any]) -> dict[str, Any]:
        view: dict[str, Any] = self.http.get(f"/api/jobs/{sent['automation_job_id']}").raise_for_status().json()
        return view

    def retry(self, sent: dict[str, Any], reason: str) -> None:
        self.http.post(f"/api/jobs/{sent['automation_job_id']}/retry", json={"reason": reason}).raise_for_status()


class Desk:
    """One page, and what the browser had to complain about there and in the tabs it opened."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        self._provoked: set[tuple[str, str]] = set()
        page.context.on("console", self._console)
        page.context.on("weberror", lambda error: self.complaints.append(f"error: {error.error}"))
        page.context.on("dialog", self._dialog)

    async def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} {message.location['url']}")

    def provokes(self, said: str, where: str = "") -> None:
        """The test brings about that the browser complains of `said`, a status or other words, at an address with `where`."""
        self._provoked.add((f" {said}", where))

    def unexpected(self) -> list[str]:
        """Complaints that no test provoked, and those provoked that were not made."""

        def fits(line: str, cause: tuple[str, str]) -> bool:
            return all(part in line for part in cause)

        said = [line for line in self.complaints if not any(fits(line, cause) for cause in self._provoked)]
        # Where the network is cut, nobody knows what was under way.
        due = {cause for cause in self._provoked if "net::" not in cause[0]}
        unsaid = [cause for cause in due if not any(fits(line, cause) for line in self.complaints)]
        return said + [f"never said:{what} {where}" for what, where in unsaid]

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.site.url + path)

    async def sign_in(self, person: Person, path: str = "/", *, says: str = "Live") -> None:
        """Through the form, as a person does; the page then `says` how live it is."""
        await self.open(path)
        await self.page.get_by_label("E-mail").fill(person.email)
        await self.page.get_by_label("Password").fill(person.password)
        status, alert = self.page.locator("connection-status"), self.page.get_by_role("alert")
        for _ in range(TRIES):
            await self.page.keyboard.press("Enter")
            await expect(status.or_(alert.filter(has_text="cannot be reached")).first).to_be_visible()
            if await status.is_visible():
                break
            self.provokes("50", "/api/session")
        await expect(status.get_by_role("status")).to_have_text(says)
        # The view is a module of its own: keys that are pressed before it is there go nowhere.
        await expect(self.page.locator("main h1")).to_be_visible()

    async def sign_in_beside(self, person: Person) -> None:
        """As in another tab of the same browser."""
        answer = await self.page.context.request.post(
            self.site.url + "/api/session", data=msgspec.structs.asdict(person)
        )
        assert answer.ok

    def row(self, sent: dict[str, Any]) -> Any:
        return self.page.locator(f"tr[data-id='{sent['record_id']}']")

    async def open_record(self, sent: dict[str, Any]) -> Any:
        """Open it from its row by keyboard; the dialog."""
        await self.row(sent).focus()
        await self.page.keyboard.press("Enter")
        dialog = self.page.locator("dialog.detail")
        await expect(dialog.locator(".about dd").first).to_be_visible()
        return dialog


def make_person(stack: Stack, role: str) -> Person:
    email = f"{role}-{uuid4().hex[:6]}@example.com"
    answer = asbuilt("user", "create", "--email", email, "--project", "demo", "--role", role, "--home", str(stack.home))
    return Person(email=email, password=answer.stdout.strip())


@asynccontextmanager
async def at_desk(site: Site, **context: Any) -> AsyncIterator[Desk]:
    """A fresh browser; afterwards it must have had nothing to complain about."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        try:
            view = await chromium.new_context(**context)
            await view.add_init_script(WATCH_CSP)
            page = await view.new_page()
            page.set_default_timeout(DEADLINE_MS)
            desk = Desk(page, site)
            yield desk
        finally:
            await chromium.close()
    assert desk.unexpected() == [], desk.unexpected()
