"""A Postgres and a Valkey of a run's own: restarted without warning, frozen, emptied. `durable`, for promises are tested."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from app.local import postgres, valkey
from app.local.process import launched
from app.local.sockets import socket_directory


class Database:
    """`url` stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sockets = socket_directory(folder)
        self._running = ExitStack()
        self.url = ""

    def start(self) -> None:
        self.url = self._running.enter_context(
            postgres.server(self._folder, sockets=self.sockets, durable=True),
        )

    def stop(self) -> None:
        """As `pg_ctl stop -m immediate`: no goodbye, and recovery at the next start."""
        with suppress(OSError, IndexError, ValueError):
            os.kill(self._pids()[0], signal.SIGQUIT)
        self._running.close()
        self._running = ExitStack()

    async def restart(self, *, down_s: float) -> tuple[float, float]:
        """Answers when it went and when it was back."""
        gone_at = time.time()
        await asyncio.to_thread(self.stop)
        await asyncio.sleep(down_s)
        await asyncio.to_thread(self.start)
        return gone_at, time.time()

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


class Cache:
    """A Valkey on a unix socket that can be killed, stopped and emptied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets = socket_directory(folder / "cache")
        self.url = valkey.url(self.sockets)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = valkey.find({})
        assert program is not None, "no Valkey here"
        with suppress(FileNotFoundError):
            valkey.socket_path(self.sockets).unlink()
        with (self.folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(
                launched(
                    valkey.command(program, sockets=self.sockets), directory=self.sockets, death_signal=signal.SIGKILL
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while not valkey.is_ready(self.sockets):
            assert time.monotonic() < until, "Valkey did not start"
            time.sleep(0.02)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()

    def ask(self, *words: str) -> None:
        """One command, in the inline protocol."""
        import socket

        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(str(valkey.socket_path(self.sockets)))
            line.sendall((" ".join(words) + "\r\n").encode())
            line.recv(1024)
