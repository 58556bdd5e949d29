"""Re-encoded copies of photos for people's screens: upright, without EXIF, made once and kept beside the originals."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from app.core.blobs import Blobs, remove_unused
from app.core.errors import UnsupportedMedia

Render = Callable[[Path, Path, int], Awaitable[bool]]
"""Write a JPEG of a picture, at most so many pixels wide; False when none can be made of it."""

_WIDTHS = (160, 320, 640, 1280, 2048)


class Renditions:
    """Files `renditions/<sha256>-<width>.jpg`; widths are rounded up to a few, so that callers cannot fill the disk."""

    def __init__(self, blobs: Blobs, render: Render) -> None:
        self._blobs = blobs
        self._render = render
        self._folder = blobs.root / "renditions"
        self._folder.mkdir(parents=True, exist_ok=True)

    async def jpeg(self, sha256: bytes, *, width: int) -> Path:
        """Raises `UnsupportedMedia` for a photo that no JPEG can be made of."""
        width = next((step for step in _WIDTHS if step >= width), _WIDTHS[-1])
        path = self._folder / f"{sha256.hex()}-{width}.jpg"
        if not await asyncio.to_thread(_used, path):
            draft = self._folder / f"{uuid4().hex}.part"
            try:
                if not await self._render(self._blobs.path(sha256), draft, width):
                    raise UnsupportedMedia("no picture can be made of this file")
                await asyncio.to_thread(draft.replace, path)
            finally:
                await asyncio.to_thread(draft.unlink, missing_ok=True)
        return path

    def remove_unused(self, *, older_s: float) -> int:
        """Remove what nobody has looked at for so long, and what killed processes left; answers how many."""
        return remove_unused(self._folder, older_s=older_s)


def _used(path: Path) -> bool:
    """Whether it is there; it is then not removed before its time is over again."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
