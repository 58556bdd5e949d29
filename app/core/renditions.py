"""Re-encoded copies of photos for people's screens: upright, without EXIF, made once and kept beside the originals."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from app.core.blobs import Blobs, remove_unused
from app.core.errors import StorageFull, UnsupportedMedia

Render = Callable[[Path, Path, int], Awaitable[bool]]
"""Write a JPEG of a picture, at most so many pixels wide; False when none can be made of it."""

_ROOM = 2**20
"""Less free than this, and a copy that could not be made says nothing about the photo."""
_WIDTHS = (160, 320, 640, 1280, 2048)


class Renditions:
    """Files `renditions/<sha256>-<width>.jpg`; widths are rounded up to a few, so that callers cannot fill the disk."""

    def __init__(self, blobs: Blobs, render: Render) -> None:
        self._blobs = blobs
        self._render = render
        self._folder = blobs.folder / "renditions"
        self._folder.mkdir(parents=True, exist_ok=True)

    async def jpeg(self, sha256: bytes, *, width: int) -> bytes:
        """The JPEG of a photo. Raises `UnsupportedMedia` for one that none can be made of, `StorageUnavailable`
        and `StorageFull`."""
        path = self._folder / f"{sha256.hex()}-{rounded(width)}.jpg"
        if (made := await asyncio.to_thread(_used, path)) is not None:
            return made
        draft = self._folder / f"{uuid4().hex}.part"
        try:
            async with self._blobs.local(sha256) as original:
                if not await self._render(original, draft, rounded(width)):
                    if shutil.disk_usage(self._folder).free < _ROOM:
                        raise StorageFull(retry_after_s=60)
                    raise UnsupportedMedia("no picture can be made of this file")
            return await asyncio.to_thread(_keep, draft, path)
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    def remove_unused(self, *, older_s: float) -> int:
        """Remove what nobody has looked at for so long, and what killed processes left; answers how many."""
        return remove_unused(self._folder, older_s=older_s)


def rounded(width: int) -> int:
    """The width that is made for whoever asks for this one."""
    return next((step for step in _WIDTHS if step >= width), _WIDTHS[-1])


def _used(path: Path) -> bytes | None:
    """What is there already; it is then not removed before its time is over again."""
    with suppress(FileNotFoundError):
        os.utime(path)
        return path.read_bytes()
    return None


def _keep(draft: Path, path: Path) -> bytes:
    made = draft.read_bytes()
    draft.replace(path)
    return made
