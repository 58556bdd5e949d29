"""A bucket of blobs, at any service that speaks the protocol of S3. Keys and endpoint come from the usual AWS_ variables.

A put is one request: the service checks the signed hash of the body and answers when it has the object, whole and durable,
or has nothing. Names, ages and moves are as in a directory, but a move is a copy and a delete.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from app.core.blobs import CHUNK, PAGE, Blobs, Found, shelf
from app.core.errors import StorageUnavailable
from app.core.incoming import Incoming

if TYPE_CHECKING:
    from obstore import ObjectMeta  # exists for type checkers only

log = logging.getLogger("asbuilt.blobs")

REQUEST_S = 15
"""One try of one request, its body included: 25 MiB at 14 Mbit/s."""
CONNECT_S = 3
TRIES_S = 20
"""No further try after this: the phone waits, and gives up after a minute."""
_AT_ONCE = 16
_IN_PLACE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/([0-9a-f]{64})")
_ASIDE = re.compile(r"retired/([0-9a-f]{64})/[0-9a-f]{8}")


class S3Blobs(Blobs):
    """Objects `ab/cd/<sha256>` below a prefix; what is moved aside is `retired/<sha256>/…`."""

    def __init__(self, url: str, folder: Path, *, reserve: int = 0) -> None:
        """`url` is `s3://bucket` or `s3://bucket/prefix`; `folder` is local."""
        super().__init__(folder, reserve=reserve)
        self._url = url.rstrip("/")
        bucket, _, prefix = self._url.removeprefix("s3://").partition("/")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            # Plain http is used where the operator's endpoint says so, as inside a cluster.
            client_options={"timeout": f"{REQUEST_S}s", "connect_timeout": f"{CONNECT_S}s", "allow_http": True},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=TRIES_S)},
        )

    async def keep(self, incoming: Incoming) -> bytes:
        incoming.flush()
        with _trouble(missing=True):
            await obstore.put_async(self._store, shelf(incoming.sha256), incoming.path, use_multipart=False)
        incoming.kept_at = time.time()
        return incoming.sha256

    async def sizes(self, hashes: Sequence[bytes]) -> list[int | None]:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def size(sha256: bytes) -> int | None:
            async with slots:
                seen = await self._find(sha256)
                return None if seen is None else seen["size"]

        return list(await asyncio.gather(*(size(sha256) for sha256 in hashes)))

    async def stream(self, sha256: bytes, *, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes]:
        seen = await self._find(sha256)
        if seen is None:
            self._unfit(sha256, "blobs.missing")
        stop = seen["size"] if stop is None else stop
        if start >= stop:
            return
        with _trouble(missing=True):
            answer = await obstore.get_async(self._store, seen["path"], options={"range": (start, stop)})
            async for chunk in answer.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    @asynccontextmanager
    async def local(self, sha256: bytes) -> AsyncIterator[Path]:
        with self.incoming(limit=2**40) as copy:
            async for chunk in self.stream(sha256):
                await copy.write(chunk)
            copy.flush()
            if copy.sha256 != sha256:
                self._unfit(sha256, "blobs.damaged")
            yield copy.path

    def named(self, sha256: bytes) -> str:
        return f"{self._url}/{shelf(sha256)}"

    async def reach(self) -> None:
        with _trouble(missing=True):
            await anext(obstore.list(self._store, prefix="retired", chunk_size=1), None)

    async def stored(self, *, older_s: float) -> AsyncIterator[list[Found]]:
        async for page in self._pages(None, _IN_PLACE):
            yield [found for found in page if found.age_s >= older_s]

    async def retired(self) -> AsyncIterator[list[Found]]:
        async for page in self._pages("retired", _ASIDE):
            yield page

    async def retire(self, found: Found) -> Found | None:
        with _trouble(), suppress(FileNotFoundError):
            now = await obstore.head_async(self._store, found.place)
            if _version(now) == found.version:
                aside = f"retired/{found.sha256.hex()}/{uuid4().hex[:8]}"
                # Whoever keeps the same bytes between the two loses nothing: they are aside, and are read from there.
                await obstore.copy_async(self._store, found.place, aside)
                await obstore.delete_async(self._store, found.place)
                return found
        return None

    async def restore(self, aside: Found) -> None:
        with _trouble(), suppress(FileNotFoundError):
            await obstore.copy_async(self._store, aside.place, shelf(aside.sha256))
            await obstore.delete_async(self._store, aside.place)

    async def destroy(self, aside: Found) -> None:
        with _trouble(), suppress(FileNotFoundError):
            await obstore.delete_async(self._store, aside.place)

    async def _find(self, sha256: bytes) -> ObjectMeta | None:
        """In its place, or aside."""
        with _trouble():
            with suppress(FileNotFoundError):
                return await obstore.head_async(self._store, shelf(sha256))
            async for page in obstore.list(self._store, prefix=f"retired/{sha256.hex()}", chunk_size=1):
                return page[0]
        return None

    async def _pages(self, prefix: str | None, name: re.Pattern[str]) -> AsyncIterator[list[Found]]:
        with _trouble(missing=True):
            async for page in obstore.list(self._store, prefix=prefix, chunk_size=PAGE):
                now = datetime.now(UTC)
                yield [
                    Found(
                        sha256=bytes.fromhex(match[1]),
                        place=seen["path"],
                        size=seen["size"],
                        version=_version(seen),
                        age_s=(now - seen["last_modified"]).total_seconds(),
                    )
                    for seen in page
                    if (match := name.fullmatch(seen["path"])) is not None
                ]


def _version(seen: ObjectMeta) -> int:
    return int(seen["last_modified"].timestamp() * 1000)


@contextmanager
def _trouble(*, missing: bool = False) -> Iterator[None]:
    """Turn what the bucket does not do into `StorageUnavailable`; with `missing`, also that it is not there."""
    try:
        yield
    except (BaseError, FileNotFoundError) as exc:
        if isinstance(exc, FileNotFoundError) and not missing:
            raise
        # The text of the error may hold a signed address.
        log.warning("the bucket failed", extra={"event": "blobs.bucket_failed", "error": type(exc).__name__})
        raise StorageUnavailable(retry_after_s=5) from exc
