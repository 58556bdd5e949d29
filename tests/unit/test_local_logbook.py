"""The children's logs: turned over by size, and read back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.local.logbook import follow, last_lines, open_log


def test_a_full_log_is_turned_over_and_one_old_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    for text in (b"first\n", b"second\n", b"third\n"):
        with open_log(path, full=4) as log:
            log.write(text)
    assert path.read_bytes() == b"third\n"
    assert (tmp_path / "api.log.1").read_bytes() == b"second\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_log_with_room_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    for text in (b"first\n", b"second\n"):
        with open_log(path) as log:
            log.write(text)
    assert last_lines(path, count=5) == ["first", "second"]
    assert last_lines(path, count=1) == ["second"]
    assert last_lines(tmp_path / "none.log") == []


async def test_following_shows_whole_new_lines_with_the_name_in_front(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("old\n")
    shown: asyncio.Queue[str] = asyncio.Queue()
    watching = asyncio.ensure_future(follow(tmp_path, show=shown.put_nowait))
    try:
        # One turn of the loop: the follower's first look is over, it has seen `old`.
        await asyncio.wait_for(asyncio.ensure_future(_append(path)), timeout=60)
        assert await asyncio.wait_for(shown.get(), timeout=60) == "     api | new"
        assert shown.empty()
    finally:
        watching.cancel()


async def _append(path: Path) -> None:
    with path.open("a") as log:
        log.write("new\nhalf")
