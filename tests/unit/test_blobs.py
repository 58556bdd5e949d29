from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.core.blobs import ABANDONED_S, Found
from app.core.blobs_local import LocalBlobs
from app.core.errors import StorageUnavailable
from app.core.incoming import RECENT_S
from app.core.renditions import Renditions

DAY_S = 86_400.0


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


async def kept(blobs: LocalBlobs, data: bytes, *, age_s: float) -> Path:
    return aged(blobs.path(await blobs.put(data)), age_s)


async def old(blobs: LocalBlobs) -> list[Found]:
    return [found async for page in blobs.stored(older_s=DAY_S) for found in page]


async def aside(blobs: LocalBlobs) -> list[Found]:
    return [found async for page in blobs.retired() for found in page]


def test_what_a_killed_process_was_writing_is_removed_after_an_hour(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    (tmp_path / "incoming").mkdir()
    for name in ("abandoned", "arriving"):
        (tmp_path / "incoming" / name).write_bytes(b"half a photo")
    abandoned = aged(tmp_path / "incoming" / "abandoned", ABANDONED_S + 60)
    arriving = aged(tmp_path / "incoming" / "arriving", ABANDONED_S - 60)
    assert blobs.remove_abandoned() == 1
    assert (abandoned.exists(), arriving.exists()) == (False, True)


def test_renditions_that_nobody_looks_at_are_removed(tmp_path: Path) -> None:
    async def render(source: Path, to: Path, width: int) -> bool:
        raise AssertionError("not asked for")

    renditions = Renditions(LocalBlobs(tmp_path), render)
    for name in ("old.jpg", "fresh.jpg", "killed.part"):
        (tmp_path / "renditions" / name).write_bytes(b"a small photo")
        aged(tmp_path / "renditions" / name, 60 if name == "fresh.jpg" else 2 * DAY_S)
    assert renditions.remove_unused(older_s=DAY_S) == 2
    assert [path.name for path in (tmp_path / "renditions").iterdir()] == ["fresh.jpg"]


async def test_a_listing_tells_the_old_from_the_young_and_passes_over_strangers(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    orphan = await kept(blobs, b"an orphan", age_s=DAY_S + 60)
    await kept(blobs, b"a young one", age_s=DAY_S - 60)
    orphan.with_name("README").write_bytes(b"not ours")
    aged(orphan.with_name("README"), 2 * DAY_S)
    assert [(found.place, found.size) for found in await old(blobs)] == [(str(orphan), 9)]


async def test_bytes_kept_again_are_young_again(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    await kept(blobs, b"twice", age_s=2 * DAY_S)
    [before] = await old(blobs)
    await blobs.put(b"twice")
    assert await old(blobs) == []
    moved = await blobs.retire(before)
    assert moved is not None
    assert moved.version != before.version


async def test_what_is_moved_aside_is_still_read_until_it_is_destroyed(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    place = await kept(blobs, b"an orphan", age_s=2 * DAY_S)
    [found] = await old(blobs)
    moved = await blobs.retire(found)
    assert moved is not None
    assert moved.version == found.version
    assert (place.exists(), blobs.path(found.sha256).read_bytes()) == (False, b"an orphan")
    assert await blobs.retire(found) is None
    [seen] = await aside(blobs)
    assert (seen.sha256, seen.place) == (found.sha256, moved.place)
    assert seen.age_s < 60
    await blobs.destroy(seen)
    assert (await aside(blobs), blobs.path(found.sha256)) == ([], place)


async def test_what_is_put_back_is_young(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    place = await kept(blobs, b"needed after all", age_s=2 * DAY_S)
    [found] = await old(blobs)
    moved = await blobs.retire(found)
    assert moved is not None
    await blobs.restore(moved)
    await blobs.restore(moved)
    assert place.read_bytes() == b"needed after all"
    assert (await old(blobs), await aside(blobs)) == ([], [])


async def test_a_row_is_made_soon_after_its_bytes_or_not_at_all(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    with blobs.incoming(limit=10) as incoming:
        incoming.demand_recent()
        await incoming.write(b"a photo")
        await blobs.keep(incoming)
        incoming.demand_recent()
        assert incoming.kept_at is not None
        incoming.kept_at -= RECENT_S
        with pytest.raises(StorageUnavailable):
            incoming.demand_recent()
