"""What a photo is, whatever its name and declared type say: the sniff, the policy by kind, and the facts of its header.

Reads stored bytes by path; never decodes in this process and never writes.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from app.intake.decoders import DecoderLost, Decoders
from app.intake.decoding import Answer
from app.intake.exif import TakenAtSource
from app.intake.pixels import Look
from app.intake.schemas import PhotoKind

Checks = Literal["done", "deferred", "failed"]

_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic"})
ALLOWED: dict[PhotoKind, frozenset[str]] = {
    "photo": _IMAGES,
    "signature": _IMAGES,
    "redline": _IMAGES | {"application/pdf"},
    "other": _IMAGES | {"application/pdf"},
    "otdr": frozenset({"application/octet-stream", "application/pdf"}),
}
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<!--")
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
    (b"BM", "a bitmap"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
    (b"%!PS", "PostScript"),
)
_HEAD = 64


class PhotoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one received photo. Pixels as shown upright; degrees WGS 84.

    `rejected_reason`: its bytes must not be kept. `unreadable_reason`: kept, but nobody can look at it.
    """

    size: int
    sha256: str | None = None
    sniffed_type: str | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    taken_at_source: TakenAtSource = "none"
    lat: float | None = None
    lon: float | None = None
    exif: dict[str, str | int | float | list[float]] = {}
    look: Look | None = None
    dhash: int | None = None
    checks: Checks = "done"
    rejected_reason: str | None = None
    unreadable_reason: str | None = None


def sniff(head: bytes) -> str | None:
    """The type by its first 12 bytes, or `None` when it is of no type we take."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "image/heic"
    if head.startswith(b"%PDF"):
        return "application/pdf"
    return None


def describe(head: bytes) -> str:
    """In words, what a file of no allowed type looks like."""
    if not head:
        return "empty"
    if head.lstrip()[:16].lower().startswith(_MARKUP):
        return "a web page or XML"
    for magic, words in _OTHERS:
        if head.startswith(magic):
            return words
    return "not an image"


async def inspect(
    path: Path,
    *,
    decoders: Decoders,
    kind: PhotoKind = "photo",
    sha256: str | None = None,
    tz: str | None = None,
    until: float | None = None,
    whole: bool = False,
) -> PhotoFacts:
    """Look at the bytes stored at `path`; `tz` is the project's time zone. Raises `OSError` when they are not there.

    What is not decoded by `until` (the loop's clock) is `deferred`, and so is what takes long, unless `whole`.
    """
    head, size = await asyncio.to_thread(_head, path)
    found = sniff(head) or ("application/octet-stream" if kind == "otdr" and describe(head) == "not an image" else None)
    if found is None or found not in ALLOWED[kind]:
        looks = "a PDF" if found == "application/pdf" else found or describe(head)
        return PhotoFacts(size=size, sha256=sha256, checks="done", rejected_reason=f"it is {looks}")
    if found not in _IMAGES:
        return PhotoFacts(size=size, sha256=sha256, sniffed_type=found)
    try:
        async with asyncio.timeout_at(until):
            answer = await decoders.examine(path, tz=tz, whole=whole)
    except TimeoutError:
        return PhotoFacts(size=size, sha256=sha256, sniffed_type=found, checks="deferred")
    except DecoderLost:
        reason = "it could not be decoded safely"
        return PhotoFacts(size=size, sha256=sha256, sniffed_type=found, checks="failed", unreadable_reason=reason)
    return _facts(answer, size=size, sha256=sha256, sniffed_type=found)


def _facts(answer: Answer, *, size: int, sha256: str | None, sniffed_type: str) -> PhotoFacts:
    return PhotoFacts(
        size=size,
        sha256=sha256,
        sniffed_type=sniffed_type,
        width=answer.width,
        height=answer.height,
        taken_at=answer.taken_at,
        taken_at_source=answer.taken_at_source,
        lat=answer.lat,
        lon=answer.lon,
        exif=answer.exif,
        look=answer.look,
        dhash=answer.look.dhash if answer.look else None,
        checks="deferred" if answer.verdict == "deferred" else "done",
        rejected_reason=answer.reason if answer.verdict == "refused" else None,
        unreadable_reason=answer.reason if answer.verdict == "unreadable" else None,
    )


def _head(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        return file.read(_HEAD), path.stat().st_size
