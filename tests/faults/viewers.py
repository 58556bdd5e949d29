"""People looking on, cheaply: bare connections that read the stream of everything, and come back when it breaks."""

from __future__ import annotations

import asyncio
import random
import resource
import socket
import struct
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

import msgspec

RECEIVE_BUFFER = 16 * 1024
"""Small, so that whoever stops reading is noticed soon."""
PAUSE_S = (1.0, 3.0)
"""About the two seconds that our streams ask for."""


class _Job(msgspec.Struct, frozen=True):
    id: str
    seq: int
    changed_at: datetime


class _Snapshot(msgspec.Struct, frozen=True):
    jobs: list[_Job]
    reason: str


class _Block(msgspec.Struct, frozen=True):
    """What one event says, read once for all who hear it."""

    id: str
    jobs: tuple[tuple[int, int, float], ...] = ()
    """Number of the job, its seq, when it changed."""
    reason: str = ""
    """Of a snapshot."""


_job = msgspec.json.Decoder(_Job)
_snapshot = msgspec.json.Decoder(_Snapshot)
_numbers: dict[str, int] = {}


@lru_cache(maxsize=256)
def _read(block: bytes) -> _Block:
    # Chunked: our chunks are whole events, so a chunk's size stands on a line of its own before one.
    number = name = ""
    for line in block.split(b"\n"):
        if line.startswith(b"id: "):
            number = line[4:].decode()
        elif line.startswith(b"event: "):
            name = line[7:].decode()
        elif line.startswith(b"data: ") and name == "state":
            return _Block(number, (_numbered(_job.decode(line[6:])),))
        elif line.startswith(b"data: ") and name == "snapshot":
            said = _snapshot.decode(line[6:])
            return _Block(number, tuple(map(_numbered, said.jobs)), said.reason)
    return _Block(number)


def _numbered(job: _Job) -> tuple[int, int, float]:
    return _numbers.setdefault(job.id, len(_numbers)), job.seq, job.changed_at.timestamp()


class Viewer(asyncio.Protocol):
    """Knows of each job the newest seq. `open_at` is when its present stream began, 0 without one."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or 0)
        self._token = token
        self._last_id = ""
        self._rest = b""
        self._seqs = array("H")
        self._over: asyncio.Future[None] | None = None
        self.snapshots: list[str] = []
        self.refused: list[str] = []
        self.events = 0
        self.went_back = 0
        """Events older than what was known."""
        self.worst_s = 0.0
        """The longest that an event took to here, from its change or from the stream's beginning."""
        self.opened = 0
        self.open_at = 0.0
        self.line: asyncio.Transport | None = None
        self.lags: list[float] | None = None
        """Seconds from each change to its arrival here, where somebody wants them."""

    @property
    def seqs(self) -> dict[str, int]:
        return {job: self._seqs[n] for job, n in _numbers.items() if n < len(self._seqs) and self._seqs[n]}

    async def look(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self.connect()
                await self.over()
                await asyncio.sleep(random.uniform(*PAUSE_S))
        finally:
            self.leave()

    async def connect(self) -> None:
        """Ask for the stream; does not wait for its answer. Nobody there is like a stream that ends at once."""
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            await loop.sock_connect(sock, self._place)
            await loop.create_connection(lambda: self, sock=sock)
        except OSError as exc:
            sock.close()
            self.connection_lost(exc)

    async def over(self) -> None:
        """Wait for the end of the stream."""
        if self._over is not None:
            await self._over

    def leave(self) -> None:
        if self.line is not None:
            self.line.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.line = cast("asyncio.Transport", transport)
        self._rest = b""
        last = f"Last-Event-ID: {self._last_id}\r\n" if self._last_id else ""
        head = f"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n{last}\r\n"
        self.line.write(head.encode())

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self.open_at:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.refused.append(head.partition(b"\r\n")[0].decode())
                self.leave()
                return
            self.open_at = time.time()
            self.opened += 1
        *blocks, self._rest = data.split(b"\n\n")
        for block in blocks:
            self._take(_read(block))

    def connection_lost(self, exc: Exception | None) -> None:
        self.line = None
        self.open_at = 0.0
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _take(self, block: _Block) -> None:
        self._last_id = block.id or self._last_id
        if block.reason:
            self.snapshots.append(block.reason)
        for number, seq, changed_at in block.jobs:
            if number >= len(self._seqs):
                self._seqs.extend([0] * (number + 1 - len(self._seqs)))
            self.went_back += seq < self._seqs[number]
            self._seqs[number] = max(seq, self._seqs[number])
            if not block.reason:
                self._heard(changed_at)

    def _heard(self, changed_at: float) -> None:
        now = time.time()
        self.events += 1
        self.worst_s = max(self.worst_s, now - max(changed_at, self.open_at))
        if self.lags is not None:
            self.lags.append(now - changed_at)


class Said(msgspec.Struct, kw_only=True):
    """What a room of viewers knows of itself at one moment; `known` has how many viewers know the same, and what that is."""

    viewers: int = 0
    open: int = 0
    oldest_at: float = 0.0
    newest_at: float = 0.0
    """When the first and the last of the open streams began."""
    opened: int = 0
    events: int = 0
    went_back: int = 0
    worst_s: float = 0.0
    snapshots: dict[str, int] = {}
    refused: dict[str, int] = {}
    known: list[tuple[int, dict[str, int]]] = []


def said(viewers: Sequence[Viewer]) -> Said:
    """All of them together; of what is known the three most frequent."""
    since = [viewer.open_at for viewer in viewers if viewer.open_at]
    known = Counter(bytes(viewer._seqs) for viewer in viewers)
    one_of = {bytes(viewer._seqs): viewer for viewer in viewers}
    return Said(
        viewers=len(viewers),
        open=len(since),
        oldest_at=min(since, default=0.0),
        newest_at=max(since, default=0.0),
        opened=sum(viewer.opened for viewer in viewers),
        events=sum(viewer.events for viewer in viewers),
        went_back=sum(viewer.went_back for viewer in viewers),
        worst_s=max(viewer.worst_s for viewer in viewers),
        snapshots=dict(Counter(reason for viewer in viewers for reason in viewer.snapshots)),
        refused=dict(Counter(answer for viewer in viewers for answer in viewer.refused)),
        known=[(count, one_of[seqs].seqs) for seqs, count in known.most_common(3)],
    )


@asynccontextmanager
async def looking(viewers: Sequence[Viewer]) -> AsyncIterator[None]:
    """All of them look inside."""
    tasks = [asyncio.create_task(viewer.look()) for viewer in viewers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def many_files() -> None:
    """A thousand sockets are more than most shells allow at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 16_384), most))


def reset(sock: socket.socket) -> None:
    """Close without a farewell: the other side gets an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
