"""One process of the stack: what it is, how it starts, when it is ready, how it ends.

Output goes straight into its log file, never through a pipe of ours: a killed supervisor must not take its children's
voice, and a slow one must not block them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from app.local.logbook import open_log
from app.local.process import Privilege, launched


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A process to keep alive. Durations in seconds."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    directory: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL
    """What it gets when the supervisor is killed (Linux)."""
    privilege: Privilege = "same"
    tries: int = 3
    """How often it may end before it was ever ready, until the start of the stack is given up."""
    ready: Callable[[int], bool] | None = None
    """Asked with the process id; without it the child says a line `ready …` on its standard output."""
    before: Callable[[], None] | None = None
    """Run before each start, in the supervisor."""


class Child:
    """One run of that process."""

    def __init__(self, spec: ChildSpec, *, process: asyncio.subprocess.Process, log_start: int) -> None:
        self.spec = spec
        self._process = process
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, spec: ChildSpec) -> Child:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor only."""
        if spec.before is not None:
            spec.before()
        with open_log(spec.log) as log:
            start = os.fstat(log.fileno()).st_size
            process = await asyncio.create_subprocess_exec(
                *launched(
                    spec.command, directory=spec.directory, privilege=spec.privilege, death_signal=spec.death_signal
                ),
                env=dict(spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        return cls(spec, process=process, log_start=start)

    def is_ready(self) -> bool:
        """Whether it does its work now."""
        if self._process.returncode is not None:
            return False
        if self.spec.ready is not None:
            return self.spec.ready(self.pid)
        with self.spec.log.open("rb") as log:
            log.seek(self._log_start)
            return any(line.startswith(b"ready ") and line.endswith(b"\n") for line in log)

    async def wait(self) -> int:
        """Its exit code, negative for the signal that ended it."""
        return await self._process.wait()

    async def stop(self, *, hurry: asyncio.Event) -> bool:
        """End it: its own way until its deadline or `hurry`, then by SIGKILL. Whether it went by itself."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.spec.stop_signal)
        ended = asyncio.ensure_future(self._process.wait())
        hurried = asyncio.ensure_future(hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=self.spec.stop_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        by_itself = ended.done()
        if not by_itself:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await ended
        self.end_group()
        return by_itself

    def end_group(self) -> None:
        """End what the process started and left behind in its session's first group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
