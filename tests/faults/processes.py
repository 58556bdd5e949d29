"""Real processes: started, watched, signalled, and put back by a supervisor. None outlives the test that started it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.local.process import launched

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent
DEADLINE_S = 60.0

WORKER = (str(BIN / "procrastinate"), "--app=tasks.app", "worker")
SERVE = (sys.executable, "-m", "app.cli", "serve")


class Proc:
    """One process; `said` is its standard error so far. `prefix` runs it elsewhere, as in a network namespace."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], folder: Path, prefix: Sequence[str] = ()
    ) -> None:
        self.name = name
        self._command = (*prefix, *command)
        self._env = dict(env)
        self.log = folder / f"{name}.log"
        self.process: Process | None = None
        self.ready_line = ""
        self.started_at = 0.0

    async def start(self) -> Proc:
        """Answers once it has said that it is ready."""
        await self.launch()
        await self.ready()
        return self

    async def launch(self) -> None:
        command = launched(self._command, directory=ROOT, death_signal=signal.SIGKILL)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, env=self._env, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        self.started_at = time.time()

    async def ready(self) -> str:
        """Its ready line, once said. Raises `AssertionError` when it ended instead."""
        process = self._running()
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while not self.ready_line:
                line = (await process.stdout.readline()).decode()
                assert line, f"{self.name} ended before it was ready:\n{self.said[-3000:]}"
                self.ready_line = line.strip() if line.startswith("ready") else ""
        return self.ready_line

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self, *, within_s: float = DEADLINE_S) -> int:
        """Its exit code, once it has ended; minus the signal's number when one killed it."""
        async with asyncio.timeout(within_s):
            return await self._running().wait()

    async def says(self, word: str, *, within_s: float = DEADLINE_S) -> None:
        await eventually(lambda: word in self.said, within_s=within_s, why=f"{self.name} never said {word!r}")

    async def stopped(self) -> None:
        """Wait until a signal has stopped it."""
        stat = Path(f"/proc/{self.pid}/stat")
        await eventually(
            lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", why=f"{self.name} never stopped"
        )

    async def stop(self) -> None:
        """By force, if it is there."""
        if self.process is not None and self.alive:
            self.send(signal.SIGKILL)
            await self.process.wait()

    def _running(self) -> Process:
        assert self.process is not None, f"{self.name} was not started"
        return self.process


class Supervised:
    """Keeps one process running, whatever it dies of; each life has its own `Proc`."""

    def __init__(self, name: str, make: Callable[[str], Proc]) -> None:
        self.name = name
        self._make = make
        self._lives = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.now: Proc | None = None
        self.deaths: list[int] = []
        self.up = asyncio.Event()

    async def start(self) -> None:
        """Answers when the first life is ready."""
        self._task = asyncio.create_task(self._watch())
        await asyncio.wait({self._task, asyncio.create_task(self.up.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    async def _watch(self) -> None:
        while not self._stopping:
            self._lives += 1
            life = self._make(f"{self.name}-{self._lives}")
            await life.launch()
            self.now = life
            with suppress(AssertionError, TimeoutError):
                await life.ready()
                self.up.set()
            self.deaths.append(await life._running().wait())
            self.up.clear()
            if not self._stopping and self.deaths[-3:].count(1) == 3:
                raise AssertionError(f"{self.name} cannot live:\n{life.said[-3000:]}")

    def send(self, number: signal.Signals) -> None:
        if self.now is not None and self.now.alive:
            self.now.send(number)

    def retire(self) -> None:
        """Told to stop, and not put back."""
        self._stopping = True
        self.send(signal.SIGTERM)

    async def gone(self) -> None:
        if self._task is not None:
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.gather(self._task, return_exceptions=True)

    async def stop(self) -> None:
        """By force, and not put back."""
        self._stopping = True
        self.send(signal.SIGKILL)
        await self.gone()


async def eventually(true: Callable[[], bool], *, why: str, within_s: float = DEADLINE_S) -> None:
    """Look again until it is so; for what has no event to wait for."""
    try:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{why} within {within_s:g} s") from None
