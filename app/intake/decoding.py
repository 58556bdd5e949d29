"""The process that opens strangers' pictures: the only place where intake lets a decoder touch their bytes.

Started by `decoders` as `python -m app.intake.decoding`; reads one task a line, writes one answer a line. Memory and
processor time are limited, so a hostile picture ends this process and nothing else.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
import warnings
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal, cast

import msgspec
from PIL import Image, ImageOps

from app.intake import exif
from app.intake.pixels import Look, look

Verdict = Literal["done", "deferred", "unreadable", "refused"]

MAX_PIXELS = 64_000_000
MAX_SIDE = 25_000
# A PNG or WebP is decoded whole; above this it costs more than the request's budget.
MAX_WHOLE_PIXELS = 16_000_000
MEMORY_BYTES = 512 * 2**20
CPU_S = 5
_EXIF, _GPS = 0x8769, 0x8825
_TIMES = (0x9003, 0x9011)  # DateTimeOriginal, OffsetTimeOriginal
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Examine `path`, also what takes long if `whole`; or, with `to`, write an upright JPEG of it: at most `width` wide and
    without any EXIF, or in full size with its time and place."""

    path: str
    tz: str | None = None
    whole: bool = False
    to: str | None = None
    width: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `refused`: nobody may decode it; `unreadable`: damaged; `deferred`: too slow to decode now."""

    verdict: Verdict
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    taken_at_source: exif.TakenAtSource = "none"
    lat: float | None = None
    lon: float | None = None
    exif: dict[str, str | int | float | list[float]] = {}
    look: Look | None = None


def examine(path: Path, *, tz: str | None, whole: bool = False) -> Answer:
    """Header first, limits next, and only then a decode that proves the picture whole.

    What would take longer than a request has is `deferred`, unless `whole`.
    """
    _heif()
    try:
        with Image.open(path, formats=FORMATS) as picture:
            refusal = _refusal(picture)
            if refusal:
                return Answer(verdict="refused", reason=refusal, width=picture.width, height=picture.height)
            size = picture.size
            return _facts(picture, size, _verify(picture, path, whole=whole), tz)
    except Exception:
        # Decoders raise anything at all on damaged input.
        return Answer(verdict="unreadable", reason="it is damaged and cannot be opened")


def render(path: Path, to: Path, *, width: int | None) -> Answer:
    """Write the rendition; the caller renames it into place. In full size it keeps when and where it was taken."""
    _heif()
    try:
        with Image.open(path, formats=FORMATS) as picture:
            refusal = _refusal(picture)
            if refusal:
                return Answer(verdict="refused", reason=refusal)
            kept = b"" if width else _time_and_place(picture)
            if width is not None:
                picture.draft("RGB", (width, width))
            # In place where nothing changes: copies of a 48 MP photo would not fit into the limit.
            ImageOps.exif_transpose(picture, in_place=True)
            upright = picture if picture.mode == "RGB" else picture.convert("RGB")
            if width is not None:
                upright.thumbnail((width, MAX_SIDE))
            upright.save(to, "JPEG", quality=85, exif=kept, icc_profile=None)
            return Answer(verdict="done", width=upright.width, height=upright.height)
    except Exception:
        return Answer(verdict="unreadable", reason="it is damaged and cannot be opened")


def _time_and_place(picture: Image.Image) -> bytes:
    """EXIF that portals ask for, and nothing else of it; empty where it cannot be read."""
    made = Image.Exif()
    with contextlib.suppress(Exception):
        was = picture.getexif()
        times = was.get_ifd(_EXIF)
        made.get_ifd(_EXIF).update({tag: times[tag] for tag in _TIMES if tag in times})
        made.get_ifd(_GPS).update(was.get_ifd(_GPS))
        return made.tobytes()
    return b""


def _refusal(picture: Image.Image) -> str | None:
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        return (
            f"it has {width} × {height} pixels; at most {MAX_PIXELS // 10**6} million and {MAX_SIDE} a side are allowed"
        )
    # A JPEG may carry previews as further frames (most phones do); only its first is ever decoded.
    frames = cast("int", getattr(picture, "n_frames", 1))
    if picture.format in ("PNG", "WEBP") and frames != 1:
        return f"it is an animation of {frames} frames"
    return None


def _verify(picture: Image.Image, path: Path, *, whole: bool) -> Answer:
    if picture.format == "HEIF" and not whole:
        thumbnail = _thumbnail(path)
        if thumbnail is not None:
            return Answer(verdict="done", look=look(thumbnail, thumbnail=True))
        return Answer(verdict="deferred", reason="it takes too long to be decoded at once")
    if picture.format in ("PNG", "WEBP") and picture.width * picture.height > MAX_WHOLE_PIXELS and not whole:
        return Answer(verdict="deferred", reason="it is too large to be checked at once")
    try:
        picture.draft("L", (512, 512))
        picture.load()
    except Exception:
        return Answer(verdict="unreadable", reason="it is damaged or was cut off on the way")
    return Answer(verdict="done", look=look(picture))


def _thumbnail(path: Path) -> Image.Image | None:
    """The small picture that phones put into their HEIC files; milliseconds, where the picture itself takes half a second."""
    try:
        found = _heif().open_heif(path)[0].get_thumbnail(0)
        return Image.frombytes(found.mode, found.size, bytes(found.data), "raw", found.mode, found.stride)
    except Exception:
        return None


@cache
def _heif() -> ModuleType:
    """The HEIC decoder, known to Pillow from now on."""
    import pillow_heif  # noqa: PLC0415 - the web process reads this module's types, and has no use for a decoder

    pillow_heif.register_heif_opener()
    return pillow_heif


def _facts(picture: Image.Image, size: tuple[int, int], found: Answer, tz: str | None) -> Answer:
    # `size` was read before `draft` changed it to that of the reduced picture.
    width, height = size
    tags: exif.Tags = {}
    gps: exif.Tags = {}
    with contextlib.suppress(Exception):
        read = picture.getexif()
        tags = {**read, **read.get_ifd(0x8769)}
        gps = read.get_ifd(0x8825)
    if exif.turned(tags):
        width, height = height, width
    where = exif.coordinates(gps) or (None, None)
    when, source = exif.taken_at(tags, gps, tz=tz)
    return msgspec.structs.replace(
        found,
        width=width,
        height=height,
        taken_at=when,
        taken_at_source=source,
        lat=where[0],
        lon=where[1],
        exif=exif.kept(tags, gps),
    )


def _limit_memory() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _allow_cpu() -> None:
    """Give the next task its own seconds; the limit of the system counts a whole process."""
    with contextlib.suppress(ValueError, OSError):
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_S, resource.RLIM_INFINITY))


def main() -> None:
    """Serve tasks until standard input ends, which it does when the parent dies."""
    # Ctrl-C reaches the whole terminal; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    # Our own limit is checked before any pixel is decoded; Pillow's would hide the size from the message.
    Image.MAX_IMAGE_PIXELS = None
    Image.init()
    _limit_memory()
    for line in sys.stdin.buffer:
        task = msgspec.json.decode(line, type=Task)
        _allow_cpu()
        path = Path(task.path)
        answer = (
            examine(path, tz=task.tz, whole=task.whole)
            if task.to is None
            else render(path, Path(task.to), width=task.width)
        )
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
