"""A Postgres server of a test's own, to restart and to freeze; the shared one serves the other tests."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from app.local import postgres
from app.local.sockets import socket_directory


class OwnServer:
    """`url` stays the same over restarts."""

    durable = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sockets = socket_directory(folder)
        self._running = ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = self._running.enter_context(
            postgres.server(self._folder, sockets=self.sockets, durable=self.durable)
        )

    def stop(self) -> None:
        """As `pg_ctl stop -m fast`: every connection is ended."""
        self._running.close()

    async def restart(self, *, down_s: float = 0.0) -> tuple[float, float]:
        """Answers when it went and when it was back."""
        gone_at = time.time()
        await asyncio.to_thread(self.stop)
        await asyncio.sleep(down_s)
        await asyncio.to_thread(self.start)
        return gone_at, time.time()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Away for as long as the block lasts."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of the server is stopped; its sockets stay open and nothing answers."""
        pids = self._pids()
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        master = int((self._folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [master, *map(int, children)]


@asynccontextmanager
async def own_server() -> AsyncIterator[OwnServer]:
    """Started; stopped and thrown away at the end."""
    with tempfile.TemporaryDirectory(prefix="asbuilt-test-") as folder:
        server = OwnServer(Path(folder))
        await asyncio.to_thread(server.start)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.stop)
