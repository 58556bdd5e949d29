"""A Postgres on a small disk, with its log or without; and whoever starts it again when it ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

from app.local import postgres
from app.local.process import Privilege, choose_privilege, launched
from tests.faults.disks import Disk, beside, small_disk
from tests.faults.servers import Database

MIB = {"tables": 96, "all": 144}
SETTINGS = ("-c", "min_wal_size=32MB", "-c", "max_wal_size=32MB")
PAUSE_S = 1.0
"""How long a supervisor waits before it starts it again."""


class SmallDatabase(Database):
    """Durable. The disk outlives the server, for it belongs to a process that does nothing but have it."""

    def __init__(self, folder: Path, *, part: Literal["tables", "all"]) -> None:
        super().__init__(folder)
        self._data = folder / "postgres"
        self._part = part
        self._has_disk: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._privilege: Privilege = "namespace"
        self.log = folder / "postgres.log"
        self.ends = 0
        """How often it ended while it should have run."""

    def start(self) -> None:
        self._make()
        self.url = postgres.url(self.sockets)
        self._launch()
        until = time.monotonic() + postgres.READY_S
        while not self.ready:
            assert self.running, f"Postgres ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < until, "Postgres did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """It and its disk."""
        for process, number in ((self._server, signal.SIGQUIT), (self._has_disk, signal.SIGKILL)):
            if process is not None:
                process.send_signal(number)
                process.communicate(timeout=60)

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    @property
    def ready(self) -> bool:
        return self._server is not None and postgres.is_ready(self._seen(self._data), pid=self._server.pid)

    @property
    def disk(self) -> Disk:
        assert self._has_disk is not None, "not started"
        return Disk(self._has_disk.pid, self._data)

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Started again whenever it ends, as systemd and container engines do when they are told to."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            if not self.running:
                self.ends += 1
                self._launch()
            await asyncio.sleep(PAUSE_S)

    def _seen(self, path: Path) -> Path:
        """What Postgres finds there."""
        assert self._has_disk is not None, "not started"
        return Path(f"/proc/{self._has_disk.pid}/root{path}")

    def _make(self) -> None:
        """The data directory, made in the open, moves to the small disk: all of it, or all but the log."""
        binaries = postgres.find({})
        self._data.mkdir(mode=0o700)
        directories = [self._data, self.sockets]
        chosen = choose_privilege(binaries.program("postgres"), directories=directories, within=self._folder)
        # Beside a disk that anybody may mount we are root, which Postgres refuses to be.
        self._privilege = "nobody" if chosen == "nobody" else "namespace"
        postgres.initialise(binaries, data=self._data, privilege=chosen, env={})
        if self._part == "tables":
            elsewhere = self._folder / "log"
            (self._data / "pg_wal").rename(elsewhere)
            (self._data / "pg_wal").symlink_to(elsewhere)
        made = self._data.rename(self._folder / "made")
        self._data.mkdir(mode=0o700)
        shutil.copystat(made, self._data)
        copied = ("sh", "-c", 'cp -a "$0/." "$1" && echo there && exec sleep infinity', str(made), str(self._data))
        command = (*small_disk(self._data, mib=MIB[self._part]), *copied)
        self._has_disk = subprocess.Popen(
            launched(command, directory=self._folder, death_signal=signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert self._has_disk.stdout is not None
        assert self._has_disk.stdout.readline() == b"there\n", "the data did not fit on the disk"

    def _launch(self) -> None:
        assert self._has_disk is not None, "not started"
        binaries = postgres.find({})
        version = postgres.major_version(binaries)
        command = postgres.command(binaries, version=version, data=self._data, sockets=self.sockets) + SETTINGS
        inside = launched(command, directory=self._data, privilege=self._privilege, death_signal=signal.SIGQUIT)
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                (*beside(self._has_disk.pid), *inside),
                env=postgres.environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _pids(self) -> list[int]:
        assert self._server is not None, "not started"
        return [self._server.pid]


def on_a_small_disk(part: Literal["tables", "all"]) -> Callable[[Path], SmallDatabase]:
    return lambda folder: SmallDatabase(folder, part=part)
