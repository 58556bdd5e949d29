"""What a photo really is: types by their bytes, limits by the header, facts by EXIF, and a decoder that may die."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from app.intake.decoders import DecoderLost, Decoders
from app.intake.photos import PhotoFacts, inspect, sniff
from app.intake.schemas import PhotoKind
from tests.unit import pictures

LAT, LON = (44.0, 27.0, 30.0), (93.0, 9.0, 36.0)


# One loop for the module: its decoders are started once.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def decoders() -> AsyncIterator[Decoders]:
    pool = Decoders()
    yield pool
    await pool.aclose()


async def look(
    decoders: Decoders, at: Path, data: bytes, *, kind: PhotoKind = "photo", tz: str | None = None
) -> PhotoFacts:
    at = at / "stored"
    at.write_bytes(data)
    return await inspect(at, decoders=decoders, kind=kind, tz=tz)


async def test_a_camera_photo_tells_where_and_when(decoders: Decoders, tmp_path: Path) -> None:
    data = pictures.jpeg(
        lat=LAT, lon=LON, taken="2026:05:04 09:30:00", offset="-05:00", tags={0x010F: "Fairphone", 0x013B: "J. Doe"}
    )
    facts = await look(decoders, tmp_path, data)
    assert (facts.sniffed_type, facts.width, facts.height, facts.checks) == ("image/jpeg", 1600, 1200, "done")
    assert (facts.rejected_reason, facts.unreadable_reason) == (None, None)
    assert facts.lat == pytest.approx(44.458333)
    assert facts.lon == pytest.approx(93.16)
    assert (facts.taken_at, facts.taken_at_source) == (datetime(2026, 5, 4, 14, 30, tzinfo=UTC), "offset")
    assert facts.exif["Make"] == "Fairphone"
    assert "J. Doe" not in str(facts.exif)


async def test_without_offset_gps_time_counts_then_the_projects_zone(decoders: Decoders, tmp_path: Path) -> None:
    gps: dict[int, object] = {29: "2026:05:04", 7: (14.0, 30.0, 5.0)}
    by_gps = await look(decoders, tmp_path, pictures.jpeg(taken="2026:05:04 09:30:00", gps=gps), tz="America/Chicago")
    assert (by_gps.taken_at, by_gps.taken_at_source) == (datetime(2026, 5, 4, 14, 30, 5, tzinfo=UTC), "gps")
    by_zone = await look(decoders, tmp_path, pictures.jpeg(taken="2026:05:04 09:30:00"), tz="America/Chicago")
    assert (by_zone.taken_at, by_zone.taken_at_source) == (datetime(2026, 5, 4, 14, 30, tzinfo=UTC), "project_tz")
    unknown = await look(decoders, tmp_path, pictures.jpeg(taken="0000:00:00 00:00:00"), tz="Nowhere/Else")
    assert (unknown.taken_at, unknown.taken_at_source) == (None, "none")


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (10.0, 0.0, 0.0)},
        {2: (44.0, 0.0, 0.0), 4: (10.0, 0.0, 0.0)},
    ],
)
async def test_an_unusable_gps_position_is_absent(decoders: Decoders, tmp_path: Path, gps: dict[int, object]) -> None:
    facts = await look(decoders, tmp_path, pictures.jpeg(gps=gps))
    assert (facts.lat, facts.lon, facts.unreadable_reason) == (None, None, None)


async def test_zero_over_zero_rationals_are_absent(decoders: Decoders, tmp_path: Path) -> None:
    data = pictures.jpeg(lat=(7.0, 7.0, 7.0), lon=LON)
    seven = (7).to_bytes(4, "big") + (1).to_bytes(4, "big")
    little = (7).to_bytes(4, "little") + (1).to_bytes(4, "little")
    assert seven in data or little in data
    facts = await look(decoders, tmp_path, data.replace(seven, bytes(8)).replace(little, bytes(8)))
    assert (facts.lat, facts.lon, facts.checks) == (None, None, "done")


async def test_an_upright_photo_has_upright_sides(decoders: Decoders, tmp_path: Path) -> None:
    facts = await look(decoders, tmp_path, pictures.jpeg(tags={0x0112: 6}))
    assert (facts.width, facts.height) == (1200, 1600)


async def test_hostile_exif_text_is_short_and_plain(decoders: Decoders, tmp_path: Path) -> None:
    facts = await look(
        decoders, tmp_path, pictures.jpeg(tags={0x010F: "A\x07\x1b[31m" + "B" * 9000, 0x0131: "x" * 9000})
    )
    assert facts.exif["Make"] == "A[31m" + "B" * 115
    assert len(str(facts.exif)) < 4096


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html><body>Please sign in to the network</body>", "it is a web page or XML"),
        (b'\n<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "it is a web page or XML"),
        (b"%PDF-1.7 ...", "it is a PDF"),
        (b"GIF89a......", "it is a GIF"),
        (b"PK\x03\x04......", "it is a zip archive"),
        (b"\x7fELF\x02\x01\x01", "it is a program"),
        (b"%!PS-Adobe-3.0 EPSF", "it is PostScript"),
        (b"hello, this is a text file", "it is not an image"),
        (b"\xff\xd8", "it is not an image"),
        (b"", "it is empty"),
    ],
)
async def test_other_files_named_jpg_are_refused(decoders: Decoders, tmp_path: Path, data: bytes, reason: str) -> None:
    facts = await look(decoders, tmp_path, data)
    assert (facts.rejected_reason, facts.sniffed_type) == (reason, None)


@pytest.mark.parametrize(("width", "height"), [(40_000, 40_000), (13_000, 13_000), (30_000, 100)])
async def test_a_bomb_is_refused_by_its_header(decoders: Decoders, tmp_path: Path, width: int, height: int) -> None:
    await look(decoders, tmp_path, pictures.jpeg())
    begun = time.perf_counter()
    facts = await look(decoders, tmp_path, pictures.png_header(width, height))
    assert time.perf_counter() - begun < 1
    assert facts.rejected_reason is not None
    assert f"{width} × {height} pixels" in facts.rejected_reason


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_an_animation_is_refused(decoders: Decoders, tmp_path: Path, kind: str) -> None:
    facts = await look(decoders, tmp_path, pictures.animation(kind))
    assert facts.rejected_reason == "it is an animation of 3 frames"


@pytest.mark.parametrize("keep", [3, 40, 400, 0.2, 0.5, 0.95])
async def test_a_truncated_photo_is_kept_and_unreadable(decoders: Decoders, tmp_path: Path, keep: float) -> None:
    data = pictures.jpeg()
    facts = await look(decoders, tmp_path, data[: int(keep if keep > 1 else keep * len(data))])
    assert facts.rejected_reason is None
    assert facts.unreadable_reason is not None


async def test_a_png_with_a_wrong_checksum_is_unreadable(decoders: Decoders, tmp_path: Path) -> None:
    facts = await look(decoders, tmp_path, pictures.png_header(2000, 1000))
    assert facts.unreadable_reason is not None
    assert (facts.width, facts.height) == (2000, 1000)


async def test_a_large_png_is_left_for_later(decoders: Decoders, tmp_path: Path) -> None:
    facts = await look(decoders, tmp_path, pictures.png_header(5000, 4000))
    assert (facts.checks, facts.width, facts.unreadable_reason) == ("deferred", 5000, None)


async def test_heic_is_judged_by_its_thumbnail_or_later(decoders: Decoders, tmp_path: Path) -> None:
    plain = pictures.heic(thumbnail=False, taken="2026:05:04 09:30:00", offset="-05:00")
    late = await look(decoders, tmp_path, plain)
    assert (late.sniffed_type, late.checks, late.width, late.height) == ("image/heic", "deferred", 1600, 1200)
    assert (late.taken_at_source, late.look, late.dhash) == ("offset", None, None)
    whole = await inspect(tmp_path / "stored", decoders=decoders, whole=True)
    assert whole.checks == "done" and whole.look is not None and whole.look.sharpness is not None
    small = await look(decoders, tmp_path, pictures.heic(thumbnail=True))
    assert small.checks == "done" and small.look is not None
    assert (small.look.sharpness, small.dhash) == (None, small.look.dhash)
    assert small.dhash is not None


async def test_a_damaged_heic_is_unreadable_at_once(decoders: Decoders, tmp_path: Path) -> None:
    for data in (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", pictures.heic(thumbnail=True)[:9_000]):
        facts = await look(decoders, tmp_path, data)
        assert (facts.sniffed_type, facts.checks, facts.rejected_reason) == ("image/heic", "done", None)
        assert facts.unreadable_reason is not None


async def test_what_is_not_decoded_in_time_is_deferred(decoders: Decoders, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(pictures.jpeg())
    facts = await inspect(tmp_path / "photo", decoders=decoders, until=0.0)
    assert (facts.sniffed_type, facts.checks, facts.unreadable_reason) == ("image/jpeg", "deferred", None)


@pytest.mark.parametrize(
    ("kind", "data", "kept"),
    [
        ("redline", b"%PDF-1.4", "application/pdf"),
        ("otdr", b"Map\x00\xc8\x00", "application/octet-stream"),
        ("otdr", b"\x7fELF", None),
        ("otdr", b"<html>", None),
        ("redline", b"Map\x00\xc8\x00", None),
        ("signature", b"%PDF-1.4", None),
    ],
)
async def test_each_kind_takes_its_own_types(
    decoders: Decoders, tmp_path: Path, kind: PhotoKind, data: bytes, kept: str | None
) -> None:
    facts = await look(decoders, tmp_path, data, kind=kind)
    assert facts.sniffed_type == kept
    assert (facts.rejected_reason is None) == (kept is not None)


async def test_other_brands_of_the_heif_container_are_no_photos() -> None:
    assert sniff(b"\x00\x00\x00\x18ftypmp42") is None
    assert sniff(b"RIFF\x10\x00\x00\x00WAVE") is None


async def test_the_decoder_is_limited(decoders: Decoders, tmp_path: Path) -> None:
    await look(decoders, tmp_path, pictures.jpeg())
    soft, _ = resource.prlimit(_only_child(decoders), resource.RLIMIT_AS)
    seconds, _ = resource.prlimit(_only_child(decoders), resource.RLIMIT_CPU)
    assert soft == 512 * 2**20
    assert 0 < seconds < 30


async def test_a_killed_idle_decoder_costs_nothing(decoders: Decoders, tmp_path: Path) -> None:
    await look(decoders, tmp_path, pictures.jpeg())
    os.kill(_only_child(decoders), signal.SIGKILL)
    facts = await look(decoders, tmp_path, pictures.jpeg())
    assert facts.unreadable_reason is None


async def test_a_photo_that_hangs_its_decoder_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(pictures.jpeg())
    os.mkfifo(tmp_path / "hangs")
    pool = Decoders(size=1, deadline_s=5)
    try:
        with pytest.raises(DecoderLost):
            await pool.examine(tmp_path / "hangs")
        assert (await pool.examine(tmp_path / "good")).verdict == "done"
    finally:
        await pool.aclose()


async def test_a_lost_decoder_marks_the_photo_as_failed(tmp_path: Path) -> None:
    pool = Decoders(deadline_s=0.0)
    facts = await look(pool, tmp_path, pictures.jpeg())
    assert (facts.checks, facts.rejected_reason) == ("failed", None)
    assert facts.unreadable_reason is not None
    await pool.aclose()


async def test_an_abandoned_request_does_not_answer_the_next(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(pictures.jpeg(size=(800, 600)))
    os.mkfifo(tmp_path / "hangs")
    pool = Decoders(size=1, deadline_s=60)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await pool.examine(tmp_path / "hangs")
        assert (await pool.examine(tmp_path / "good")).width == 800
    finally:
        await pool.aclose()


async def test_a_rendition_is_upright_small_and_without_exif(decoders: Decoders, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(pictures.jpeg(lat=LAT, lon=LON, tags={0x0112: 6}))
    answer = await decoders.render(tmp_path / "in", tmp_path / "out.jpg", width=640)
    assert (answer.verdict, answer.width, answer.height) == ("done", 640, 853)
    with Image.open(tmp_path / "out.jpg") as rendition:
        assert rendition.size == (640, 853)
        assert not rendition.getexif()


def _only_child(decoders: Decoders) -> int:
    (child,) = decoders.pids()
    return child
