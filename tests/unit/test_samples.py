"""The demo's records: complete, without defects by our own rules, and with photos that carry real EXIF."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from io import BytesIO
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from app.intake.decode import decode
from app.intake.decoders import Decoders
from app.intake.form_defs import bundled
from app.intake.photos import inspect
from app.intake.pixels import distance, look
from app.intake.rules import RuleContext, Site, check
from app.local.drawing import by_hand, dice
from app.local.samples import Sample, samples

NOW = datetime(2026, 5, 4, 15, 0, tzinfo=UTC)
# As the demo project is seeded.
SITE = Site(lat=44.4583, lon=-93.1616, radius_m=8000)


@pytest.fixture(scope="module")
def two() -> list[Sample]:
    return list(samples(2, project="demo", now=NOW, seed=3))


async def test_a_sample_has_no_defects_when_its_photos_are_really_looked_at(two: list[Sample], tmp_path: Path) -> None:
    forms = {form.form_key: form for form in bundled()}
    decoders = Decoders()
    try:
        for sample in two:
            upload = decode(sample.record)
            facts = {}
            for photo in sample.photos:
                (tmp_path / "photo").write_bytes(photo.data)
                sha256 = hashlib.sha256(photo.data).hexdigest()
                facts[photo.name] = await inspect(tmp_path / "photo", decoders=decoders, sha256=sha256)
                assert facts[photo.name].taken_at_source == "offset"
                assert facts[photo.name].lat is not None
            assert {entry.name: entry.sha256 for entry in upload.photos} == {
                name: fact.sha256 for name, fact in facts.items()
            }
            assert check(RuleContext(form=forms[upload.form], upload=upload, photos=facts, site=SITE)) == []
    finally:
        await decoders.aclose()


def test_both_demo_forms_come_up_with_unique_ids_and_work_orders(two: list[Sample]) -> None:
    assert {sample.form for sample in two} == {"pole-replacement", "fibre-splice-closure"}
    assert len({sample.work_order for sample in two}) == 2
    again = next(samples(1, project="demo", now=NOW, seed=3))
    assert decode(again.record).id != decode(two[0].record).id


def test_photos_of_one_scene_are_rarely_copies_of_each_other(two: list[Sample]) -> None:
    """By chance two of a hundred people stand alike."""
    apart = []
    for photo in (photo for sample in two for photo in sample.photos):
        with Image.open(BytesIO(photo.data)) as picture:
            small = picture.convert("RGB").resize((400, 300))
        hashes = [look(by_hand(small, dice(seed))).dhash or 0 for seed in range(8)]
        apart += [distance(one, other) for one, other in combinations(hashes, 2)]
    assert sum(bits <= 4 for bits in apart) < 0.02 * len(apart)


def test_a_drawn_photo_is_large_varied_and_has_its_exif(two: list[Sample]) -> None:
    for photo in two[0].photos:
        with Image.open(BytesIO(photo.data)) as picture:
            assert picture.size == (1600, 1200)
            assert len(picture.resize((64, 64)).getcolors(4096) or []) > 500
            exif = picture.getexif()
            assert exif[0x010F]
            assert {1, 2, 3, 4, 7, 29, 31} <= set(exif.get_ifd(0x8825))
            assert {0x9003, 0x9011} <= set(exif.get_ifd(0x8769))
        assert len(photo.data) < 2_000_000
