"""The driver with a browser: Chromium by Playwright, one shared browser, one context a run."""

from __future__ import annotations

import asyncio
import logging
import re

from playwright.async_api import (
    APIResponse,
    Browser,
    BrowserContext,
    Dialog,
    Error,
    Locator,
    Page,
    Request,
    Response,
    Route,
)
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tasks.engines.contract import PortalMessage
from tasks.runner.driver import Answer, Cookie, Gate, PageCopy, Photo, RunError, Shot, commit_pattern
from tasks.runner.pace import Pace
from tasks.runner.recipe import CommitRule
from tasks.runner.target import Target

log = logging.getLogger("asbuilt.runner")

VIEWPORT_W, VIEWPORT_H = 1280, 800
_ACTION_MS = 15_000
_NAVIGATION_MS = 30_000
_SHOT_MS = 10_000
_CLOSE_S = 5.0
_OPEN_TRIES = 3

_UNREACHABLE = re.compile(r"net::(ERR_(?:CONNECTION|NAME_NOT|SSL|ADDRESS|INTERNET|EMPTY|NETWORK|SOCKET)\w*)")
_PASSING = re.compile(
    r"interrupted by another navigation|net::ERR_(?:CONNECTION_(?:RESET|CLOSED)|EMPTY_RESPONSE|NETWORK)"
)
_PAGE_LOAD = re.compile(r"goto|fetch")
_BROKEN = re.compile(r"ECONNRESET|ECONNREFUSED|EPIPE|socket hang up|net::")


class BrowserDriver:
    """One page in a context of its own. `dialogs` says what an unexpected dialog means; limits in seconds."""

    def __init__(
        self, context: BrowserContext, page: Page, *, browser: str, dialogs: str, submit_s: float, pace: Pace
    ) -> None:
        self.browser = browser
        self._context = context
        self._page = page
        self._dialogs = dialogs
        self._submit_s = submit_s
        self._pace = pace
        self._trouble: RunError | None = None
        self._concealed: list[Locator] = []
        self._method = ""
        self._gone: asyncio.Future[RunError] = asyncio.get_running_loop().create_future()
        self.status: int | None = None
        self.retry_after_s: int | None = None
        page.set_default_timeout(_ACTION_MS)
        page.set_default_navigation_timeout(_NAVIGATION_MS)
        page.on("response", self._on_response)
        page.on("requestfailed", self._on_failed)
        page.on("dialog", self._on_dialog)
        page.on("crash", self._on_crash)
        page.on("close", self._on_close)
        if context.browser is not None:
            context.browser.on("disconnected", self._on_close)

    @property
    def url(self) -> str:
        return self._page.url

    async def open(self, url: str) -> None:
        await self._pace.take()
        for left in reversed(range(_OPEN_TRIES)):
            try:
                await self._page.goto(url, wait_until="domcontentloaded")
            except Error as exc:
                # The page's own script may be on its way to somewhere else at the same moment, or the line broke.
                if not left or not _PASSING.search(exc.message):
                    raise translate(exc) from exc
                self._trouble = None
                await asyncio.sleep(0.2)
            else:
                return

    async def again(self) -> bool:
        if self._method != "GET":
            return False
        # Never `reload`, which would send a form once more.
        await self.open(self.url)
        return True

    async def count(self, target: Target) -> int:
        if self._trouble is not None:
            raise self._trouble
        try:
            return await self._locator(target).count()
        except Error as exc:
            if _navigating(exc):
                return 0
            raise translate(exc) from exc

    async def text(self, target: Target) -> str:
        try:
            return " ".join((await self._locator(target).first.inner_text()).split())
        except Error as exc:
            raise translate(exc) from exc

    async def texts(self, css: str, *, attribute: str | None) -> list[PortalMessage]:
        try:
            pairs = await self._page.locator(css).evaluate_all(
                "(nodes, name) => nodes.map(n => [n.innerText.trim(), name ? n.getAttribute(name) : null])", attribute
            )
        except Error as exc:
            if _navigating(exc):
                return []
            raise translate(exc) from exc
        return [PortalMessage(text=text, field=field) for text, field in pairs]

    async def fill(self, target: Target, value: str) -> None:
        await self.settle()
        try:
            await self._locator(target).fill(value)
        except Error as exc:
            raise translate(exc) from exc

    async def conceal(self, target: Target) -> None:
        self._concealed.append(self._locator(target))

    async def select(self, target: Target, value: str) -> None:
        locator = self._locator(target)
        await self.settle()
        try:
            if await locator.evaluate("node => node.tagName") != "SELECT":
                await self._pick(locator, target, value)
                return
            # An option that is not there would only time out.
            options = await locator.evaluate("node => [...node.options].map(o => [o.label, o.value])")
            if not any(value in pair for pair in options):
                offered = ", ".join(label for label, _ in options)
                raise RunError("OPTION_MISSING", f"{target.describe()} offers no {value!r}, only {offered}")
            by_label = any(value == label for label, _ in options)
            await (locator.select_option(label=value) if by_label else locator.select_option(value=value))
        except Error as exc:
            raise translate(exc) from exc

    async def _pick(self, locator: Locator, target: Target, value: str) -> None:
        """Choose in a list that the page has made itself: open it, then click the option of that name."""
        await locator.click(no_wait_after=True)
        options = self._page.get_by_role("option")
        await options.first.wait_for(state="visible")
        texts = [text.strip() for text in await options.all_inner_texts()]
        if value not in texts:
            await self._page.keyboard.press("Escape")
            raise RunError("OPTION_MISSING", f"{target.describe()} offers no {value!r}, only {', '.join(texts)}")
        await self._page.get_by_role("option", name=value, exact=True).first.click(no_wait_after=True)

    async def check(self, target: Target) -> None:
        await self.settle()
        try:
            await self._locator(target).check()
        except Error as exc:
            raise translate(exc) from exc

    async def press(self, target: Target, key: str) -> None:
        await self._pace.take()
        try:
            await self._locator(target).press(key, no_wait_after=True)
        except Error as exc:
            raise translate(exc) from exc

    async def click(self, target: Target) -> None:
        # Whether a click loads a page shows only afterwards: each counts as one.
        await self._pace.take()
        await self.settle()
        try:
            # Waiting for the navigation here would wait for the commit gate, with the wrong limit.
            await self._locator(target).click(no_wait_after=True)
        except Error as exc:
            raise translate(exc) from exc

    async def upload(self, target: Target, photo: Photo) -> None:
        try:
            # A page whose scripts do not listen yet would take the file and never send it.
            await self._page.wait_for_load_state("load")
            await self._locator(target).set_input_files(photo.path)
        except Error as exc:
            raise translate(exc) from exc

    async def wait(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        if self._trouble is not None:
            raise self._trouble
        return True

    async def settle(self) -> None:
        try:
            await self._page.wait_for_load_state("domcontentloaded")
        except Error as exc:
            raise translate(exc) from exc

    async def gone(self) -> RunError:
        return await asyncio.shield(self._gone)

    async def shot(self) -> Shot | None:
        """JPEG of the viewport; about one in a hundred fails right after a navigation, and the second try works."""
        for pause in (0.15, None):
            try:
                body = await self._page.screenshot(
                    type="jpeg",
                    quality=60,
                    timeout=_SHOT_MS,
                    mask=[self._page.locator("input[type=password]"), *self._concealed],
                    animations="disabled",
                )
            except Error as exc:
                log.info("screenshot failed", extra={"event": "runner.shot_failed", "error": type(exc).__name__})
                if pause is not None:
                    await asyncio.sleep(pause)
            else:
                return Shot(body=body, width=VIEWPORT_W, height=VIEWPORT_H)
        return None

    async def copy(self) -> PageCopy | None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                html = await self._page.content()
                aria = await self._page.locator("body").aria_snapshot()
        except (Error, TimeoutError) as exc:
            log.info("page not kept", extra={"event": "runner.page_not_kept", "error": type(exc).__name__})
            return None
        return PageCopy(html=html, aria=aria)

    async def hold(self, commit: CommitRule, gate: Gate) -> None:
        passed = False

        async def handle(route: Route, request: Request) -> None:
            nonlocal passed
            if request.method != commit.method:
                await route.fallback()
                return
            if passed:
                # A second click, a reload, or Chromium's own repeat after a dropped connection.
                await route.abort()
                return
            passed = True
            await self._through(route, gate)

        await self._context.route(commit_pattern(commit), handle)

    async def _through(self, route: Route, gate: Gate) -> None:
        """The held request is sent by `fetch`, once: `continue_` would leave the browser free to repeat it."""
        answers: list[APIResponse] = []

        async def send(headers: dict[str, str]) -> Answer:
            try:
                own = await route.request.all_headers()
                answer = await route.fetch(
                    headers=own | headers, max_redirects=0, max_retries=0, timeout=self._submit_s * 1000
                )
            except Error as exc:
                raise translate(exc) from exc
            answers.append(answer)
            return Answer(status=answer.status, location=answer.headers.get("location"))

        try:
            await gate(send)
            await route.fulfill(response=answers[0])
        except (Exception, asyncio.CancelledError) as exc:
            # The gate has kept what went wrong; the page must still be released, unless it is gone already.
            log.info("submission stopped", extra={"event": "runner.commit_stopped", "error": type(exc).__name__})
            try:
                await route.abort()
            except Error:
                return

    async def session(self) -> tuple[Cookie, ...]:
        return tuple(
            Cookie(
                name=each.get("name", ""),
                value=each.get("value", ""),
                domain=each.get("domain", ""),
                path=each.get("path", "/"),
            )
            for each in await self._context.cookies()
        )

    async def adopt(self, session: tuple[Cookie, ...]) -> None:
        if session:
            await self._context.add_cookies(
                [{"name": each.name, "value": each.value, "domain": each.domain, "path": each.path} for each in session]
            )

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._context.close(), _CLOSE_S)
        except (Error, TimeoutError) as exc:
            log.info("context did not close", extra={"event": "runner.context_lost", "error": type(exc).__name__})

    def _locator(self, target: Target) -> Locator:
        page = self._page
        if target.label is not None:
            return page.get_by_label(target.label, exact=True)
        if target.role is not None:
            return page.get_by_role(target.role, name=target.name, exact=True)
        if target.testid is not None:
            return page.get_by_test_id(target.testid)
        if target.text is not None:
            return page.get_by_text(target.text)
        return page.locator(target.css or "*")

    def _on_response(self, response: Response) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self.status = response.status
            self._method = request.method
            wait = response.headers.get("retry-after", "")
            self.retry_after_s = int(wait) if wait.isdigit() else None

    def _on_failed(self, request: Request) -> None:
        """A navigation after a click that came to nothing: no page would ever show it."""
        found = _UNREACHABLE.search(request.failure or "")
        if found and request.is_navigation_request() and request.frame == self._page.main_frame:
            self._trouble = RunError("PORTAL_UNREACHABLE", f"the portal cannot be reached ({found[1]})")

    async def _on_dialog(self, dialog: Dialog) -> None:
        if self._dialogs == "fail":
            self._trouble = RunError("UNEXPECTED_DIALOG", f"the portal asked: {dialog.message}")
        await (dialog.accept() if self._dialogs == "accept" else dialog.dismiss())

    def _on_crash(self, _page: Page) -> None:
        self._trouble = RunError("PAGE_CRASHED", "the page crashed")
        self._die(self._trouble)

    def _on_close(self, _source: Page | Browser) -> None:
        self._die(RunError("BROWSER_LOST", "the browser went away"))

    def _die(self, cause: RunError) -> None:
        if not self._gone.done():
            self._gone.set_result(cause)


def translate(exc: Error) -> RunError:
    """A Playwright error as a code. Its text stays out: the call log holds the values that were filled in."""
    first = exc.message.split("Call log", 1)[0]
    timed_out = isinstance(exc, PlaywrightTimeout)
    verdicts = (
        (_UNREACHABLE.search(first) is not None, "PORTAL_UNREACHABLE", "the portal cannot be reached"),
        ("crashed" in first, "PAGE_CRASHED", "the page crashed"),
        ("has been closed" in first, "BROWSER_LOST", "the browser went away"),
        ("strict mode violation" in first, "AMBIGUOUS_TARGET", "more than one element matches"),
        (timed_out and _PAGE_LOAD.search(first) is not None, "PORTAL_TIMEOUT", "the portal did not answer in time"),
        (timed_out, "ELEMENT_TIMEOUT", "the page did not react in time"),
        (_navigating(exc), "ELEMENT_TIMEOUT", "the page changed meanwhile"),
        (_BROKEN.search(first) is not None, "PORTAL_UNREACHABLE", "the connection to the portal broke"),
    )
    for applies, code, message in verdicts:
        if applies:
            return RunError(code, message)
    return RunError("INTERNAL", f"the browser failed ({type(exc).__name__})")


def _navigating(exc: Error) -> bool:
    return "Execution context was destroyed" in exc.message or "navigat" in exc.message.split("Call log", 1)[0]
