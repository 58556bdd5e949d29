"""What a picture's pixels tell, from pictures drawn here: light, clipping, sharpness, and a hash that copies share."""

from __future__ import annotations

import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from app.intake.decoding import examine
from app.intake.pixels import Look, distance, look


def scene(seed: int, size: tuple[int, int] = (2000, 1500)) -> Image.Image:
    """Patches of many sizes with hard edges, as equipment in daylight has them."""
    rng = random.Random(seed)
    picture = Image.new("L", size, 110)
    for _ in range(160):
        x, y, side = rng.randrange(size[0]), rng.randrange(size[1]), rng.randrange(20, 400)
        picture.paste(rng.randrange(20, 235), (x, y, x + side, y + side // 2))
    return picture


@pytest.fixture(scope="module")
def sharp() -> Image.Image:
    return scene(1)


def test_light_and_clipping() -> None:
    grey = look(Image.new("RGB", (640, 480), (100, 100, 100)))
    assert (grey.luma, grey.black, grey.white, grey.sharpness, grey.dhash) == (100, 0, 0, 0, None)
    night = Image.new("L", (400, 400), 0)
    night.paste(255, (0, 0, 100, 400))
    assert (look(night).black, look(night).white) == (0.75, 0.25)


def test_blur_takes_the_sharpness_below_the_border(sharp: Image.Image) -> None:
    radii = [0, 2, 6, 12, 25]
    values = [look(sharp.filter(ImageFilter.GaussianBlur(radius))).sharpness or 0.0 for radius in radii]
    assert values == sorted(values, reverse=True)
    assert values[0] > 240
    assert values[-1] < 60


COPIES: list[Callable[[Image.Image], Image.Image]] = [
    lambda picture: picture.resize((1000, 750)),
    lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    lambda picture: ImageEnhance.Contrast(picture).enhance(0.8),
    lambda picture: _saved(picture, quality=30),
]


def _saved(picture: Image.Image, *, quality: int) -> Image.Image:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(out)


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_keeps_its_hash(copied: Callable[[Image.Image], Image.Image], sharp: Image.Image) -> None:
    one, other = look(sharp).dhash, look(copied(sharp)).dhash
    assert one is not None and other is not None
    assert distance(one, other) <= 4


def test_other_scenes_have_other_hashes() -> None:
    hashes = [look(scene(seed, (800, 600))).dhash for seed in range(30)]
    assert None not in hashes
    apart = [distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n] if a is not None and b is not None]
    assert min(apart) > 8
    assert all(-(2**63) <= h < 2**63 for h in hashes if h is not None)


def test_hashes_are_compared_bit_by_bit_across_the_sign() -> None:
    assert distance(-1, 0) == 64
    assert distance(-(2**63), 0) == 1
    assert distance(-1, -2) == 1


@pytest.mark.parametrize("size", [(1, 1), (2, 600), (600, 2), (3, 3), (9, 8)])
def test_no_shape_is_too_small(size: tuple[int, int]) -> None:
    assert look(Image.effect_noise(size, 60)).luma >= 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_of_a_picture_is_measured(mode: str, sharp: Image.Image) -> None:
    assert isinstance(look(sharp.resize((300, 200)).convert(mode)), Look)


def test_a_jpeg_is_measured_while_it_is_proven_whole(sharp: Image.Image, tmp_path: Path) -> None:
    sharp.save(tmp_path / "photo.jpg", quality=90)
    answer = examine(tmp_path / "photo.jpg", tz=None)
    whole = look(sharp)
    assert answer.verdict == "done" and answer.look is not None
    assert answer.look.luma == pytest.approx(whole.luma, abs=1)
    assert answer.look.dhash is not None and whole.dhash is not None
    assert distance(answer.look.dhash, whole.dhash) <= 2
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:20_000])
    assert examine(tmp_path / "cut.jpg", tz=None).look is None
