"""The unguarded half: the same records keyed by a plain queue, whose attempts are struck by the same law."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable

import msgspec

from app.local.logbook import open_log
from app.local.process import launched
from app.local.stack import log_of
from app.local.torture.chaos import Chaos, Tally
from app.local.torture.stage import Stage


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the plain queue says of one attempt: began, done, failed, lost, given up."""

    what: str
    reference: str
    attempt: int
    pid: int = 0


class Unguarded:
    """Runs the plain queue and follows its attempts; `runner` is the automation service, when it may be killed."""

    def __init__(self, stage: Stage, chaos: Chaos, *, runner: Callable[[], int | None]) -> None:
        self._stage = stage
        self._chaos = chaos
        self._runner = runner
        self._numbers: dict[str, int] = {}
        self._open: set[tuple[str, int]] = set()
        self._overtaken: dict[tuple[str, int], asyncio.Event] = {}
        self._strikes: set[asyncio.Task[None]] = set()
        self.settled: set[str] = set()
        self.tally = Tally()

    async def run(self) -> None:
        """Until the queue has no work left."""
        process = await self._start()
        if process.stdout is None:
            raise RuntimeError("a process without the pipe it was started with")
        try:
            async for line in process.stdout:
                self._take(msgspec.json.decode(line, type=Line))
            await process.wait()
        finally:
            for strike in self._strikes:
                strike.cancel()
            await asyncio.gather(*self._strikes, return_exceptions=True)
            _end(process)
            await process.wait()

    async def _start(self) -> Process:
        home = self._stage.home
        command = (sys.executable, "-P", "-m", "tasks.naive")
        with open_log(log_of(home, "unguarded")) as log:
            return await asyncio.create_subprocess_exec(
                *launched(command, directory=home.root, death_signal=signal.SIGKILL),
                env=self._stage.environment,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
                start_new_session=True,
            )

    def _take(self, line: Line) -> None:
        key = (line.reference, line.attempt)
        if line.what != "began":
            self._open.discard(key)
            self._overtaken[key].set()
            if line.what in ("done", "given up"):
                self.settled.add(line.reference)
            return
        self.tally.attempts += 1
        self._open.add(key)
        self._overtaken[key] = asyncio.Event()
        if (before := self._overtaken.get((line.reference, line.attempt - 1))) is not None:
            before.set()
        number = self._numbers.setdefault(line.reference, len(self._numbers))
        strike = self._chaos.strike(f"unguarded {number}", line.attempt)
        if strike is not None:
            carried = self._chaos.carry_out(
                strike,
                self.tally,
                process=line.pid,
                runner=self._runner,
                goes_on=lambda: key in self._open,
                overtaken=self._overtaken[key],
            )
            task = asyncio.create_task(carried)
            self._strikes.add(task)
            task.add_done_callback(self._strikes.discard)


def _end(process: Process) -> None:
    """With every attempt it has forked: they are in its process group."""
    for number in (signal.SIGCONT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
