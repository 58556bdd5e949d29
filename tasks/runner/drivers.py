"""Chooses the driver of this machine, once, and says so in one line: a browser is the upgrade, forms are always there."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from app.core.settings import Settings
from tasks.runner import finder
from tasks.runner.driver import Driver
from tasks.runner.forms import FormsDriver
from tasks.runner.pace import Pace

log = logging.getLogger("asbuilt.runner")


class Drivers(Protocol):
    """Makes a driver for each run."""

    @property
    def name(self) -> str:
        """The browser, `none` for plain HTTP."""

    async def driver(self, *, dialogs: str, pace: Pace) -> Driver: ...


class Forms:
    """Drivers without a browser."""

    name = finder.NONE

    def __init__(self, *, submit_s: float) -> None:
        self._submit_s = submit_s

    async def driver(self, *, dialogs: str, pace: Pace) -> Driver:
        del dialogs
        return FormsDriver(pace=pace, submit_s=self._submit_s)


@asynccontextmanager
async def chosen(settings: Settings, *, submit_s: float) -> AsyncGenerator[Drivers, None]:
    """Chromium where there is one and Playwright is installed, else plain HTTP."""
    if settings.browser == finder.NONE:
        yield _without("it is switched off", submit_s=submit_s)
        return
    try:
        # Playwright is an extra.
        from playwright.async_api import async_playwright  # noqa: PLC0415

        from tasks.runner.chromium import Chromium  # noqa: PLC0415
    except ImportError:
        yield _without("Playwright is not installed (extra: browser)", submit_s=submit_s)
        return
    path = finder.find(settings)
    playwright = await async_playwright().start()
    path = path or finder.find(settings, bundled=playwright.chromium.executable_path)
    if path is None:
        await playwright.stop()
        yield _without("no Chromium was found", submit_s=submit_s)
        return
    log.info("runs are driven in %s", path, extra={"event": "runner.driver", "driver": "browser", "path": str(path)})
    chromium = Chromium(playwright, path, submit_s=submit_s)
    try:
        yield chromium
    finally:
        await chromium.close()


def _without(why: str, *, submit_s: float) -> Forms:
    log.info(
        "no browser: %s; runs are driven over plain HTTP, without screenshots",
        why,
        extra={"event": "runner.driver", "driver": "forms", "why": why},
    )
    return Forms(submit_s=submit_s)
