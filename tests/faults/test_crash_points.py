"""Every point at which a process may be hit, times what may hit it there. A point that is not hit is a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.cells import (
    RESUMED_POINTS,
    SETTLE_POINTS,
    SWEEP_POINTS,
    UPLOAD_POINTS,
    WORKER_POINTS,
    Point,
    furnished,
    settle_cell,
    sweep_cell,
    upload_cell,
    worker_cell,
)
from tests.faults.checker import Report
from tests.faults.cluster import Cluster, cluster
from tests.faults.correcting import CLAIM_POINTS, CORRECTION_POINTS, claim_cell, correction_cell

AT_ONCE = 3
FIRST_TIER = ("W4-kill", "C2-kill", "A5-kill", "S1-kill", "U1-kill", "K2-kill")

Run = Callable[[Cluster, Point], Awaitable[Report]]
MATRIX: list[tuple[Run, Point]] = [
    *((worker_cell, point) for point in WORKER_POINTS),
    *((sweep_cell, point) for point in SWEEP_POINTS),
    *((settle_cell, point) for point in SETTLE_POINTS),
    *((upload_cell, point) for point in UPLOAD_POINTS + RESUMED_POINTS),
    *((correction_cell, point) for point in CORRECTION_POINTS),
]


async def run_all(cells: list[tuple[Run, Point]]) -> dict[str, str]:
    """A few at a time; answers what went wrong, by cell."""
    wrong: dict[str, str] = {}
    async with cluster(workers=0, api=False, seconds=1) as house:
        await furnished(house)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(run: Run, point: Point) -> None:
            async with places:
                try:
                    await run(house, point)
                except (AssertionError, TimeoutError) as exc:
                    wrong[str(point)] = "\n".join([str(exc), *getattr(exc, "__notes__", [])])

        await asyncio.gather(*(one(run, point) for run, point in cells))
    return wrong


async def test_a_few_points() -> None:
    assert await run_all([(run, point) for run, point in MATRIX if str(point) in FIRST_TIER]) == {}


@pytest.mark.slow
async def test_a_correction_meets_a_worker_at_its_claim() -> None:
    """By the names of their points these cells are the matrix's own."""
    assert await run_all([(claim_cell, point) for point in CLAIM_POINTS]) == {}


@pytest.mark.slow
async def test_the_whole_matrix() -> None:
    wrong = await run_all(MATRIX)
    print(f"{len(MATRIX)} cells, {len(wrong)} wrong")
    assert wrong == {}
