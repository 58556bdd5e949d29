"""A backlog of jobs whose runs end at once, worked off by one worker: what a job costs beside its run."""

from __future__ import annotations

import time

from tests.bench import figures
from tests.bench.workers import Conn, Side, Sides

WHAT = """**Drain.** A backlog of 500 jobs, committed at once, worked off by one worker of the default concurrency. Our jobs have
all of an attempt but the portal: claim, lease, start of the run over HTTP, its events, settling; the automation service answers
each run at once. The peer's jobs are tasks of bare Procrastinate that do nothing. The difference is our work for a job, next to
which a real run takes two to three minutes."""

JOBS = 500
ROUNDS = 3
ENOUGH_S = 30.0
"""No further round is begun after so long: a slow machine gets fewer, not a longer run."""
DEADLINE_S = 120.0

LEFT = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"
SPAN = """
    select count(*) filter (where type = 'succeeded'),
           extract(epoch from max(at) filter (where type = 'succeeded') - min(at) filter (where type = 'started'))::float8
      from procrastinate_events where id > %s
"""
LAST = "select coalesce(max(id), 0) from procrastinate_events"


def run(sides: Sides, *, jobs: int = JOBS, rounds: int = ROUNDS) -> list[figures.Comparison]:
    """Jobs a second of us and of Procrastinate."""
    ours: list[float] = []
    peer: list[float] = []
    began = time.monotonic()
    while len(ours) < rounds and (not ours or time.monotonic() < began + ENOUGH_S):
        ours.append(_round(sides.ours, jobs))
        peer.append(_round(sides.peer, jobs))
    compared = figures.by_rounds("drain", unit="jobs/s", ours=ours, peer=peer)
    print(f"  drain: {1000 / compared.ours - 1000 / compared.peer:.1f} ms a job are ours", flush=True)
    return [compared]


def _round(side: Side, jobs: int) -> float:
    """By Procrastinate's own events, from the first start to the last success."""
    mark = _value(side.conn, LAST)
    side.preload(jobs)
    deadline = time.monotonic() + DEADLINE_S
    while _value(side.conn, LEFT):
        if time.monotonic() > deadline:
            raise RuntimeError("the backlog was not worked off")
        time.sleep(0.1)
    row = side.conn.execute(SPAN, (mark,)).fetchone()
    assert row is not None
    assert row[0] == jobs, f"{row[0]} of {jobs} jobs succeeded"
    return jobs / float(str(row[1]))


def _value(conn: Conn, query: str) -> int:
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(str(row[0]))
