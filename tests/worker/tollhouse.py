"""A small portal with a sign-in, a one-time code, one form and one submission; no database. It counts what it receives."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec

from app.core.credentials import AccountEntry, PortalEntry, write
from app.core.settings import Settings
from tasks.engines import AsbuiltEngine
from tasks.engines.contract import CommitGrant, Event, RunHandle, RunSpec
from tasks.engines.events import CommitRequested
from tasks.runner import Limits, Service, running
from tasks.runner.recipe_file import Recipes, parse
from tests.worker.rig import DEADLINE_S, TOKEN, listening

USER, PASSWORD = "toll-keeper", 'Bridge & "Gate" 77%'

RECIPE = """
recipe = "tollhouse"
version = 1
portal = "tollhouse"
lookup = "none"
detect = [
  {code = "PORTAL_ERROR", when = {status = "500-599"}},
  {code = "SESSION_EXPIRED", when = {url = "**/login?expired=**"}},
  {code = "LOGIN_REJECTED", when = {url = "**/login?bad=**"}},
  {code = "OTP_REQUIRED", when = {url = "**/otp**"}, ask = {kind = "otp", fill = {label = "6-digit code"}, submit = {role = "button", name = "Verify"}}},
]
[[steps]]
id = "sign_in"
label = "Sign in"
session = true
open = "/"
skip_if = {testid = "nav-user"}
actions = [
  {do = "fill", at = {label = "User name"}, value = "{{secret.user}}", sensitive = true},
  {do = "fill", at = {label = "Password"}, value = "{{secret.password}}", sensitive = true},
  {do = "click", at = {role = "button", name = "Sign in"}},
]
done = {at = {testid = "nav-user"}}
[[steps]]
id = "submit"
label = "Submit"
open = "/form"
commits = {url = "**/submit"}
actions = [
  {do = "fill", at = {label = "Name"}, value = "{{form.name}}"},
  {do = "click", at = {role = "button", name = "Send"}},
]
done = {at = {testid = "number"}, as = "confirmation_number", matches = 'TH-\\d+'}
"""


class Tollhouse:
    """`code` is the right one-time code, empty for none; `leaves` sends who signs in to another address first."""

    def __init__(self, *, code: str = "") -> None:
        self.code = code
        self.sign_ins: list[bool] = []
        self.codes: list[str] = []
        self.submissions: list[str] = []
        self.asked: list[str] = []
        self.elsewhere = ""
        self.names_secrets = False
        self.fails: dict[str, int] = {}
        self.forgets: dict[str, int] = {}
        self._known: dict[str, bool] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        headers = dict(scope["headers"])
        self.asked.append(path)
        form: dict[str, str] = {}
        if scope["method"] == "POST":
            body = b""
            more = True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        sid = headers.get(b"cookie", b"").decode().partition("sid=")[2].partition(";")[0]
        status, place, page, cookie = self._answer(path, form, sid, scope["query_string"].decode())
        out = [(b"content-type", b"text/html; charset=utf-8")]
        out += [(b"location", place.encode())] if place else []
        out += [(b"set-cookie", f"sid={cookie}; Path=/; HttpOnly".encode())] if cookie else []
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": page.encode()})

    def _answer(self, path: str, form: dict[str, str], sid: str, query: str) -> tuple[int, str, str, str]:
        """Status, where to, page, and a new session's cookie. `fails` and `forgets` count what a path does first."""
        if self.fails.get(path):
            self.fails[path] -= 1
            return 500, "", page("<p>Sorry.</p>"), ""
        if self.forgets.get(path):
            self.forgets[path] -= 1
            self._known.pop(sid, None)
            return 303, "/login?expired=1", "", ""
        if form:
            place, cookie = self._posted(path, form, sid)
            return 303, place, "", cookie
        if self.elsewhere and path == "/" and not self._known.get(sid):
            return 303, f"{self.elsewhere}/login", "", ""
        return 200, "", self._shown(path, query, signed_in=self._known.get(sid, False)), ""

    def _posted(self, path: str, form: dict[str, str], sid: str) -> tuple[str, str]:
        if path == "/login":
            right = (form.get("user"), form.get("password")) == (USER, PASSWORD)
            self.sign_ins.append(right)
            fresh = uuid4().hex if right else ""
            if fresh:
                self._known[fresh] = not self.code
            return ("/otp" if self.code else "/") if right else "/login?bad=1", fresh
        if path == "/otp":
            self.codes.append(form.get("code", ""))
            self._known[sid] = form.get("code") == self.code
            return "/" if self._known[sid] else "/otp?bad=1", ""
        self.submissions.append(form.get("name", ""))
        return f"/done/{len(self.submissions)}", ""

    def _shown(self, path: str, query: str, *, signed_in: bool) -> str:
        if path == "/otp":
            return page(field("code", "6-digit code") + button("Verify"), action="/otp")
        if not signed_in:
            said = html.escape(f"{USER} {PASSWORD}") if self.names_secrets else ""
            wrong = "<p>Wrong.</p>" if "bad" in query else ""
            fields = field("user", "User name") + field("password", "Password", kind="password")
            return page(wrong + said + fields + button("Sign in"), action="/login")
        if path.startswith("/done/"):
            return page(f'<p data-testid="number">TH-{path[6:]}</p>')
        nav = f'<p data-testid="nav-user">{USER}</p>'
        return page(nav + (field("name", "Name") + button("Send") if path == "/form" else ""), action="/submit")


def page(body: str, *, action: str = "") -> str:
    return f'<!doctype html><title>Toll house</title><form method="post" action="{action}">{body}</form>'


def field(name: str, label: str, *, kind: str = "text") -> str:
    return f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}">'


def button(text: str) -> str:
    return f"<button>{text}</button>"


class Toll(msgspec.Struct, kw_only=True):
    """A runner with the toll house as its only portal."""

    portal: Tollhouse
    url: str
    service: Service
    engine: AsbuiltEngine
    folder: Path

    def spec(self, **changes: Any) -> RunSpec:
        fields: dict[str, Any] = {
            "job_id": uuid4(),
            "record_id": uuid4(),
            "attempt": 1,
            "portal": "tollhouse",
            "recipe": "tollhouse",
            "external_ref": f"AB-{uuid4().hex[:6].upper()}",
            "inputs": {"name": "Okafor"},
        }
        return RunSpec(**(fields | changes))

    async def start(self, **changes: Any) -> RunHandle:
        spec = self.spec(**changes)
        return await self.engine.start(spec, key=f"{spec.job_id}.1")

    async def until(self, run: RunHandle, kind: str, *, after: int = 0) -> Event:
        async for event in self.engine.events(run, after=after, deadline_s=DEADLINE_S):
            if event.type == kind:
                return event
        raise AssertionError(f"the run ended without {kind}")

    async def play(self, run: RunHandle) -> list[Event]:
        """Follow a run to its end, opening the gate."""
        events: list[Event] = []
        async for event in self.engine.events(run, deadline_s=DEADLINE_S):
            events.append(event)
            if event.type == "commit.requested":
                grant = CommitGrant(token=event.read(CommitRequested).token, attempt=event.attempt)
                await self.engine.authorize_commit(run, grant)
        return events

    def kept(self) -> bytes:
        """Everything the service has on disk."""
        folder = self.folder / "runner"
        return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _write(path: Path, portals: dict[str, PortalEntry]) -> None:
    path.parent.mkdir(exist_ok=True)
    write(path, portals)


@asynccontextmanager
async def tolled(
    folder: Path,
    *,
    portal: Tollhouse | None = None,
    browser: str = "none",
    limits: Limits | None = None,
    recipe: str = RECIPE,
    password: str = PASSWORD,
    totp: str = "",
    pages_per_s: float = 0.0,
    url: str = "",
) -> AsyncIterator[Toll]:
    """Everything on free ports; `url` is another portal's than the toll house's own."""
    portal = portal or Tollhouse()
    async with AsyncExitStack() as stack:
        url = url or await stack.enter_async_context(listening(portal))
        account = AccountEntry(user=USER, password=password, totp=totp)
        accounts = folder / "accounts.toml"
        entry = PortalEntry(url=url, pages_per_s=pages_per_s, accounts={"default": account})
        await asyncio.to_thread(_write, accounts, {"tollhouse": entry})
        settings = Settings(
            runner_port=0, runner_dir=folder / "runner", automation_token=TOKEN, browser=browser, accounts=accounts
        )
        service = await stack.enter_async_context(running(settings, limits=limits))
        service.runs.recipes = Recipes([parse(recipe, source="tollhouse.toml")])
        engine = AsbuiltEngine(service.url, token=TOKEN)
        stack.push_async_callback(engine.close)
        yield Toll(portal=portal, url=url, service=service, engine=engine, folder=folder)
