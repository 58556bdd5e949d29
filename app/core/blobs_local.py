"""A directory of blobs: synced, then renamed into place. Web processes and workers share it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from uuid import uuid4

from app.core.blobs import CHUNK, PAGE, Blobs, Found, shelf, sync_folder
from app.core.incoming import Incoming, full_disk_as_problem


class LocalBlobs(Blobs):
    """Files `ab/cd/<sha256>`; what is moved aside is `retired/<sha256>-…`."""

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        super().__init__(folder, reserve=reserve)
        self._retired = folder / "retired"

    def path(self, sha256: bytes) -> Path:
        """Where the bytes of this hash are, or would be.

        Bytes that the collector has moved aside, and a row came to need before they were put back, are read from there.
        """
        place = self.folder / shelf(sha256)
        if not place.exists():
            return next(self._retired.glob(f"{place.name}-*"), place)
        return place

    async def keep(self, incoming: Incoming) -> bytes:
        with full_disk_as_problem():
            return await asyncio.to_thread(self._keep, incoming)

    async def sizes(self, hashes: Sequence[bytes]) -> list[int | None]:
        return await asyncio.to_thread(lambda: [_size(self.path(sha256)) for sha256 in hashes])

    async def stream(self, sha256: bytes, *, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        async with self.local(sha256) as path:
            with await asyncio.to_thread(path.open, "rb") as file:
                file.seek(start)
                left = sys.maxsize if stop is None else stop - start
                while left > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk

    @asynccontextmanager
    async def local(self, sha256: bytes) -> AsyncIterator[Path]:
        path = self.path(sha256)
        if not await asyncio.to_thread(path.exists):
            self._unfit(sha256, "blobs.missing")
        yield path

    def named(self, sha256: bytes) -> str:
        return str(self.folder / shelf(sha256))

    async def reach(self) -> None:
        """The disk of what arrives is the one where it is kept."""

    async def stored(self, *, older_s: float) -> AsyncIterator[list[Found]]:
        shelves = (shelf for first in _below(self.folder, "??") for shelf in _below(first, "??"))
        files = (path for shelf in shelves for path in _below(shelf, "*"))
        async for page in _pages(_seen(path, moved=False) for path in files):
            yield [found for found in page if found.age_s >= older_s]

    async def retired(self) -> AsyncIterator[list[Found]]:
        async for page in _pages(_seen(path, moved=True) for path in _below(self._retired, "*")):
            yield page

    async def retire(self, found: Found) -> Found | None:
        return await asyncio.to_thread(self._retire, found)

    async def restore(self, aside: Found) -> None:
        await asyncio.to_thread(self._restore, aside)

    async def destroy(self, aside: Found) -> None:
        await asyncio.to_thread(Path(aside.place).unlink, missing_ok=True)

    def _keep(self, incoming: Incoming) -> bytes:
        incoming.sync()
        target = self.folder / shelf(incoming.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        # By its time the collector knows that somebody needs it: an upload may have taken minutes since its last byte.
        os.utime(incoming.path)
        incoming.path.replace(target)
        # Without this the name may be lost in a power cut although the bytes are not.
        for folder in (target.parent, target.parent.parent, self.folder):
            sync_folder(folder)
        incoming.kept_at = time.time()
        return incoming.sha256

    def _retire(self, found: Found) -> Found | None:
        self._retired.mkdir(exist_ok=True)
        # A name of its own, so that nobody destroys what somebody else has moved aside.
        aside = self._retired / f"{found.sha256.hex()}-{uuid4().hex[:8]}"
        with suppress(FileNotFoundError):
            Path(found.place).rename(aside)
            return _seen(aside, moved=True)
        return None

    def _restore(self, aside: Found) -> None:
        with suppress(FileNotFoundError):
            # First: a file that is in its place and looks old would be taken for an orphan again.
            os.utime(aside.place)
            Path(aside.place).rename(self.folder / shelf(aside.sha256))


def _size(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return None


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
            place=str(path),
            size=stat.st_size,
            version=stat.st_mtime_ns,
            age_s=time.time() - since,
        )


async def _pages(seen: Iterable[Found | None]) -> AsyncIterator[list[Found]]:
    left: Iterator[Found] = (found for found in seen if found is not None)
    while page := await asyncio.to_thread(lambda: list(islice(left, PAGE))):
        yield page
