"""The bytes of unfinished uploads, one file each. Only what is synced counts, and one request at a time may write.

The lock is the kernel's, on the file: it holds between processes on one disk, and goes with a process that is killed. A
request that finds it taken asks for it with a file of its own; the older request gives way.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

from app.core.blobs import sync_folder
from app.core.errors import StorageFull, UploadTaken
from app.core.incoming import Incoming, full_disk_as_problem

LINGER_S = 1.0
QUIET_S = 0.25
TICK_S = 0.05
TRIES = 60
"""How often a request asks the older one to give way: for longer than `LINGER_S` and the older one's last sync."""
_PIECE = 2**20
_WANTED = ".wanted"


class Spool:
    """A folder of files named by their upload."""

    def __init__(self, root: Path, *, reserve: int = 0) -> None:
        """`reserve` bytes of free disk are kept; below it nothing more is taken."""
        self._root = root
        self._reserve = reserve
        root.mkdir(parents=True, exist_ok=True)

    def demand_room(self) -> None:
        """Raise `StorageFull` when the reserve is touched."""
        if shutil.disk_usage(self._root).free < self._reserve:
            raise StorageFull(retry_after_s=60)

    @asynccontextmanager
    async def held(self, upload: UUID) -> AsyncIterator[Hold]:
        """Exclusive use of an upload's bytes. Raises `UploadTaken` when an older request does not give way, `StorageFull`."""
        path = self._path(upload)
        new = not path.exists()
        with full_disk_as_problem():
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await _lock(handle, _wish(path))
            yield Hold(path, handle, new=new)
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)

    def remove(self, upload: UUID) -> None:
        """Remove an upload's bytes; there may be none."""
        self._path(upload).unlink(missing_ok=True)

    def older_than(self, seconds: float) -> Iterator[UUID]:
        """Uploads whose bytes nobody has written to for so long. Wishes of the killed are removed on the way."""
        limit = time.time() - seconds
        for path in self._root.iterdir():
            # Another process may remove it meanwhile.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime >= limit:
                    continue
                if path.suffix == _WANTED:
                    path.unlink()
                else:
                    yield UUID(hex=path.name)

    def _path(self, upload: UUID) -> Path:
        return self._root / upload.hex


class Hold:
    """An upload's file in the hands of one request. What is written counts when `sync` has returned."""

    def __init__(self, path: Path, handle: int, *, new: bool) -> None:
        self._path = path
        self._handle = handle
        self._new = new
        self.size = os.fstat(handle).st_size

    def cut(self, size: int) -> None:
        """Forget what lies beyond `size` bytes; writing goes on there."""
        os.ftruncate(self._handle, size)
        self.size = size

    async def write(self, data: bytes) -> None:
        """Raises `StorageFull`; what there was room for stays."""
        # Not in a thread: a write that goes on after its request was cancelled would follow a cut.
        view = memoryview(data)
        with full_disk_as_problem():
            while view:
                written = os.pwrite(self._handle, view, self.size)
                self.size += written
                view = view[written:]

    async def sync(self) -> None:
        """Until it returns, a power cut may take what was written. Raises `StorageFull`."""
        with full_disk_as_problem():
            await asyncio.to_thread(os.fdatasync, self._handle)
            if self._new:
                await asyncio.to_thread(sync_folder, self._path.parent)
                self._new = False

    async def copy_to(self, incoming: Incoming) -> None:
        """The whole file, hashed on the way. Raises what `Incoming.write` raises."""
        at = 0
        while piece := await asyncio.to_thread(os.pread, self._handle, _PIECE, at):
            await incoming.write(piece)
            at += len(piece)

    def wanted(self) -> bool:
        """Whether a newer request waits for this upload."""
        return _wish(self._path).exists()


async def until_wanted(body: AsyncIterator[bytes], hold: Hold) -> AsyncGenerator[bytes]:
    """The body's chunks. Raises `UploadTaken` when a newer request wants the upload.

    A phone that reconnects is heard before the server knows that its old connection is dead. So the older request
    gives way at its next silence, and after `LINGER_S` seconds in any case.
    """
    chunks = aiter(body)
    loop = asyncio.get_running_loop()
    wait: asyncio.Timeout | None = None
    heard = loop.time()
    gives_way = False

    async def watch() -> None:
        nonlocal gives_way
        asked: float | None = None
        while not gives_way:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            asked = (asked or now) if hold.wanted() else None
            gives_way = asked is not None and (now - heard > QUIET_S or now - asked > LINGER_S)
        if wait is not None:
            wait.reschedule(loop.time())

    watching = asyncio.create_task(watch())
    try:
        while not gives_way:
            async with asyncio.timeout(None) as wait:
                chunk = await anext(chunks, None)
            wait = None
            if chunk is None:
                return
            heard = loop.time()
            yield chunk
    except TimeoutError:
        gives_way = True
    finally:
        watching.cancel()
    raise UploadTaken("a newer request goes on with this upload")


async def _lock(handle: int, wish: Path) -> None:
    try:
        # By tries, not by the clock: while this process stands still, the older request's may too.
        for _ in range(TRIES):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _ask(wish)
                await asyncio.sleep(TICK_S)
            else:
                return
    finally:
        _withdraw(wish)
    raise UploadTaken("another request has this upload", retry_after_s=1)


def _wish(path: Path) -> Path:
    return path.with_suffix(_WANTED)


def _ask(wish: Path) -> None:
    with full_disk_as_problem():
        wish.touch()


def _withdraw(wish: Path) -> None:
    wish.unlink(missing_ok=True)
