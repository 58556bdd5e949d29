"""What the tests need of a machine beside Python: ports, and a Chromium: found, or installed where that is allowed, or asked for."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom

from app.local.home import SERVERS_PORTS, is_free

SHARES = 16
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ASK = """The browser tests need Chromium, and it could not be installed from here. Do one of these, then run again:
  Debian or Ubuntu, as root:   apt-get install chromium fonts-dejavu-core
  elsewhere:                   {python} -m playwright install chromium
  or name one you have:        ASBUILT_BROWSER=/path/to/chromium"""


def process_number() -> int:
    """Which of the processes that test side by side this one is, from 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def _ports() -> Iterator[int]:
    """A share of the ports for each of the processes that test side by side."""
    share = SERVERS_PORTS[process_number() % SHARES :: SHARES]
    begin = SystemRandom().randrange(len(share))
    yield from itertools.cycle([*share[begin:], *share[:begin]])


_candidates = _ports()


def free_port() -> int:
    """A loopback port for a server that starts in a moment; nobody else is given it meanwhile."""
    return next(port for port in _candidates if is_free(port))


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


def connections(port: int) -> dict[int, int]:
    """Those that this IPv4 port has accepted and not closed, by the other side's port; the bytes that the kernel still has to send."""
    found = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, queues, *_ = line.split()
        if state == "01" and int(here.partition(":")[2], 16) == port:
            found[int(there.partition(":")[2], 16)] = int(queues.partition(":")[0], 16)
    return found
