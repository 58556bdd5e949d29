"""Bytes off the network: a multipart upload or one raw photo, straight into hashed temporary files.

Nothing is ever held whole in memory but the record's JSON, and nothing is kept here: leaving the context removes it all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from app.core.blobs import Blobs
from app.core.errors import IdleTimeout, MalformedRequest, TooLarge, UnsupportedMedia
from app.core.incoming import Incoming
from app.core.settings import Settings

RECORD_PART = "record"
MAX_PARTS = 60
MAX_BOUNDARY = 70
"""RFC 2046, section 5.1.1."""
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


class Part:
    """One file of a multipart upload, by the names its headers give."""

    def __init__(self, name: str, filename: str, incoming: Incoming) -> None:
        self.name = name
        self.filename = filename
        self.incoming = incoming


class Package:
    """A multipart upload as it came: the record's bytes and its files, in temporary files until they are kept."""

    def __init__(self, blobs: Blobs, settings: Settings) -> None:
        self.record: bytes | None = None
        self.parts: list[Part] = []
        self._blobs = blobs
        self._settings = settings
        self._files = ExitStack()
        self._document = bytearray()
        self._open: Incoming | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._files.close()

    async def read(self, body: AsyncIterator[bytes], boundary: str) -> None:
        """Raises `MalformedRequest`, `TooLarge`, `IdleTimeout` and `StorageFull`."""
        try:
            # Strict, it would refuse what follows the last boundary, but only when that comes in a packet of its own.
            with PushMultipartParser(boundary, strict=False) as parser:
                async for chunk in body:
                    for piece in parser.parse(chunk):
                        await self._take(piece)
        except (MultipartError, UnicodeError, LookupError) as exc:
            raise MalformedRequest("the multipart body cannot be read") from exc
        if self.record is None:
            raise MalformedRequest(f"there is no part named {RECORD_PART!r}")

    async def _take(self, piece: MultipartSegment | bytearray | None) -> None:
        if isinstance(piece, MultipartSegment):
            self._begin(piece)
        elif piece:
            if self._open is None:
                self._document += piece
                if len(self._document) > self._settings.record_bytes:
                    raise TooLarge("the record is too large", limits={"record_bytes": self._settings.record_bytes})
            else:
                await self._open.write(bytes(piece))
        else:
            self._end()

    def _begin(self, segment: MultipartSegment) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise TooLarge(f"at most {MAX_PARTS} parts are allowed", limits={"request_parts": MAX_PARTS})
        name = segment.name or ""
        if (segment.content_type or "").lower().startswith("multipart/"):
            raise MalformedRequest(f"the part {name[:40]!r} is a multipart body itself")
        if not name and not segment.filename:
            raise MalformedRequest("a part has no name")
        if (segment.charset or "").lower() not in _CHARSETS:
            raise MalformedRequest(f"the part {name[:40]!r} has an unknown charset")
        if name == RECORD_PART:
            if self.record is not None:
                raise MalformedRequest(f"there are two parts named {RECORD_PART!r}")
            self._document = bytearray()
            self._open = None
            return
        incoming = self._files.enter_context(self._blobs.incoming(limit=self._settings.photo_bytes))
        self.parts.append(Part(name, segment.filename or "", incoming))
        self._open = incoming

    def _end(self) -> None:
        if self._open is None:
            self.record = bytes(self._document)
        else:
            self._open.flush()


def boundary_of(content_type: str) -> str:
    """Raises `UnsupportedMedia` for anything but multipart/form-data, and `MalformedRequest` without a boundary."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise UnsupportedMedia("send multipart/form-data")
    boundary = str(options.get("boundary", ""))
    if not 1 <= len(boundary) <= MAX_BOUNDARY:
        raise MalformedRequest(f"the Content-Type names no boundary of 1 to {MAX_BOUNDARY} characters")
    return boundary


async def bounded(body: AsyncIterator[bytes], *, limit: int, named: str) -> AsyncIterator[bytes]:
    """The body's chunks. Raises `TooLarge` past `limit` bytes and `IdleTimeout` for a line that was cut.

    `named` is the limit's name at `/api/mobile/limits`.

    A body over the limit is read on, and thrown away, to twice the limit: a phone that is still sending would see a
    reset instead of the answer, and retry for ever.
    """
    chunks = aiter(body)
    size = 0
    while True:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            break
        except InternalServerException as exc:
            # Litestar's word for a peer that hung up; as an error of ours it would wake somebody for every tunnel.
            raise IdleTimeout("the connection ended before the body did") from exc
        size += len(chunk)
        if size > 2 * limit:
            break
        if size <= limit:
            yield chunk
    if size > limit:
        raise TooLarge(f"the body is larger than {limit} bytes", limits={named: limit})


def refuse_declared(content_length: str | None, *, limit: int, named: str) -> None:
    """Raise `TooLarge` before a byte is read, when the declared length says so."""
    if content_length is not None and content_length.isdecimal() and int(content_length) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes", limits={named: limit})
