"""A worker as what it is in production: a process of its own, which can be told to stop, be killed, and die."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from app.core.settings import Settings, environment, variable
from tests.logins import as_role

ROOT = Path(__file__).parent.parent.parent
DEADLINE_S = 60.0


def variables(settings: Settings) -> dict[str, str]:
    """The environment that gives these settings; what is as it always is, is left out."""
    usual = Settings()
    chosen = {
        field.name: getattr(settings, field.name)
        for field in msgspec.structs.fields(Settings)
        if getattr(settings, field.name) != getattr(usual, field.name)
    }
    return environment() | {"PYTHONPATH": str(ROOT)} | {variable(name): _text(value) for name, value in chosen.items()}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


class Child:
    """One process of ours; `said` is what it has written to standard error, `ready` what its ready line names."""

    def __init__(self, process: Process, said: IO[bytes]) -> None:
        self._process = process
        self._said = said
        self.ready = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        return Path(self._said.name).read_text(encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code, once it has ended; minus the signal's number when one killed it."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._process.wait()

    async def says(self, word: str) -> None:
        """Wait until it has said so."""
        async with asyncio.timeout(DEADLINE_S):
            while word not in self.said:
                assert self._process.returncode is None, self.said
                await asyncio.sleep(0.02)


@asynccontextmanager
async def child(settings: Settings, *command: str) -> AsyncIterator[Child]:
    """Run a command of this environment; yields once it is ready, and kills it at the end if it is still there."""
    program = Path(sys.executable).parent / command[0]
    with tempfile.NamedTemporaryFile(prefix="asbuilt-said-") as said:
        process = await asyncio.create_subprocess_exec(
            program, *command[1:], env=variables(settings), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=said
        )
        made = Child(process, said)
        try:
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE_S):
                line = await process.stdout.readline()
            assert line.startswith(b"ready "), made.said
            made.ready = line.decode().split()[-1]
            yield made
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def worker_process(settings: Settings) -> AbstractAsyncContextManager[Child]:
    """`procrastinate --app=tasks.app worker`."""
    own = msgspec.structs.replace(settings, database_url=as_role("worker", settings.database_url))
    return child(own, "procrastinate", "--app=tasks.app", "worker")


def web_process(settings: Settings) -> AbstractAsyncContextManager[Child]:
    """`asbuilt serve` on a free port."""
    own = msgspec.structs.replace(settings, port=0, database_url=as_role("app", settings.database_url))
    return child(own, "asbuilt", "serve")
