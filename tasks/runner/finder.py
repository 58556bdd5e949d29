"""Finds a Chromium on this machine. It never downloads one."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.core.settings import Settings

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NONE = "none"


def find(settings: Settings, *, bundled: str = "") -> Path | None:
    """The setting, else the first name on PATH, else Playwright's own (`bundled`) if it is there; None for no browser.

    Raises `FileNotFoundError` when the setting names a file that does not exist: a typing error must not turn into a
    silent loss of screenshots.
    """
    if settings.browser == NONE:
        return None
    if settings.browser:
        found = shutil.which(settings.browser)
        if found is None:
            raise FileNotFoundError(f"ASBUILT_BROWSER is {settings.browser!r}, which is no program here")
        return Path(found)
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return Path(bundled) if bundled and Path(bundled).is_file() else None
