"""A Postgres and a Valkey of a run's own: restarted without warning, frozen, emptied. `durable`, for promises are tested."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from app.local import valkey
from app.local.process import launched
from app.local.sockets import socket_directory
from tests.worker.own_server import OwnServer


class Database(OwnServer):
    """With fsync on; it goes without a goodbye."""

    durable = True

    def stop(self) -> None:
        """As `pg_ctl stop -m immediate`: recovery at the next start."""
        with suppress(OSError, IndexError, ValueError):
            os.kill(self._pids()[0], signal.SIGQUIT)
        super().stop()


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

    def clients(self) -> int:
        """How many are connected, but for whoever asks."""
        return int(self.ask("info", "clients").partition("connected_clients:")[2].split()[0]) - 1

    def ask(self, *words: str) -> str:
        """One command, in the inline protocol, and the beginning of its answer."""
        import socket

        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            line.connect(str(valkey.socket_path(self.sockets)))
            line.sendall((" ".join(words) + "\r\n").encode())
            return line.recv(1024).decode()
