"""What a picture looks like, in five numbers: its light, what is clipped, how sharp it is, and a hash that copies share.

Called in the decoding process only, on a picture that is already small.
"""

from __future__ import annotations

import msgspec
from PIL import Image, ImageFilter, ImageStat

EDGE_PX = 512
_BLACK = 4
_WHITE = 251
_FLAT = 2.0
_LAPLACE = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`luma` is the mean of 0 to 255, `black` and `white` are shares of clipped pixels, `sharpness` is the variance of the
    Laplacian; all at 512 px on the long edge. `sharpness` is null for a smaller picture that stands for a larger one, and
    `dhash` for one without any drawing."""

    luma: float
    black: float
    white: float
    sharpness: float | None
    dhash: int | None


def look(picture: Image.Image, *, thumbnail: bool = False) -> Look:
    """Measure a decoded picture, or the thumbnail of one."""
    grey = picture if picture.mode == "L" else picture.convert("L")
    if max(grey.size) > EDGE_PX:
        grey = grey.copy()
        grey.thumbnail((EDGE_PX, EDGE_PX))
    levels = grey.histogram()
    pixels = sum(levels)
    return Look(
        luma=round(ImageStat.Stat(grey).mean[0], 1),
        black=round(sum(levels[: _BLACK + 1]) / pixels, 3),
        white=round(sum(levels[_WHITE:]) / pixels, 3),
        sharpness=None if thumbnail else round(_sharpness(grey), 1),
        dhash=_dhash(grey),
    )


def distance(one: int, other: int) -> int:
    """How many of the 64 bits of two hashes differ."""
    return ((one ^ other) & (2**64 - 1)).bit_count()


def _sharpness(grey: Image.Image) -> float:
    width, height = grey.size
    if width < 3 or height < 3:
        return 0.0
    # The filter leaves the outermost pixels as they were.
    return ImageStat.Stat(grey.filter(_LAPLACE).crop((1, 1, width - 1, height - 1))).var[0]


def _dhash(grey: Image.Image) -> int | None:
    """Difference hash: 64 bits, each whether the light falls from one of 9 × 8 cells to the next; as Postgres' bigint.

    Of cells that hardly differ the bits would be noise, and any two such pictures might be called copies.
    """
    cells = grey.resize((9, 8), Image.Resampling.BOX)
    if ImageStat.Stat(cells).stddev[0] < _FLAT:
        return None
    row = cells.tobytes()
    bits = 0
    for y in range(8):
        for x in range(8):
            bits = bits << 1 | (row[9 * y + x] > row[9 * y + x + 1])
    return bits - 2**64 if bits >= 2**63 else bits
