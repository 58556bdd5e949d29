"""What happens to which attempt: decided by the seed alone, so that a run can be repeated. Acts on processes, knows no jobs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from random import Random
from typing import Literal

import msgspec

Kind = Literal["kill", "stop", "runner"]

STORMY = 6
"""Strikes are for a record's first attempts: what never calms down never ends."""
_EARLIEST_S, _LATEST_S = 0.1, 2.5
"""A run takes two to three seconds at the speed of the torture, so that a strike may fall into any part of it."""
_KINDS: tuple[Kind, ...] = ("kill", "stop", "runner")
_WEIGHTS = (55, 30, 15)
_FROZEN_S = 15.0
_LOOK_S = 0.2
_PATIENCE = 60


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """`after_s` from the attempt's begin; a stopped process is continued `thaw_s` after another attempt began."""

    kind: Kind
    after_s: float
    thaw_s: float


class Tally(msgspec.Struct, kw_only=True):
    """What one half has been through."""

    attempts: int = 0
    kills: int = 0
    stops: int = 0
    runner_kills: int = 0


class Chaos:
    """`kill` is the probability that an attempt is struck."""

    def __init__(self, *, seed: int, kill: float) -> None:
        self._seed = seed
        self._kill = kill
        self._stopped: set[int] = set()

    def strike(self, subject: str, attempt: int) -> Strike | None:
        """What this attempt has coming."""
        dice = Random(f"{self._seed} {subject} {attempt}")  # noqa: S311 nothing here is secret
        if attempt > STORMY or dice.random() >= self._kill:
            return None
        return Strike(
            kind=dice.choices(_KINDS, _WEIGHTS)[0],
            after_s=dice.uniform(_EARLIEST_S, _LATEST_S),
            thaw_s=dice.uniform(0.1, 2.0),
        )

    async def carry_out(
        self,
        strike: Strike,
        tally: Tally,
        *,
        process: int,
        runner: Callable[[], int | None],
        goes_on: Callable[[], bool],
        overtaken: asyncio.Event,
    ) -> None:
        """Strike, unless the attempt has ended before its time; `overtaken` is set when another attempt has begun."""
        await asyncio.sleep(strike.after_s)
        if not goes_on():
            return
        if strike.kind == "kill":
            tally.kills += _send(process, signal.SIGKILL)
        elif strike.kind == "stop":
            await self._freeze(process, tally, overtaken=overtaken, thaw_s=strike.thaw_s)
        else:
            await self._kill_runner(tally, runner=runner)

    async def _kill_runner(self, tally: Tally, *, runner: Callable[[], int | None]) -> None:
        """As soon as every job bears the loss of its run, or not at all."""
        for _ in range(_PATIENCE):
            if (pid := runner()) is not None:
                tally.runner_kills += _send(pid, signal.SIGKILL)
                return
            await asyncio.sleep(_LOOK_S)

    async def _freeze(self, process: int, tally: Tally, *, overtaken: asyncio.Event, thaw_s: float) -> None:
        tally.stops += _send(process, signal.SIGSTOP)
        self._stopped.add(process)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(overtaken.wait(), _FROZEN_S)
            await asyncio.sleep(thaw_s)
        finally:
            self._stopped.discard(process)
            _send(process, signal.SIGCONT)

    def calm(self) -> None:
        """Nobody stays stopped."""
        for process in list(self._stopped):
            _send(process, signal.SIGCONT)
        self._stopped.clear()


def _send(process: int, number: signal.Signals) -> bool:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True
