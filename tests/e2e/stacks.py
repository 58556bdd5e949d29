"""A real `asbuilt up` in a home of its own, watched through what it says and what the machine knows."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from app.local.lock import Recorded, identity
from tests.machine import free_port

DEADLINE_S = 60.0


def asbuilt(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of `asbuilt` to its end."""
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE_S, env=env or clean_env(), check=False
    )


def clean_env() -> dict[str, str]:
    """This process's environment without settings of a database, a cache or a running stack."""
    ours = ("ASBUILT_", "AUTOMATION_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@contextlib.contextmanager
def home_directory() -> Iterator[Path]:
    """A home below the temporary directory itself: pytest's own is closed to the user nobody."""
    path = Path(tempfile.mkdtemp(prefix="asbuilt-home-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Stack:
    """One start of `asbuilt up -v`; `said` has every line of its standard error."""

    def __init__(self, home: Path, *, port: int, env: Mapping[str, str]) -> None:
        self.home = home
        self.port = port
        self.said: list[str] = []
        self.rest_of_output = ""
        self._lines: queue.Queue[str | None] = queue.Queue()
        command = [sys.executable, "-m", "app.cli", "up", "-v", "--no-browser"]
        self.process = subprocess.Popen(
            [*command, "--home", str(home), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**clean_env(), **env},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        self.ready_line = self.process.stdout.readline().strip()
        if not self.ready_line:
            self.process.wait(timeout=DEADLINE_S)
            self._reader.join(timeout=DEADLINE_S)
            raise AssertionError("asbuilt up gave up:\n" + "\n".join(self.said))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def expect(self, pattern: str) -> str:
        """The next line said that matches; lines before it are passed over."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"{pattern!r} was never said; said was:\n" + "\n".join(self.said[-40:])
            if re.search(pattern, line):
                return line

    def children(self) -> dict[str, Recorded]:
        recorded = msgspec.json.decode((self.home / "pids.json").read_bytes(), type=list[Recorded])
        return {child.name: child for child in recorded}

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the supervisor alone, and wait until it is gone; its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=DEADLINE_S)
        self._reader.join(timeout=DEADLINE_S)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.rest_of_output = self.process.stdout.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.said.append(line.rstrip("\n"))
            self._lines.put(self.said[-1])
        self._lines.put(None)


def still_running(children: dict[str, Recorded]) -> list[str]:
    """The names of those that are alive."""
    return [child.name for child in children.values() if identity(child.pid) == child.identity]


def processes_of(home: Path) -> list[str]:
    """Every process whose environment names this home, whoever started it; Linux only, else empty."""
    marker, found = os.fsencode(f"ASBUILT_BLOBS={home}/"), []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


@contextlib.contextmanager
def running(home: Path, *, port: int | None = None, **env: str) -> Iterator[Stack]:
    """A stack that is ready, with further settings by name; it is stopped at the end if the test did not do so."""
    stack = Stack(home, port=port or free_port(), env=env)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.end()
