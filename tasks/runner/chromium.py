"""The one Chromium of the service: started when first needed, shared by all runs, replaced when it dies or grows old."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from playwright.async_api import Browser, Error, Playwright

from tasks.runner.browser import VIEWPORT_H, VIEWPORT_W, BrowserDriver, translate
from tasks.runner.driver import Driver, RunError

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
_RUNS_PER_BROWSER = 50
_CLOSE_S = 5.0


class Chromium:
    """Makes drivers; `submit_s` is how long the portal may take to answer the submission."""

    def __init__(self, playwright: Playwright, path: Path, *, submit_s: float) -> None:
        self._playwright = playwright
        self._path = path
        self._submit_s = submit_s
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()
        self._runs = 0

    @property
    def name(self) -> str:
        version = f" {self._browser.version}" if self._browser is not None else ""
        return f"{self._path.name}{version}"

    async def driver(self, *, dialogs: str) -> Driver:
        """A fresh context. Raises `BROWSER_LOST` when no browser can be started."""
        try:
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
        return BrowserDriver(context, page, browser=self.name, dialogs=dialogs, submit_s=self._submit_s)

    async def _ready(self) -> Browser:
        async with self._starting:
            browser = self._browser
            tired = self._runs >= _RUNS_PER_BROWSER and browser is not None and not browser.contexts
            if browser is None or not browser.is_connected() or tired:
                await self._stop()
                browser = await self._playwright.chromium.launch(executable_path=self._path, args=list(_ARGUMENTS))
                self._browser, self._runs = browser, 0
                log.info("browser started", extra={"event": "runner.browser_started", "browser": self.name})
            self._runs += 1
            return browser

    async def _stop(self) -> None:
        browser, self._browser = self._browser, None
        if browser is None:
            return
        try:
            await asyncio.wait_for(browser.close(), _CLOSE_S)
        except (Error, TimeoutError) as exc:
            log.info("browser did not close", extra={"event": "runner.browser_lost", "error": type(exc).__name__})

    async def close(self) -> None:
        """Ends the browser and Playwright's driver process."""
        await self._stop()
        await self._playwright.stop()
