"""Scenes of a fibre splice closure: sealed on its strand, its open tray, its label."""

from __future__ import annotations

import math
from random import Random

import msgspec
from PIL import Image

from app.local.drawing import HEIGHT, WIDTH, Canvas, Colour, dice

FIBRE_COLOURS: dict[str, Colour] = {
    "blue": (38, 92, 200),
    "orange": (236, 128, 30),
    "green": (40, 150, 70),
    "brown": (124, 78, 44),
    "slate": (118, 126, 134),
    "white": (236, 238, 238),
    "red": (206, 40, 40),
    "black": (44, 46, 50),
    "yellow": (240, 208, 46),
    "violet": (128, 76, 170),
    "rose": (238, 150, 172),
    "aqua": (70, 196, 200),
}
"""The twelve colours of TIA-598, in order."""

_BLACK: Colour = (34, 36, 40)


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """What the pictures of one job have in common."""

    label: str
    model: str
    street: str
    work_order: str
    fibres: int
    losses: tuple[float, ...]
    seed: int


def closure_closed(closure: Closure) -> Image.Image:
    """The sealed closure hanging from its strand, cables and slack loops beside it."""
    rng = dice(closure.seed)
    canvas = Canvas((0, 0, 0))
    canvas.gradient((0, 0, WIDTH, HEIGHT), (104 + rng.randrange(30), 152, 206), (224, 230, 232))
    for x in range(-60, WIDTH, 84):
        tall = rng.uniform(120, 300)
        shade = rng.randrange(26)
        canvas.ellipse((x, HEIGHT - tall, x + 190, HEIGHT + 130), (70 + shade, 104 + shade, 66 + shade))
    canvas.line([(-20, 330), (WIDTH + 20, 372)], (92, 96, 100), 12)
    canvas.line([(-20, 330), (WIDTH + 20, 372)], (168, 172, 176), 4)
    for y in (22, 44):
        canvas.line([(-20, 340 + y), (330, 470 + y * 1.6), (420, 560 + y)], _BLACK, 20)
        canvas.line([(WIDTH + 20, 380 + y), (1290, 480 + y * 1.6), (1180, 560 + y)], _BLACK, 20)
    _dome(canvas)
    for x in (520, 1080):
        canvas.box((x - 16, 344, x + 16, 480), (150, 154, 158), radius=5)
        canvas.ellipse((x - 24, 330, x + 24, 378), (120, 124, 128))
    canvas.box((690, 540, 990, 690), (246, 246, 240), radius=8)
    canvas.text((840, 588), closure.label, (22, 24, 28), 58, bold=1)
    canvas.text((840, 648), "NORTHFIELD FIBRE", (22, 24, 28), 28)
    return canvas.finish()


def tray(closure: Closure) -> Image.Image:
    """The open tray: fibres in their colours, coiled, each splice in its holder."""
    rng = dice(closure.seed + 1)
    canvas = Canvas((60, 64, 68))
    canvas.texture((0, 0, WIDTH, HEIGHT), (44, 48, 52), (88, 92, 96), cells=(220, 160), strength=50)
    canvas.shadow((80, 80, 1560, 1170), blur=36, depth=150)
    canvas.box((110, 110, 1490, 1090), (222, 224, 220), radius=150, outline=(168, 170, 166), width=16)
    canvas.box((170, 170, 1430, 1030), (236, 237, 233), radius=110, outline=(198, 200, 196), width=6)
    colours = list(FIBRE_COLOURS.values())[: min(12, closure.fibres)]
    for index, colour in enumerate(colours):
        inset = 26 + index * 13 + rng.uniform(-3, 3)
        _coil(canvas, (190 + inset, 190 + inset, 1410 - inset, 1010 - inset), colour)
    for end in (540, 1060):
        canvas.box((end - 60, 440, end + 60, 780), (206, 208, 204), radius=10, outline=(170, 172, 168), width=4)
    for index, colour in enumerate(colours):
        y = 462 + index * 27
        canvas.line([(392, y + rng.uniform(-4, 4)), (600, y), (1000, y), (1208, y + rng.uniform(-4, 4))], colour, 5)
        canvas.box((640, y - 9, 960, y + 9), (214, 222, 232), radius=9, outline=(150, 160, 172), width=2)
        canvas.line([(650, y), (950, y)], (120, 126, 134), 3)
    canvas.box((560, 826, 1040, 946), (250, 250, 246), radius=6, outline=(150, 150, 146), width=3)
    canvas.text((800, 862), f"TRAY 1   {closure.work_order}", (30, 32, 36), 40, bold=0.5)
    worst = max(closure.losses, default=0.0)
    canvas.text((800, 914), f"max {worst:.2f} dB   {closure.fibres} F", (30, 32, 36), 36)
    return canvas.finish()


def label(closure: Closure) -> Image.Image:
    """The label close up, with its square code."""
    rng = dice(closure.seed + 2)
    canvas = Canvas(_BLACK)
    canvas.texture((0, 0, WIDTH, HEIGHT), (22, 24, 28), (58, 60, 66), cells=(260, 200), strength=40)
    for x in range(-40, WIDTH, 210):
        canvas.line([(x, 0), (x + 30, HEIGHT)], (20, 21, 24), 26)
        canvas.line([(x + 26, 0), (x + 56, HEIGHT)], (74, 76, 82), 6)
    canvas.shadow((150, 210, 1480, 1010), blur=26, depth=150)
    canvas.box((190, 240, 1410, 960), (246, 245, 236), radius=18, outline=(190, 188, 178), width=4)
    ink = (24, 26, 30)
    canvas.box((190, 240, 1410, 350), (26, 74, 130), radius=18)
    canvas.text((800, 296), "NORTHFIELD FIBRE NETWORK", (250, 250, 250), 54, bold=0.8)
    canvas.text((250, 450), closure.label, ink, 116, anchor="lm", bold=2)
    for row, words in enumerate((closure.model, f"{closure.fibres} fibres", closure.street, closure.work_order)):
        canvas.text((250, 574 + row * 92), words, ink, 56, anchor="lm", bold=0.5)
    _square_code(canvas, (960, 500, 1340, 880), rng)
    return canvas.finish()


def _dome(canvas: Canvas) -> None:
    canvas.box((380, 450, 1220, 760), _BLACK, radius=60)
    canvas.box((400, 466, 1200, 520), (82, 86, 92), radius=26)
    canvas.box((400, 470, 1200, 490), (120, 124, 130), radius=10)
    for x in range(430, 1200, 96):
        canvas.line([(x, 500), (x, 750)], (22, 23, 26), 12)
        canvas.line([(x + 9, 500), (x + 9, 750)], (64, 67, 73), 4)
    for x in (380, 1180):
        canvas.box((x - 20, 470, x + 60, 740), (48, 51, 56), radius=18, outline=(22, 23, 26), width=5)
        canvas.box((x - 4, 560, x + 44, 650), (140, 144, 150), radius=8)


def _coil(canvas: Canvas, box: tuple[float, float, float, float], colour: Colour) -> None:
    left, top, right, bottom = box
    r = min(right - left, bottom - top) / 2.4
    points = [
        (cx + r * math.cos(math.radians(angle)), cy + r * math.sin(math.radians(angle)))
        for cx, cy, start in (
            (right - r, bottom - r, 0),
            (left + r, bottom - r, 90),
            (left + r, top + r, 180),
            (right - r, top + r, 270),
        )
        for angle in range(start, start + 91, 6)
    ]
    points.append(points[0])
    canvas.line([(x + 2, y + 4) for x, y in points], (190, 192, 188), 6)
    canvas.line(points, colour, 5)


def _square_code(canvas: Canvas, box: tuple[float, float, float, float], rng: Random) -> None:
    left, top, right, _ = box
    cells = 25
    size = (right - left) / cells
    corners = ((0, 0), (cells - 7, 0), (0, cells - 7))
    for row in range(cells):
        for column in range(cells):
            finder = next(((x, y) for x, y in corners if x <= column < x + 7 and y <= row < y + 7), None)
            if finder:
                ring = max(abs(column - finder[0] - 3), abs(row - finder[1] - 3))
                dark = ring in (0, 1, 3)
            else:
                dark = rng.random() < 0.48
            if dark:
                x, y = left + column * size, top + row * size
                canvas.box((x, y, x + size, y + size), (20, 20, 22))
