"""The Chromium of the service: started when first needed, shared by all runs, replaced when it dies or grows old.

An old one takes no new runs, and ends with the last of those it has.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Error, Playwright

from tasks.runner import memory
from tasks.runner.browser import VIEWPORT_H, VIEWPORT_W, BrowserDriver, translate
from tasks.runner.driver import Driver, RunError
from tasks.runner.pace import Pace

log = logging.getLogger("asbuilt.runner")

_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Containers often give /dev/shm 64 MB, in which pages crash.
    "--disable-dev-shm-usage",
)
_CLOSE_S = 5.0


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """When a browser is old: after so many runs, or at so many bytes."""

    runs: int = 50
    memory: int = 1_500_000_000


class _Started(msgspec.Struct):
    browser: Browser
    pid: int | None
    runs: int = 0


class Chromium:
    """Makes drivers; `submit_s` is how long the portal may take to answer the submission."""

    def __init__(self, playwright: Playwright, path: Path, *, submit_s: float, age: Age | None = None) -> None:
        self._playwright = playwright
        self._path = path
        self._submit_s = submit_s
        self._age = age or Age()
        self._now: _Started | None = None
        self._retired: set[Browser] = set()
        self._version = ""
        self._starting = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"{self._path.name} {self._version}".strip()

    async def driver(self, *, dialogs: str, pace: Pace) -> Driver:
        """A fresh context. Raises `BROWSER_LOST` when no browser can be started."""
        try:
            # Under the lock, or the browser could be retired between its choice and its new context.
            async with self._starting:
                browser = await self._ready()
                context = await browser.new_context(
                    viewport={"width": VIEWPORT_W, "height": VIEWPORT_H},
                    # A service worker would hide requests from the commit gate.
                    service_workers="block",
                    accept_downloads=False,
                )
            page = await context.new_page()
        except Error as exc:
            raise RunError("BROWSER_LOST", str(translate(exc))) from exc
        return BrowserDriver(context, page, browser=self.name, dialogs=dialogs, submit_s=self._submit_s, pace=pace)

    async def _ready(self) -> Browser:
        await self._end_retired()
        now = self._now
        if now is not None and (why := await self._worn(now)):
            log.info("browser retired", extra={"event": "runner.browser_retired", "why": why, "runs": now.runs})
            self._retired.add(now.browser)
            self._now = now = None
            await self._end_retired()
        if now is None:
            now = self._now = await self._start()
        now.runs += 1
        return now.browser

    async def _worn(self, now: _Started) -> str:
        """Why this browser takes no more runs; empty when it does."""
        if not now.browser.is_connected():
            return "gone"
        if now.runs >= self._age.runs:
            return "runs"
        if now.pid is not None and await asyncio.to_thread(memory.taken, now.pid) > self._age.memory:
            return "memory"
        return ""

    async def _start(self) -> _Started:
        before = await asyncio.to_thread(memory.below, os.getpid())
        browser = await self._playwright.chromium.launch(executable_path=self._path, args=list(_ARGUMENTS))
        self._version = browser.version
        after = await asyncio.to_thread(memory.below, os.getpid())
        # Playwright does not tell which process it has started. Where /proc does not either, runs alone make it old.
        ours = [each for each, parent in after.items() if each not in before and parent in before]
        pid = ours[0] if len(ours) == 1 else None
        log.info("browser started", extra={"event": "runner.browser_started", "browser": self.name, "pid": pid})
        return _Started(browser=browser, pid=pid)

    async def _end_retired(self) -> None:
        for browser in [each for each in self._retired if not each.contexts or not each.is_connected()]:
            self._retired.discard(browser)
            await _stop(browser)

    async def close(self) -> None:
        """Ends the browsers and Playwright's driver process."""
        browsers = [*self._retired, *([self._now.browser] if self._now is not None else [])]
        self._now = None
        self._retired.clear()
        await asyncio.gather(*map(_stop, browsers))
        await self._playwright.stop()


async def _stop(browser: Browser) -> None:
    try:
        await asyncio.wait_for(browser.close(), _CLOSE_S)
    except (Error, TimeoutError) as exc:
        log.info("browser did not close", extra={"event": "runner.browser_lost", "error": type(exc).__name__})
