"""Drawn pictures: a canvas that smooths its edges, a few materials, and the finished JPEG with a phone's EXIF.

Made for the demo only; nothing here reads a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from random import Random

import msgspec
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

WIDTH, HEIGHT = 1600, 1200
# Drawn larger and reduced at the end: that is what smooths the edges.
_SCALE = 2

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a photo was taken, as a phone would note it; `at` carries its UTC offset."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float
    make: str
    model: str


class Canvas:
    """1600 × 1200 in coordinates of that size, whatever it is drawn at."""

    def __init__(self, background: Colour) -> None:
        self.image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), background)
        self._draw = ImageDraw.Draw(self.image)

    def gradient(self, box: Box, top: Colour, bottom: Colour) -> None:
        left, upper, right, lower = (round(side * _SCALE) for side in box)
        size = (right - left, lower - upper)
        ramp = Image.linear_gradient("L").resize(size)
        self.image.paste(ImageOps.colorize(ramp, top, bottom), (left, upper))

    def texture(self, box: Box, dark: Colour, light: Colour, *, cells: tuple[int, int], strength: float = 60) -> None:
        """Fill with random blotches of `cells` across and down: few across and many down is grain, even is ground."""
        left, upper, right, lower = (round(side * _SCALE) for side in box)
        noise = Image.effect_noise(cells, strength).resize((right - left, lower - upper), Image.Resampling.BICUBIC)
        self.image.paste(ImageOps.colorize(noise, dark, light), (left, upper))

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        self._draw.line(_scaled(points), colour, max(1, round(width * _SCALE)), joint="curve")

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon(_scaled(points), colour)

    def box(
        self, box: Box, colour: Colour, *, radius: float = 0, outline: Colour | None = None, width: float = 0
    ) -> None:
        self._draw.rounded_rectangle(_scaled_box(box), radius * _SCALE, colour, outline, round(width * _SCALE))

    def ellipse(self, box: Box, colour: Colour | None, *, outline: Colour | None = None, width: float = 0) -> None:
        self._draw.ellipse(_scaled_box(box), colour, outline, round(width * _SCALE))

    def arc(self, box: Box, start: float, end: float, colour: Colour, width: float) -> None:
        self._draw.arc(_scaled_box(box), start, end, colour, round(width * _SCALE))

    def text(self, at: Point, words: str, colour: Colour, size: float, *, anchor: str = "mm", bold: float = 0) -> None:
        font = ImageFont.load_default(size * _SCALE)
        where = (at[0] * _SCALE, at[1] * _SCALE)
        self._draw.text(where, words, colour, font, anchor=anchor, stroke_width=bold * _SCALE, stroke_fill=colour)

    def shadow(self, box: Box, *, blur: float, depth: int) -> None:
        """Darken softly under something that lies on the surface."""
        mask = Image.new("L", (WIDTH, HEIGHT))
        ImageDraw.Draw(mask).ellipse(box, depth)
        mask = mask.filter(ImageFilter.GaussianBlur(blur)).resize(self.image.size)
        self.image.paste((0, 0, 0), mask=mask)

    def finish(self) -> Image.Image:
        """Reduce, darken the corners as a lens does, and add the grain of a small sensor."""
        picture = self.image.reduce(_SCALE)
        corners = ImageOps.invert(Image.radial_gradient("L")).point(lambda value: min(255, 165 + value))
        lens = Image.merge("RGB", [corners.resize(picture.size)] * 3)
        grain = Image.merge("RGB", [Image.effect_noise(picture.size, 14)] * 3)
        return ImageChops.add(ImageChops.multiply(picture, lens), grain, scale=1, offset=-128)


def dice(seed: int) -> Random:
    """Chance that falls the same way for the same seed, so that the photos of one job agree."""
    return Random(seed)  # noqa: S311 nothing here is secret


def by_hand(picture: Image.Image, chance: Random) -> Image.Image:
    """The same scene from where somebody happened to stand: nearer, and a little askew.

    Two tags of one make differ in a few letters, and by the rules their photos from one spot would be copies of each other.
    """
    width, height = picture.size

    def inwards() -> tuple[float, float]:
        return chance.uniform(0, 0.2) * width, chance.uniform(0, 0.2) * height

    (a, b), (c, d), (e, f), (g, i) = (inwards() for _ in range(4))
    seen = (a, b, c, height - d, width - e, height - f, width - g, i)
    return picture.transform(picture.size, Image.Transform.QUAD, seen, Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, taken: Taken) -> bytes:
    """The picture as a phone would store it, with EXIF 2.32 including the GPS directory."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = taken.make, taken.model, "Asbuilt demo camera"
    exif[0x0112] = 1
    stamp = taken.at.strftime("%Y:%m:%d %H:%M:%S")
    exif[0x0132] = stamp
    offset = taken.at.strftime("%z")
    exif.get_ifd(0x8769).update(
        {0x9003: stamp, 0x9004: stamp, 0x9011: f"{offset[:3]}:{offset[3:5]}", 0x9000: b"0232", 0x829D: 1.8, 0x920A: 5.6}
    )
    utc = taken.at.astimezone(UTC)
    exif.get_ifd(0x8825).update(
        {
            1: "N" if taken.lat >= 0 else "S",
            2: _degrees(taken.lat),
            3: "E" if taken.lon >= 0 else "W",
            4: _degrees(taken.lon),
            7: (float(utc.hour), float(utc.minute), float(utc.second)),
            29: utc.strftime("%Y:%m:%d"),
            31: taken.accuracy_m,
        }
    )
    out = BytesIO()
    picture.save(out, "JPEG", quality=82, exif=exif)
    return out.getvalue()


def _degrees(value: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(round(abs(value) * 3600, 3), 60)
    degrees, minutes = divmod(minutes, 60)
    return float(degrees), float(minutes), round(seconds, 3)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * _SCALE, y * _SCALE) for x, y in points]


def _scaled_box(box: Box) -> Box:
    left, upper, right, lower = box
    return (left * _SCALE, upper * _SCALE, right * _SCALE, lower * _SCALE)
