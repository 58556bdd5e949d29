"""Photos and other bytes, each under its own SHA-256: written to a temporary file, synced, then renamed into place.

A crash leaves an unreferenced file, never a row without its bytes; `app.core.orphans` removes what no row refers to.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from uuid import uuid4

import msgspec

from app.core.errors import StorageFull, StorageUnavailable
from app.core.incoming import Incoming, full_disk_as_problem

log = logging.getLogger("asbuilt.blobs")

ABANDONED_S = 3600.0
"""A body that is still on its way writes far more often: an idle one is given up after seconds."""
PAGE = 500
_CHUNK = 2**18


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a listing saw it. `version` changes whenever the same bytes are kept again; `age_s` is the time since."""

    sha256: bytes
    path: Path
    size: int
    version: int
    age_s: float


class Blobs:
    """A directory of immutable files `ab/cd/<sha256>`."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        """`reserve` bytes of free disk are kept; below it nothing more is taken."""
        self.root = root
        self._reserve = reserve
        self._incoming = root / "incoming"
        self._retired = root / "retired"
        for folder in (self._incoming, self._retired):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: bytes) -> Path:
        """Where the bytes of this hash are, or would be."""
        return path_below(self.root, sha256)

    def incoming(self, *, limit: int) -> Incoming:
        """A file to write into, at most `limit` bytes. Raises `StorageFull` when the reserve is touched."""
        self.demand_room()
        return Incoming(self._incoming, limit)

    def demand_room(self) -> None:
        """Raise `StorageFull` when the reserve is touched."""
        if shutil.disk_usage(self.root).free < self._reserve:
            raise StorageFull(retry_after_s=60)

    async def keep(self, incoming: Incoming) -> bytes:
        """Make the written bytes durable under their hash, and answer the hash. Raises `StorageFull`."""
        with full_disk_as_problem():
            return await asyncio.to_thread(self._keep, incoming)

    async def put(self, data: bytes) -> bytes:
        """Store bytes that are in memory already; answers their hash."""
        with self.incoming(limit=len(data)) as incoming:
            await incoming.write(data)
            return await self.keep(incoming)

    async def size(self, sha256: bytes) -> int | None:
        """How many bytes are stored under this hash; None when there are none."""
        with suppress(FileNotFoundError):
            return (await asyncio.to_thread(self.path(sha256).stat)).st_size
        return None

    async def read(self, sha256: bytes) -> bytes:
        """All bytes of this hash. Raises `StorageUnavailable`."""
        return b"".join([chunk async for chunk in self.stream(sha256)])

    async def stream(self, sha256: bytes, *, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        """The bytes from `start` up to `stop`, in pieces. Raises `StorageUnavailable`."""
        async with self.local(sha256) as path:
            with await asyncio.to_thread(path.open, "rb") as file:
                file.seek(start)
                left = sys.maxsize if stop is None else stop - start
                while left > 0 and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk

    @asynccontextmanager
    async def local(self, sha256: bytes) -> AsyncIterator[Path]:
        """A file with the bytes of this hash, for as long as the block lasts. Raises `StorageUnavailable`."""
        path = self.path(sha256)
        if not await asyncio.to_thread(path.exists):
            # Never seen in health: `asbuilt doctor` names all of them.
            log.error("a stored file is missing", extra={"event": "blobs.missing", "sha256": sha256.hex()})
            raise StorageUnavailable(retry_after_s=60)
        yield path

    async def stored(self, *, older_s: float) -> AsyncIterator[list[Found]]:
        """Pages of what was kept last at least so long ago."""
        shelves = (shelf for first in _below(self.root, "??") for shelf in _below(first, "??"))
        files = (path for shelf in shelves for path in _below(shelf, "*"))
        async for page in _pages(_seen(path, moved=False) for path in files):
            yield [found for found in page if found.age_s >= older_s]

    async def retired(self) -> AsyncIterator[list[Found]]:
        """Pages of what was moved aside; its age is the time since."""
        async for page in _pages(_seen(path, moved=True) for path in _below(self._retired, "*")):
            yield page

    def retire(self, found: Found) -> Found | None:
        """Move a file aside; answers what was moved, which need not be what the listing saw. None when it is gone."""
        # A name of its own, so that nobody destroys what somebody else has moved aside.
        aside = self._retired / f"{found.sha256.hex()}-{uuid4().hex[:8]}"
        with suppress(FileNotFoundError):
            found.path.rename(aside)
            return _seen(aside, moved=True)
        return None

    def restore(self, aside: Found) -> None:
        """Put back what was moved aside, as if kept just now."""
        with suppress(FileNotFoundError):
            # First: a file that is in its place and looks old would be taken for an orphan again.
            os.utime(aside.path)
            aside.path.rename(_place(self.root, aside.sha256))

    def destroy(self, aside: Found) -> None:
        """Remove for ever what was moved aside."""
        aside.path.unlink(missing_ok=True)

    def remove_abandoned(self) -> int:
        """Remove what nobody has written to for an hour, and never was kept; answers how many."""
        removed = remove_unused(self._incoming, older_s=ABANDONED_S)
        if removed:
            log.info("abandoned files removed", extra={"event": "blobs.abandoned_removed", "files": removed})
        return removed

    def _keep(self, incoming: Incoming) -> bytes:
        incoming.sync()
        target = _place(self.root, incoming.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        # By its time the collector knows that somebody needs it: an upload may have taken minutes since its last byte.
        os.utime(incoming.path)
        incoming.path.replace(target)
        # Without this the name may be lost in a power cut although the bytes are not.
        for folder in (target.parent, target.parent.parent, self.root):
            sync_folder(folder)
        incoming.kept_at = time.time()
        return incoming.sha256


def path_below(root: Path, sha256: bytes) -> Path:
    """Where a directory of blobs keeps the bytes of this hash, or would.

    Bytes that the collector has moved aside, and a row came to need before they were put back, are read from there.
    """
    place = _place(root, sha256)
    if not place.exists():
        return next((root / "retired").glob(f"{place.name}-*"), place)
    return place


def remove_unused(folder: Path, *, older_s: float) -> int:
    """Remove the folder's files that were last written, or marked as used, so long ago; answers how many."""
    limit, removed = time.time() - older_s, 0
    for path in folder.iterdir():
        # Another process may keep or remove it meanwhile.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
    return removed


def _place(root: Path, sha256: bytes) -> Path:
    name = sha256.hex()
    return root / name[:2] / name[2:4] / name


def _below(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def _seen(path: Path, *, moved: bool) -> Found | None:
    try:
        sha256, stat = bytes.fromhex(path.name[:64]), path.stat()
    except (FileNotFoundError, ValueError):
        return None
    else:
        # A file that is moved keeps the time of its bytes; the time of its inode is that of the move.
        since = stat.st_ctime if moved else stat.st_mtime
        return Found(
            sha256=sha256,
            path=path,
            size=stat.st_size,
            version=stat.st_mtime_ns,
            age_s=time.time() - since,
        )


async def _pages(seen: Iterable[Found | None]) -> AsyncIterator[list[Found]]:
    left: Iterator[Found] = (found for found in seen if found is not None)
    while page := await asyncio.to_thread(lambda: list(islice(left, PAGE))):
        yield page


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
