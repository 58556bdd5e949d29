"""A zip file of photos, written while it is sent: stored, since photos are compressed already, and never whole in memory.

What cannot be had is a line of the manifest and not a broken file.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from app.core.blobs import Blobs
from app.core.errors import StorageUnavailable
from app.core.serving import ended
from app.lists.exports import table
from app.lists.exports.store import PhotosRow

MANIFEST: Final = "manifest.csv"
_HEAD: Final = ("path", "record", "asset_key", "photo", "shot", "size", "sha256", "status")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_IN_MEMORY: Final = 2**20


class _Sink(io.RawIOBase):
    """Takes what the zip file writes until it is sent. It cannot be wound back, so sizes follow the bytes they are of."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return False

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class Archive:
    """One zip file. Used as a block; `add` records, then `end`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._manifest = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, mode="w+", encoding="utf-8", newline="")  # noqa: SIM115 - closed by the block
        self._lines = csv.writer(self._manifest, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        self._lines.writerow(_HEAD)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._manifest.close()

    async def add(self, row: PhotosRow) -> AsyncIterator[bytes]:
        """The bytes of a record's photos, each under the record's reference and a number that keeps their order."""
        there = [photo for photo in row.photos if photo["sha256"]]
        sizes = await self._blobs.sizes([bytes.fromhex(photo["sha256"]) for photo in there])
        stored = {photo["name"]: size is not None for photo, size in zip(there, sizes, strict=True)}
        for n, photo in enumerate(row.photos, start=1):
            path, status = "", _why_not(photo)
            if photo["name"] in stored:
                path = f"{row.external_ref}/{n:02}-{ended(photo['name'], photo['type'])}"
                status = "ok" if stored[photo["name"]] else "missing"
            if status == "ok":
                before = self._sink.tell()
                try:
                    async for part in self._entry(path, photo):
                        yield part
                except StorageUnavailable:
                    status = "incomplete"
                if self._sink.tell() - before < photo["size"]:
                    status = "incomplete"
            said = (
                path,
                row.external_ref,
                row.asset_key,
                photo["name"],
                photo["shot"],
                photo["size"],
                photo["sha256"],
                status,
            )
            self._lines.writerow([table.cell(value) for value in said])

    def end(self) -> Iterator[bytes]:
        """The manifest and the directory."""
        self._manifest.seek(0)
        with self._zip.open(zipfile.ZipInfo(MANIFEST, _now()), "w", force_zip64=False) as entry:
            while chunk := self._manifest.read(2**16):
                entry.write(chunk.encode())
        self._zip.close()
        yield self._sink.taken()

    async def _entry(self, path: str, photo: dict[str, Any]) -> AsyncIterator[bytes]:
        info = zipfile.ZipInfo(path, _moment(photo["taken_at"]))
        with self._zip.open(info, "w", force_zip64=photo["size"] >= zipfile.ZIP64_LIMIT) as entry:
            async for chunk in self._blobs.stream(bytes.fromhex(photo["sha256"])):
                entry.write(chunk)
                yield self._sink.taken()
        yield self._sink.taken()


def _why_not(photo: dict[str, Any]) -> str:
    return "refused" if photo["rejected"] else "not received"


def _moment(taken_at: str | None) -> tuple[int, int, int, int, int, int]:
    """The time of a file in the archive, which knows none before 1980."""
    if taken_at is None:
        return _EPOCH
    at = datetime.fromisoformat(taken_at)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second) if 1980 <= at.year <= 2107 else _EPOCH


def _now() -> tuple[int, int, int, int, int, int]:
    at = datetime.now(UTC)
    return (at.year, at.month, at.day, at.hour, at.minute, at.second)
