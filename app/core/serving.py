"""Stored bytes on their way out: photos of strangers, which no browser may take for a page of ours.

The type is the one that was found in the bytes, the file name ends as that type does, and whatever is opened runs in a
sandbox. Answers may be kept by the client, and are asked for again with their ETag, so that rights are checked each time.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Stream

from app.core.blobs import Blobs
from app.core.etags import has

SAFE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
)
"""Headers of every answer with strangers' bytes."""

_INLINE = frozenset({"image/jpeg", "image/png", "image/webp"})
_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "image/jpeg": (".jpg", ".jpeg"),
        "image/png": (".png",),
        "image/webp": (".webp",),
        "image/heic": (".heic", ".heif"),
        "application/pdf": (".pdf",),
    }
)
_OTHER = (".bin", ".sor", ".msor")
_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})|bytes=-(\d{1,19})")


async def original(
    request: Request[Any, Any, Any], blobs: Blobs, *, sha256: bytes, size: int, media_type: str, filename: str
) -> Response[Any]:
    """The very bytes that were sent, as a file to save; one range of them when the client asks for it.

    Raises `StorageUnavailable`.
    """
    headers = {"Content-Disposition": disposition(filename, media_type)}
    return await _bytes(request, blobs, sha256=sha256, size=size, media_type=media_type, headers=headers)


async def picture(
    request: Request[Any, Any, Any], blobs: Blobs, *, sha256: bytes, size: int, media_type: str
) -> Response[Any]:
    """A picture that our own side made, shown in the page; what is of another type is only saved.

    Raises `StorageUnavailable`.
    """
    shown = "inline" if media_type in _INLINE else "attachment"
    headers = {"Content-Disposition": shown}
    return await _bytes(request, blobs, sha256=sha256, size=size, media_type=media_type, headers=headers)


def tag(sha256: bytes, variant: str = "") -> str:
    """The ETag of stored bytes, or of what is made of them."""
    return f'"{sha256.hex()}{variant}"'


def unchanged(etag: str) -> Response[None]:
    """The answer to a client that has it already."""
    return Response(None, status_code=304, headers={**SAFE, "ETag": etag})


def disposition(filename: str, media_type: str) -> str:
    """The header that makes a browser save the file, under a name whose ending fits its type (RFC 6266, RFC 8187)."""
    name = ended(filename, media_type)
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def ended(filename: str, media_type: str) -> str:
    """The name with an ending that fits the type that was found in the bytes."""
    endings = _SUFFIXES.get(media_type, _OTHER)
    return filename if PurePath(filename).suffix.lower() in endings else filename + endings[0]


def span(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one past the last of a Range header; None when all is to be sent (RFC 9110, section 14.2)."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or size == 0:
        return None
    if match[3]:
        start, stop = max(0, size - int(match[3])), size
    else:
        start, stop = int(match[1]), min(int(match[2] or size) + 1, size)
    return (start, stop) if start < stop else None


async def _bytes(
    request: Request[Any, Any, Any],
    blobs: Blobs,
    *,
    sha256: bytes,
    size: int,
    media_type: str,
    headers: Mapping[str, str],
) -> Response[Any]:
    etag = tag(sha256)
    if has(request, etag):
        return unchanged(etag)
    head = request.method == "HEAD"
    # A range is a thing of GET (RFC 9110, section 14.2).
    asked = request.headers.get("range", "") if not head and request.headers.get("if-range", etag) == etag else ""
    part = span(asked, size)
    start, stop = part or (0, size)
    told = {**SAFE, **headers, "ETag": etag, "Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
    if part is not None:
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    chunks = blobs.stream(sha256, start=start, stop=stop)
    # The first one now: what cannot be read must be an answer, not half of one.
    first = await anext(chunks, b"")
    if head:
        await chunks.aclose()
        return Response(b"", media_type=media_type, headers=told)
    return Stream(_joined(first, chunks), media_type=media_type, status_code=200 if part is None else 206, headers=told)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
