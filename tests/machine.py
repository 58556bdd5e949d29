"""What the tests need of a machine beside Python: a Chromium. Found, or installed where that is allowed, or asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ASK = """The browser tests need Chromium, and it could not be installed from here. Do one of these, then run again:
  Debian or Ubuntu, as root:   apt-get install chromium fonts-dejavu-core
  elsewhere:                   {python} -m playwright install chromium
  or name one you have:        ASBUILT_BROWSER=/path/to/chromium"""


def browser() -> str | None:
    """Path of a Chromium: named, on PATH, or Playwright's own."""
    named = os.environ.get("ASBUILT_BROWSER", "")
    if named and named != "none":
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or _playwrights_own()


def ensure_browser() -> None:
    """Leave a browser behind, or end with what to do about it."""
    for install in (_nothing, _by_apt, _by_playwright):
        install()
        if browser():
            return
    sys.exit(ASK.format(python=sys.executable))


def _nothing() -> None:
    """The machine may have one already."""


def _by_apt() -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    print("installing chromium by apt-get ...", flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-dejavu-core"]
    for command in (["update", "-q"], ["install", "-yq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], env=env, check=False, stdout=subprocess.DEVNULL)


def _by_playwright() -> None:
    print("installing chromium by playwright ...", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None
