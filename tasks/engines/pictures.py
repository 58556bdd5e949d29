"""What kind of picture some bytes are, by how they begin; nothing is decoded, since they come from strangers."""

from __future__ import annotations

_BEGINNINGS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def kind_of(data: bytes) -> str | None:
    """The media type, or None for what is no picture that we show."""
    return next((kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning)), None)
