"""From the commit of a job to its worker's first statement, on an idle system: what a person waits before anything moves."""

from __future__ import annotations

import random
import time

from tests.bench import figures
from tests.bench.workers import Side, Sides

WHAT = """**Pick-up.** From the moment the commit of a job is answered to the first statement of its task, one job at a time at random
gaps on an idle system. Ours is the claim of an attempt (`automation_attempt.started_at`) of a job made by `accept_record`; the
peer is bare Procrastinate, whose task notes the time in a table. Both workers wait at the same time, on the same server."""

JOBS = 200
GAP_S = (0.02, 0.08)
DEADLINE_S = 60.0


def run(sides: Sides, *, jobs: int = JOBS) -> list[figures.Comparison]:
    """Milliseconds of us and of Procrastinate, median and worst of a hundred."""
    gaps = random.Random(7)
    for side in (sides.ours, sides.peer):
        for _ in range(5):
            _one(side, gap_s=0.05)
    ours: list[float] = []
    peer: list[float] = []
    for _ in range(jobs):
        ours.append(_one(sides.ours, gap_s=gaps.uniform(*GAP_S)))
        peer.append(_one(sides.peer, gap_s=gaps.uniform(*GAP_S)))
    return [
        figures.by_quantile(f"pick-up, {name}", unit="ms", ours=ours, peer=peer, at=at)
        for name, at in (("median", 0.5), ("99th percentile", 0.99))
    ]


def _one(side: Side, *, gap_s: float) -> float:
    """Milliseconds until one job began; returns when it is over and the gap has passed."""
    job = side.enqueue()
    committed_at = time.time()
    time.sleep(gap_s)
    while (started_at := side.started_at(job)) is None:
        if time.time() > committed_at + DEADLINE_S:
            raise RuntimeError("a job was not picked up")
        time.sleep(0.02)
    # The clocks are one, but the worker may be told before the client that made the job.
    return max(1000 * (started_at - committed_at), 0.01)
