"""The automation service hit at a run's gate: killed, frozen for longer than a lease, its connections lost. One submission.

With a worker of its own, a real portal and real records; what the stand-in cannot show.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Literal

import msgspec
import pytest

from tests.faults.portal_house import LEASE_S, PortalHouse, portal_house

Action = Literal["kill", "stop", "cut"]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    action: Action

    def __str__(self) -> str:
        return f"{self.at}-{self.action}"


ACTIONS: tuple[Action, ...] = ("kill", "stop", "cut")
POINTS = [Point(at=f"R{n}", action=action) for n in range(1, 5) for action in ACTIONS]
FIRST_TIER = [Point(at="R3", action="kill")]


async def visit(house: PortalHouse, point: Point) -> None:
    """One record whose run is hit at this point; a point that is not hit is a failure."""
    action = "kill" if point.action == "kill" else "stop"
    armed = await house.arm(f"{point.at}:{action}")
    await house.send()
    await armed.says("crashpoint")
    if point.action == "kill":
        assert await armed.ended() == -signal.SIGKILL
        await house.arm("")
    else:
        await armed.stopped()
        if point.action == "cut":
            await house.cut()
        else:
            await asyncio.sleep(LEASE_S + 2)
        armed.send(signal.SIGCONT)
    await house.calm()


async def visit_all(points: list[Point]) -> None:
    async with portal_house() as house:
        for point in points:
            await visit(house, point)
        await house.verdict(jobs=len(points))


async def test_one_point() -> None:
    await visit_all(FIRST_TIER)


@pytest.mark.slow
async def test_every_point() -> None:
    await visit_all(POINTS)
