"""Photos and other bytes, each under its own SHA-256: written to a temporary file, synced, then renamed into place.

A crash leaves an unreferenced file, never a row without its bytes. What a killed process was writing is removed an hour
after its last byte.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.errors import StorageFull, TooLarge

log = logging.getLogger("asbuilt.blobs")

_SYNC_LATER = 2**20
ABANDONED_S = 3600.0
"""A body that is still on its way writes far more often: an idle one is given up after seconds."""


class Blobs:
    """A directory of immutable files `ab/cd/<sha256>`."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        """`reserve` bytes of free disk are kept; below it nothing more is taken."""
        self.root = root
        self._reserve = reserve
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: bytes) -> Path:
        """Where the bytes of this hash are, or would be."""
        return path_below(self.root, sha256)

    def incoming(self, *, limit: int) -> Incoming:
        """A file to write into, at most `limit` bytes. Raises `StorageFull` when the reserve is touched."""
        if shutil.disk_usage(self.root).free < self._reserve:
            raise StorageFull(retry_after_s=60)
        return Incoming(self._incoming, limit)

    async def keep(self, incoming: Incoming) -> bytes:
        """Make the written bytes durable under their hash, and answer the hash. Raises `StorageFull`."""
        async with _full_disk_as_problem():
            return await asyncio.to_thread(self._keep, incoming)

    async def put(self, data: bytes) -> bytes:
        """Store bytes that are in memory already; answers their hash."""
        with self.incoming(limit=len(data)) as incoming:
            await incoming.write(data)
            return await self.keep(incoming)

    @asynccontextmanager
    async def tidied(self) -> AsyncIterator[None]:
        """While open, abandoned files are removed: now, and then every hour."""

        async def tidy() -> None:
            while True:
                await asyncio.to_thread(self.remove_abandoned)
                await asyncio.sleep(ABANDONED_S)

        tidying = asyncio.create_task(tidy())
        try:
            yield
        finally:
            tidying.cancel()
            with suppress(asyncio.CancelledError):
                await tidying

    def remove_abandoned(self) -> int:
        """Remove what nobody has written to for an hour, and never was kept; answers how many."""
        limit = time.time() - ABANDONED_S
        removed = 0
        for path in self._incoming.iterdir():
            # Another process may keep or remove it meanwhile.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        if removed:
            log.info("abandoned files removed", extra={"event": "blobs.abandoned_removed", "files": removed})
        return removed

    def _keep(self, incoming: Incoming) -> bytes:
        incoming.sync()
        target = self.path(incoming.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.replace(target)
        # Without this the name may be lost in a power cut although the bytes are not.
        for folder in (target.parent, target.parent.parent, self.root):
            _sync_folder(folder)
        return incoming.sha256


def path_below(root: Path, sha256: bytes) -> Path:
    """Where a directory of blobs keeps the bytes of this hash, or would."""
    name = sha256.hex()
    return root / name[:2] / name[2:4] / name


class Incoming:
    """Bytes on their way in, hashed while they are written. Leaving the context removes what was not kept."""

    def __init__(self, folder: Path, limit: int) -> None:
        handle, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()
        self._limit = limit
        self.size = 0

    async def write(self, data: bytes) -> None:
        """Raises `TooLarge` past the limit and `StorageFull` on a full disk."""
        self.size += len(data)
        if self.size > self._limit:
            raise TooLarge(f"a file is larger than {self._limit} bytes", limits={"photo_bytes": self._limit})
        self._hash.update(data)
        async with _full_disk_as_problem():
            if len(data) < _SYNC_LATER:
                self._file.write(data)
            else:
                await asyncio.to_thread(self._file.write, data)

    def flush(self) -> None:
        """Let others read what was written so far."""
        self._file.flush()

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


@asynccontextmanager
async def _full_disk_as_problem() -> AsyncIterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(retry_after_s=60) from exc
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
