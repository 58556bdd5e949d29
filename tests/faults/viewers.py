"""A thousand people looking on, cheaply: bare sockets that read the stream of everything, and come back when it breaks."""

from __future__ import annotations

import asyncio
import random
import resource
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

import msgspec

RECEIVE_BUFFER = 16 * 1024


class _Job(msgspec.Struct, frozen=True):
    id: str
    seq: int
    changed_at: datetime


class _Snapshot(msgspec.Struct, frozen=True):
    jobs: list[_Job]
    reason: str


_job = msgspec.json.Decoder(_Job)
_snapshot = msgspec.json.Decoder(_Snapshot)


class Viewer:
    """Knows of each job the newest seq. `open_at` is when its present stream began, 0 without one."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or 0)
        self._token = token
        self._last_id = ""
        self.seqs: dict[str, int] = {}
        self.snapshots: list[str] = []
        self.events = 0
        self.opened = 0
        self.open_at = 0.0
        self.line: asyncio.Transport | None = None
        self.lags: list[float] | None = None
        """Seconds from each change to its arrival here, where somebody wants them."""

    async def look(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, EOFError):
                async with self.connected() as reader:
                    await self.read(reader)
            self.open_at = 0.0
            await asyncio.sleep(random.uniform(0.2, 0.8))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncio.StreamReader]:
        """A stream whose head has been read. Raises `OSError` when there is none."""
        sock = socket.socket()
        sock.setblocking(False)
        # Small, so that whoever stops reading is noticed soon.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self._place)
            reader, writer = await asyncio.open_connection(sock=sock, limit=2**20)
        except OSError:
            sock.close()
            raise
        try:
            last = f"Last-Event-ID: {self._last_id}\r\n" if self._last_id else ""
            head = f"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n{last}\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ConnectionRefusedError(answer.partition(b"\r\n")[0].decode())
            self.open_at = time.time()
            self.opened += 1
            self.line = cast("asyncio.Transport", writer.transport)
            yield reader
        finally:
            writer.transport.abort()

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Take event after event, to the end of the stream."""
        while True:
            # Chunked: our chunks are whole events, so a chunk's size stands on a line of its own before one.
            block = await reader.readuntil(b"\n\n")
            self._take(block, time.time())

    def _take(self, block: bytes, at: float) -> None:
        name = b""
        for line in block.split(b"\n"):
            if line.startswith(b"id: "):
                self._last_id = line[4:].decode()
            elif line.startswith(b"event: "):
                name = line[7:]
            elif line.startswith(b"data: ") and name == b"state":
                self.events += 1
                self._know(_job.decode(line[6:]), at)
            elif line.startswith(b"data: ") and name == b"snapshot":
                said = _snapshot.decode(line[6:])
                self.snapshots.append(said.reason)
                for job in said.jobs:
                    self._know(job, None)

    def _know(self, job: _Job, at: float | None) -> None:
        self.seqs[job.id] = max(self.seqs.get(job.id, 0), job.seq)
        if self.lags is not None and at is not None:
            self.lags.append(at - job.changed_at.timestamp())


def many_files() -> None:
    """A thousand sockets are more than most shells allow at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))


def reset(sock: socket.socket) -> None:
    """Close without a farewell: the other side gets an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
