"""Bytes on their way in, in a temporary file: hashed while they are written, gone unless they are kept."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.errors import StorageFull, StorageUnavailable, TooLarge

_SYNC_LATER = 2**20
RECENT_S = 60.0
"""How long after its bytes were kept a row may be made for them. Milliseconds, but for a process that was stopped."""


class Incoming:
    """Bytes on their way in, hashed while they are written. Leaving the context removes what was not kept."""

    def __init__(self, folder: Path, limit: int) -> None:
        with full_disk_as_problem():
            handle, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self._file = os.fdopen(handle, "wb")
        self._hash = hashlib.sha256()
        self._limit = limit
        self.size = 0
        self.kept_at: float | None = None

    async def write(self, data: bytes) -> None:
        """Raises `TooLarge` past the limit and `StorageFull` on a full disk."""
        self.size += len(data)
        if self.size > self._limit:
            raise TooLarge(f"a file is larger than {self._limit} bytes", limits={"photo_bytes": self._limit})
        self._hash.update(data)
        with full_disk_as_problem():
            if len(data) < _SYNC_LATER:
                self._file.write(data)
            else:
                await asyncio.to_thread(self._file.write, data)

    def flush(self) -> None:
        """Let others read what was written so far. Raises `StorageFull`."""
        with full_disk_as_problem():
            self._file.flush()

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def demand_recent(self) -> None:
        """Raise `StorageUnavailable` when the bytes were kept so long ago that the collector may have taken them."""
        if self.kept_at is not None and not 0 <= time.time() - self.kept_at < RECENT_S:
            raise StorageUnavailable(retry_after_s=1)

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        # What could not be written before cannot be written now either, and would hide the answer.
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def full_disk_as_problem() -> Iterator[None]:
    """Turn what a full disk raises into `StorageFull`."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(retry_after_s=60) from exc
        raise
