"""The log of an attempt: its own lines only, messages without their fields, the latest within bounds."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tasks.attempt_log import BYTES, LINES, AttemptLog, collecting, so_far

log = logging.getLogger("asbuilt.worker")


@pytest.fixture(autouse=True)
def level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "asbuilt")


def test_a_line_has_a_time_a_level_a_key_and_a_message_and_no_fields() -> None:
    with collecting():
        log.warning("the portal %s", "has changed", extra={"event": "run.drift", "field": "secret value"})
        at, level, event, message = so_far().split(" ", 3)
    assert at.endswith("Z")
    assert (level, event, message) == ("warning", "run.drift", "the portal has changed")


async def test_attempts_side_by_side_each_have_their_own_lines_and_those_of_their_tasks() -> None:
    async def attempt(name: str) -> str:
        with collecting() as lines:
            log.info("begins %s", name)
            await asyncio.gather(*(asyncio.create_task(helper(name, n)) for n in range(3)))
            return lines.text()

    async def helper(name: str, n: int) -> None:
        await asyncio.sleep(0)
        log.info("helps %s %s", name, n)

    texts = await asyncio.gather(*(attempt(name) for name in "ab"))
    for name, text in zip("ab", texts, strict=True):
        assert [line.split(" ", 3)[3] for line in text.splitlines()] == [
            f"begins {name}", *(f"helps {name} {n}" for n in range(3)),
        ]  # fmt: skip
    log.info("nobody's")
    assert so_far() == ""


def test_other_peoples_loggers_are_not_kept() -> None:
    with collecting():
        logging.getLogger("httpx").error("POST https://portal.example/?token=1")
        assert so_far() == ""


@pytest.mark.parametrize("line", ["x", "y" * 300, "é" * 5000, "\0bad\nlines\r", "\ud800"])
def test_it_is_bounded_keeps_the_latest_and_can_be_stored(line: str) -> None:
    lines = AttemptLog()
    for n in range(3 * LINES):
        lines.add(f"{n} {line}")
    text = lines.text()
    kept = text.split("\n")
    assert len(kept) <= LINES
    assert len(text.encode()) <= BYTES
    assert "\0" not in text
    assert kept[-1].startswith(f"{3 * LINES - 1} ")
    dropped = 3 * LINES - (len(kept) - 1)
    assert kept[0] == f"… {dropped} earlier lines are left out"
    assert kept[1].startswith(f"{dropped} ")
