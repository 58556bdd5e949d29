"""Bytes off the network: a multipart upload or one raw photo, straight into hashed temporary files.

Nothing is ever held whole in memory but the record's JSON, and nothing is kept here: leaving the context removes it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from app.core.blobs import Blobs
from app.core.errors import IdleTimeout, MalformedRequest, TooLarge, UnsupportedMedia
from app.core.incoming import Incoming
from app.core.settings import Settings

RECORD_PART = "record"
MAX_PARTS = 60
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._files.close()

    async def read(self, body: AsyncIterator[bytes], boundary: str) -> None:
        """Raises `MalformedRequest`, `TooLarge`, `IdleTimeout` and `StorageFull`."""
        parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS, strict=True)
        try:
            with parser:
                async for chunk in body:
                    for piece in parser.parse(chunk):
                        await self._take(piece)
        except ParserLimitReached as exc:
            raise TooLarge(f"at most {MAX_PARTS} parts are allowed", limits={"request_parts": MAX_PARTS}) from exc
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
        name = segment.name or ""
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
    """Raises `UnsupportedMedia` for anything but multipart/form-data with a boundary."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise UnsupportedMedia("send multipart/form-data")
    return str(options["boundary"])


async def bounded(body: AsyncIterator[bytes], *, limit: int, named: str, idle_s: float) -> AsyncIterator[bytes]:
    """The body's chunks. Raises `TooLarge` past `limit` bytes and `IdleTimeout` after `idle_s` seconds of silence.

    `named` is the limit's name at `/api/mobile/limits`.

    A body over the limit is read on, and thrown away, to twice the limit: a phone that is still sending would see a
    reset instead of the answer, and retry for ever.
    """
    chunks = aiter(body)
    size = 0
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            break
        except TimeoutError as exc:
            raise IdleTimeout(f"nothing arrived for {idle_s:g} s") from exc
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
