"""Scenes of a pole replacement: the whole pole from the road, its tag, its base, the earth test."""

from __future__ import annotations

import math
from random import Random

import msgspec
from PIL import Image

from app.local.drawing import HEIGHT, WIDTH, Canvas, Colour, dice

_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((84, 140, 200), (214, 228, 236)),
    ((120, 140, 160), (208, 214, 216)),
    ((70, 110, 170), (246, 214, 170)),
    ((60, 128, 210), (190, 220, 244)),
)
_WOODS: tuple[tuple[Colour, Colour], ...] = (
    ((74, 52, 34), (150, 112, 76)),
    ((92, 80, 66), (168, 152, 130)),
    ((62, 48, 36), (128, 98, 70)),
)
_STEEL: tuple[Colour, Colour] = ((110, 116, 120), (190, 196, 200))
_WIRE: Colour = (38, 40, 44)


class Pole(msgspec.Struct, frozen=True, kw_only=True):
    """What the pictures of one job have in common."""

    tag: str
    street: str
    height_ft: int
    pole_class: str
    material: str
    earth_ohm: float
    seed: int


def full_pole(pole: Pole) -> Image.Image:
    """The whole pole with crossarm, insulators and wires, from across the road."""
    rng = dice(pole.seed)
    canvas = Canvas((0, 0, 0))
    _landscape(canvas, rng)
    x = 690 + rng.randrange(240)
    top, foot = 130.0, 985.0
    canvas.shadow((x - 40, foot - 14, x + 330, foot + 34), blur=16, depth=130)
    _trunk(canvas, pole, x, top, foot, width=34)
    _crossarm(canvas, x, top + 60, rng)
    if rng.random() < 0.6:
        _transformer(canvas, x + 58, top + 190)
    canvas.box((x - 12, 760, x + 12, 786), (196, 200, 204), radius=2)
    _truck(canvas, 150 + rng.randrange(120) if x > 800 else 1130 + rng.randrange(120))
    return canvas.finish()


def tag(pole: Pole) -> Image.Image:
    """The tag close up; its number can be read."""
    rng = dice(pole.seed + 1)
    dark, light = _colours(pole)
    canvas = Canvas(dark)
    canvas.texture((0, 0, WIDTH, HEIGHT), dark, light, cells=(210, 5), strength=75)
    for _ in range(9):
        x, y = rng.randrange(WIDTH), rng.randrange(-200, HEIGHT)
        canvas.line(
            [(x, y), (x + rng.randrange(-8, 9), y + rng.randrange(180, 700))], (40, 30, 22), rng.uniform(1.5, 5)
        )
    canvas.shadow((360, 210, 1270, 1030), blur=30, depth=150)
    canvas.box((390, 220, 1210, 980), (188, 192, 196), radius=26, outline=(120, 124, 128), width=6)
    canvas.box((420, 250, 1180, 950), (204, 207, 210), radius=16, outline=(150, 154, 158), width=3)
    for x, y in ((800, 276), (800, 924)):
        canvas.ellipse((x - 17, y - 17, x + 17, y + 17), (96, 98, 100))
        canvas.ellipse((x - 11, y - 13, x + 9, y + 7), (150, 152, 154))
    ink = (34, 38, 44)
    canvas.text((800, 362), "NORTHFIELD POWER & LIGHT", ink, 46, bold=0.7)
    canvas.line([(470, 412), (1130, 412)], ink, 4)
    canvas.text((800, 552), pole.tag, ink, 150, bold=2.4)
    canvas.text((800, 716), f"{pole.height_ft} FT    CLASS {pole.pole_class}", ink, 72, bold=1)
    canvas.text((800, 826), f"{pole.material.upper()}  2026", ink, 50, bold=0.6)
    return canvas.finish()


def base(pole: Pole) -> Image.Image:
    """The foot of the pole in fresh backfill, with a levelling staff beside it."""
    rng = dice(pole.seed + 2)
    canvas = Canvas((80, 90, 60))
    canvas.texture((0, 0, WIDTH, 420), (62, 84, 46), (146, 164, 98), cells=(300, 60), strength=70)
    canvas.texture((0, 400, WIDTH, HEIGHT), (66, 78, 40), (134, 146, 84), cells=(170, 70), strength=80)
    for _ in range(900):
        x, y = rng.randrange(WIDTH), rng.randrange(90, HEIGHT)
        blade, green = 10 + (y / HEIGHT) * 38, rng.randrange(60, 120)
        canvas.line([(x, y), (x + rng.uniform(-9, 9), y - blade)], (green - 10, green + 34, green - 30), 2)
    canvas.ellipse((250, 700, 1350, 1110), (96, 78, 58))
    for _ in range(1500):
        angle, far = rng.uniform(0, math.tau), math.sqrt(rng.random())
        across, down = 800 + 530 * far * math.cos(angle), 905 + 190 * far * math.sin(angle)
        size, grey = rng.uniform(3, 13), rng.randrange(84, 176)
        stone = (across - size, down - size * 0.7, across + size, down + size * 0.7)
        canvas.ellipse(stone, (grey, grey - 8, grey - 20))
    canvas.shadow((560, 830, 1230, 1010), blur=34, depth=170)
    _trunk(canvas, pole, 800, -20, 900, width=300)
    canvas.ellipse((650, 862, 950, 938), _colours(pole)[0])
    _staff(canvas, 1120)
    return canvas.finish()


def earth(pole: Pole) -> Image.Image:
    """The earth tester on the ground, its reading visible."""
    rng = dice(pole.seed + 3)
    canvas = Canvas((90, 84, 74))
    canvas.texture((0, 0, WIDTH, HEIGHT), (74, 66, 54), (156, 142, 118), cells=(190, 140), strength=70)
    canvas.shadow((330, 190, 1320, 1120), blur=44, depth=160)
    canvas.box((400, 130, 1200, 1060), (214, 170, 30), radius=60, outline=(150, 116, 14), width=10)
    canvas.box((450, 180, 1150, 1010), (46, 48, 52), radius=36)
    canvas.box((520, 240, 1080, 520), (176, 196, 164), radius=14, outline=(20, 22, 24), width=8)
    canvas.text((1000, 380), f"{pole.earth_ohm:.1f}", (24, 32, 26), 190, anchor="rm", bold=3)
    canvas.text((1040, 456), "ohm", (24, 32, 26), 30, bold=0.6)
    canvas.text((560, 272), "EARTH  3P", (40, 52, 42), 34, anchor="lm")
    canvas.ellipse((650, 590, 950, 890), (28, 30, 33), outline=(96, 98, 102), width=6)
    angle = rng.uniform(-2.4, -0.9)
    canvas.line([(800, 740), (800 + 122 * math.cos(angle), 740 + 122 * math.sin(angle))], (236, 236, 232), 14)
    for step, words in enumerate(("OFF", "3P", "4P", "AC V")):
        at = math.radians(-160 + step * 46)
        canvas.text((800 + 196 * math.cos(at), 740 + 196 * math.sin(at)), words, (220, 220, 214), 28)
    for x, colour in ((540, (190, 40, 34)), (800, (40, 140, 60)), (1060, (40, 80, 180))):
        canvas.ellipse((x - 30, 916, x + 30, 976), colour, outline=(16, 16, 18), width=6)
        canvas.line([(x, 950), (x + (x - 800) * 0.3, 1080), (x + (x - 800) * 0.9, 1230)], colour, 16)
    return canvas.finish()


def _colours(pole: Pole) -> tuple[Colour, Colour]:
    return _STEEL if pole.material == "Steel" else _WOODS[pole.seed % len(_WOODS)]


def _landscape(canvas: Canvas, rng: Random) -> None:
    canvas.gradient((0, 0, WIDTH, 860), *rng.choice(_SKIES))
    for _ in range(rng.randrange(3, 7)):
        x, y = rng.randrange(WIDTH), rng.randrange(60, 420)
        for _ in range(9):
            dx, dy, r = rng.uniform(-130, 130), rng.uniform(-18, 18), rng.uniform(24, 60)
            canvas.ellipse((x + dx - r * 1.8, y + dy - r * 0.5, x + dx + r * 1.8, y + dy + r * 0.5), (232, 236, 240))
    hills = [
        (x, 800 - 70 * math.sin(x / 260 + rng.random() / 9) - 20 * math.sin(x / 77)) for x in range(0, WIDTH + 40, 40)
    ]
    canvas.polygon([(0, 900), *hills, (WIDTH, 900)], (112, 134, 128))
    for x in range(-20, WIDTH, 46):
        tall = rng.uniform(50, 120)
        canvas.ellipse((x, 850 - tall, x + 90, 900), (58 + rng.randrange(24), 88 + rng.randrange(24), 54))
    canvas.texture((0, 860, WIDTH, 1020), (84, 110, 58), (152, 168, 96), cells=(260, 40), strength=70)
    canvas.texture((0, 1010, WIDTH, HEIGHT), (78, 80, 84), (112, 114, 118), cells=(320, 120), strength=60)
    for x in range(-80 + rng.randrange(120), WIDTH, 340):
        canvas.polygon([(x, 1112), (x + 180, 1112), (x + 170, 1128), (x - 14, 1128)], (222, 206, 120))
    canvas.line([(0, 1016), (WIDTH, 1016)], (206, 206, 200), 5)


def _trunk(canvas: Canvas, pole: Pole, x: float, top: float, foot: float, *, width: float) -> None:
    dark, light = _colours(pole)
    half = width / 2
    canvas.texture((x - half, top, x + half, foot), dark, light, cells=(max(6, int(width / 4)), 4), strength=70)
    canvas.line([(x - half, top), (x - half, foot)], dark, width * 0.09)
    canvas.line([(x + half * 0.86, top), (x + half * 0.86, foot)], dark, width * 0.16)
    canvas.line([(x - half * 0.3, top), (x - half * 0.3, foot)], light, width * 0.05)


def _crossarm(canvas: Canvas, x: float, y: float, rng: Random) -> None:
    canvas.line([(x - 15, y + 118), (x - 120, y + 12)], (86, 90, 94), 6)
    canvas.line([(x + 15, y + 118), (x + 120, y + 12)], (86, 90, 94), 6)
    canvas.box((x - 240, y - 12, x + 240, y + 14), (98, 76, 54), radius=3)
    sag = rng.uniform(50, 90)
    for offset in (-220, -120, 120, 220):
        at = x + offset
        canvas.box((at - 7, y - 42, at + 7, y - 10), (120, 88, 70))
        for ring in range(3):
            canvas.ellipse((at - 16, y - 50 + ring * 11, at + 16, y - 38 + ring * 11), (150, 110, 88))
        for end in (-60, WIDTH + 60):
            span = [(at + (end - at) * t / 20, y - 50 + sag * 4 * (t / 40) * (1 - t / 40)) for t in range(21)]
            canvas.line(span, _WIRE, 2.4)


def _transformer(canvas: Canvas, x: float, y: float) -> None:
    canvas.box((x - 44, y, x + 44, y + 150), (150, 158, 160), radius=12)
    canvas.box((x - 44, y + 8, x - 20, y + 146), (178, 186, 188), radius=10)
    canvas.ellipse((x - 44, y - 14, x + 44, y + 16), (168, 176, 178))
    for offset in (-20, 20):
        canvas.box((x + offset - 6, y - 46, x + offset + 6, y - 4), (120, 88, 70), radius=5)
    canvas.text((x + 4, y + 88), "25", (40, 44, 48), 40, bold=0.6)


def _truck(canvas: Canvas, x: float) -> None:
    canvas.shadow((x - 20, 1024, x + 330, 1070), blur=12, depth=150)
    canvas.box((x, 900, x + 300, 1020), (236, 238, 236), radius=12)
    canvas.polygon([(x + 216, 900), (x + 226, 838), (x + 286, 838), (x + 300, 900)], (236, 238, 236))
    canvas.polygon([(x + 230, 896), (x + 238, 850), (x + 278, 850), (x + 290, 896)], (72, 92, 108))
    canvas.box((x, 958, x + 300, 974), (226, 120, 30))
    canvas.line([(x + 30, 900), (x + 120, 804), (x + 206, 884)], (226, 168, 40), 16)
    canvas.box((x + 190, 862, x + 232, 900), (226, 168, 40), radius=4)
    for wheel in (62, 238):
        canvas.ellipse((x + wheel - 38, 984, x + wheel + 38, 1060), (30, 32, 34))
        canvas.ellipse((x + wheel - 17, 1005, x + wheel + 17, 1039), (150, 152, 154))


def _staff(canvas: Canvas, x: float) -> None:
    canvas.box((x - 26, 60, x + 26, 1000), (240, 236, 214), radius=4, outline=(60, 60, 56), width=3)
    for mark in range(46):
        y = 980 - mark * 20
        canvas.line(
            [(x - 26, y), (x - (0 if mark % 5 == 0 else 12), y)], (190, 30, 26) if mark % 10 < 5 else (24, 24, 24), 6
        )
        if mark % 10 == 0:
            canvas.text((x + 10, y - 16), str(mark // 10), (24, 24, 24), 34, bold=0.8)
