"""Crash points are off unless armed, strike once, and only whom they are meant for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from app.core.crashpoints import POINTS, arm, crashpoint


@pytest.fixture
def strikes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[signal.Signals]]:
    """The signals that this process would have sent itself."""
    sent: list[signal.Signals] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(number) if pid == os.getpid() else None)
    yield sent
    arm("")


async def test_unarmed_nothing_happens(strikes: list[signal.Signals]) -> None:
    for name in POINTS:
        await crashpoint(name)
    assert strikes == []


async def test_it_strikes_once_and_only_its_subject(strikes: list[signal.Signals]) -> None:
    arm("W3:kill:job-1")
    await crashpoint("W2", subject="job-1")
    await crashpoint("W3", subject="job-2")
    assert strikes == []
    await crashpoint("W3", subject="job-1")
    await crashpoint("W3", subject="job-1")
    assert strikes == [signal.SIGKILL]


@pytest.mark.parametrize("text", ["W3", "W3:explode", "X9:kill"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CRASHPOINT"):
        arm(text)
