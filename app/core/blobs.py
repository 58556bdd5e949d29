"""Photos and other bytes, each under its own SHA-256, in a directory or in a bucket: what everybody may ask of either.

Bytes are durable before their row is made. A crash leaves bytes without a row, never a row without its bytes;
`app.core.orphans` removes what no row refers to. Bytes on their way in are in a local file in both cases.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from app.core.errors import StorageFull, StorageUnavailable
from app.core.incoming import Incoming

log = logging.getLogger("asbuilt.blobs")

ABANDONED_S = 3600.0
"""A body that is still on its way writes far more often: an idle one is given up after seconds."""
PAGE = 500
"""Files a page of a listing."""
CHUNK = 2**18


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as a listing saw them. `version` changes whenever they are kept again; `age_s` is the time since."""

    sha256: bytes
    place: str
    size: int
    version: int
    age_s: float


class Blobs(ABC):
    """Immutable bytes by hash. Everything raises `StorageUnavailable` when the place they are kept in does not answer."""

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        """`folder` takes what is arriving; `reserve` bytes of its disk are kept free, below it nothing more is taken."""
        self.folder = folder
        self._reserve = reserve
        self._incoming = folder / "incoming"

    def incoming(self, *, limit: int) -> Incoming:
        """A file to write into, at most `limit` bytes. Raises `StorageFull` when the reserve is touched."""
        self.demand_room()
        return Incoming(self._incoming, limit)

    def demand_room(self) -> None:
        """Raise `StorageFull` when the reserve is touched."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._incoming).free < self._reserve:
            raise StorageFull(retry_after_s=60)

    async def put(self, data: bytes) -> bytes:
        """Store bytes that are in memory already; answers their hash."""
        with self.incoming(limit=len(data)) as incoming:
            await incoming.write(data)
            return await self.keep(incoming)

    async def read(self, sha256: bytes) -> bytes:
        """All bytes of this hash, and no others."""
        data = b"".join([chunk async for chunk in self.stream(sha256)])
        if hashlib.sha256(data).digest() != sha256:
            self._unfit(sha256, "blobs.damaged")
        return data

    async def size(self, sha256: bytes) -> int | None:
        """How many bytes are stored under this hash; None when there are none."""
        return (await self.sizes([sha256]))[0]

    async def check(self) -> None:
        """Raises what an upload would be answered."""
        with self.incoming(limit=1) as incoming:
            await asyncio.to_thread(incoming.sync)
        await self.reach()

    def remove_abandoned(self) -> int:
        """Remove what nobody has written to for an hour, and never was kept; answers how many."""
        removed = remove_unused(self._incoming, older_s=ABANDONED_S)
        if removed:
            log.info("abandoned files removed", extra={"event": "blobs.abandoned_removed", "files": removed})
        return removed

    @abstractmethod
    async def keep(self, incoming: Incoming) -> bytes:
        """Make the written bytes durable under their hash, and answer the hash. Raises `StorageFull`."""

    @abstractmethod
    async def sizes(self, hashes: Sequence[bytes]) -> list[int | None]:
        """How many bytes are stored under each hash."""

    @abstractmethod
    def stream(self, sha256: bytes, *, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `stop`, in pieces."""

    @abstractmethod
    def local(self, sha256: bytes) -> AbstractAsyncContextManager[Path]:
        """A file with the bytes of this hash, for as long as the block lasts."""

    @abstractmethod
    def named(self, sha256: bytes) -> str:
        """Where an operator finds the bytes of this hash, or would."""

    @abstractmethod
    async def reach(self) -> None:
        """Raises `StorageUnavailable` unless the place where bytes are kept answers."""

    @abstractmethod
    def stored(self, *, older_s: float) -> AsyncIterator[list[Found]]:
        """Pages of what was kept last at least so long ago."""

    @abstractmethod
    def retired(self) -> AsyncIterator[list[Found]]:
        """Pages of what was moved aside; its age is the time since."""

    @abstractmethod
    async def retire(self, found: Found) -> Found | None:
        """Move bytes aside, where readers still find them. Answers what was moved, which need not be what the listing
        saw; None when there is nothing to move.
        """

    @abstractmethod
    async def restore(self, aside: Found) -> None:
        """Put back what was moved aside, as if kept just now."""

    @abstractmethod
    async def destroy(self, aside: Found) -> None:
        """Remove for ever what was moved aside."""

    def _unfit(self, sha256: bytes, event: str) -> NoReturn:
        # Health does not look at every file; `asbuilt doctor` does.
        log.error("stored bytes are missing or damaged", extra={"event": event, "sha256": sha256.hex()})
        raise StorageUnavailable(retry_after_s=60)


def shelf(sha256: bytes) -> str:
    """The place of a hash, below a directory or in a bucket: no folder grows past what a listing bears."""
    name = sha256.hex()
    return f"{name[:2]}/{name[2:4]}/{name}"


def remove_unused(folder: Path, *, older_s: float) -> int:
    """Remove the folder's files that were last written, or marked as used, so long ago; answers how many."""
    limit, removed = time.time() - older_s, 0
    for path in folder.glob("*"):
        # Another process may keep or remove it meanwhile.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
    return removed


def sync_folder(folder: Path) -> None:
    """Until it returns, a power cut may take the names of new files although their bytes are safe."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
