"""Pictures for tests, made here: real EXIF, and the ways a file can lie or be broken."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from io import BytesIO

from PIL import Image


def jpeg(
    *,
    size: tuple[int, int] = (1600, 1200),
    lat: object = None,
    lon: object = None,
    taken: str | None = None,
    offset: str | None = None,
    tags: dict[int, object] | None = None,
    gps: dict[int, object] | None = None,
    shade: int = 120,
) -> bytes:
    """A JPEG of random patches around a shade; `lat` and `lon` as EXIF triples of degrees, minutes and seconds (N, E)."""
    exif = Image.Exif()
    for tag, value in (tags or {}).items():
        exif[tag] = value
    details = exif.get_ifd(0x8769)
    if taken:
        details[0x9003] = taken
    if offset:
        details[0x9011] = offset
    place = exif.get_ifd(0x8825)
    if lat is not None:
        place.update({1: "N", 2: lat, 3: "E", 4: lon})
    place.update(gps or {})
    out = BytesIO()
    patches = bytes(min(255, max(0, shade + random.randrange(-25, 26))) for _ in range(9 * 8))
    picture = Image.frombytes("L", (9, 8), patches).resize(size, Image.Resampling.NEAREST).convert("RGB")
    # Some texture, so that half of the bytes are not half of nothing.
    noise = Image.effect_noise((size[0], max(1, size[1] // 4)), 80)
    picture.paste(noise.point([max(0, min(255, level + shade - 128)) for level in range(256)]).convert("RGB"))
    picture.save(out, "JPEG", quality=80, exif=exif)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """Of a PNG, with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(kind: bytes) -> bytes:
    """A good small PNG, one chunk of which unpacks to 100 MB: `iCCP`, `zTXt` or `iTXt`."""
    out = BytesIO()
    Image.new("RGB", (1600, 1200), (90, 90, 90)).save(out, "PNG")
    whole = out.getvalue()
    packed = zlib.compress(bytes(100 * 2**20), 9)
    body = b"name\0\1\0\0\0" + packed if kind == b"iTXt" else b"name\0\0" + packed
    return whole[:33] + chunk(kind, body) + whole[33:]  # behind the signature and IHDR


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (10, 200, 90)]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def long_animation(frames: int) -> bytes:
    """A WebP of so many frames of 64 × 64, each of a few bytes."""
    out = BytesIO()
    Image.new("RGB", (64, 64), (90, 0, 0)).save(out, "WEBP", lossless=True)
    picture = out.getvalue()[12:]
    size = (63).to_bytes(3, "little") * 2
    frame = bytes(6) + size + (40).to_bytes(3, "little") + b"\0" + picture
    extended = _riff(b"VP8X", b"\x02" + bytes(3) + size) + _riff(b"ANIM", bytes(6))
    return _riff(b"RIFF", b"WEBP" + extended + frames * _riff(b"ANMF", frame))


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def noise(width: int, height: int) -> bytes:
    """The dearest JPEG to decode: every coefficient is there. Of 49 megapixels it has 20 MB."""
    out = BytesIO()
    Image.effect_noise((width, height), 120).save(out, "JPEG", quality=45)
    return out.getvalue()


def exif_loop() -> bytes:
    """A good JPEG whose EXIF directories lead to themselves: the sub-directories, and the one that comes next."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005))
    tiff = b"II*\0" + struct.pack("<IH", 8, 3) + entries + struct.pack("<I", 8)
    body = b"Exif\0\0" + tiff
    plain = BytesIO()
    Image.effect_noise((1600, 1200), 80).convert("RGB").save(plain, "JPEG")
    data = plain.getvalue()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


@cache
def heic(
    *, thumbnail: bool, size: tuple[int, int] = (1600, 1200), taken: str | None = None, offset: str | None = None
) -> bytes:
    """A HEIC photo as iPhones make them, with a thumbnail or without; made once, since encoding takes long."""
    import pillow_heif

    with Image.open(BytesIO(jpeg(size=size, taken=taken, offset=offset))) as picture:
        made = pillow_heif.from_pillow(picture.convert("RGB").resize((320, 240)).resize(size))
        made[0].info["exif"] = picture.getexif().tobytes()
    out = BytesIO()
    made.save(out, quality=40, thumbnails=[320] if thumbnail else [])
    return out.getvalue()
