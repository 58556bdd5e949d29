"""What happens all the time, in a system with a million finished jobs beside one with almost none: the same SQL, turn by turn."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from app.core.db import pool
from app.lists import store as lists
from app.live import store as live
from app.operations import store as operations
from sql import Connection
from sql.migrate import migrate
from tasks import store as tasks
from tasks.housekeeping import BATCH_S, batches
from tests.bench import figures
from tests.bench.stage import Stage
from tests.factories import Device, complete, finish, make_device, make_project, make_record, value
from tests.faults.timings import slack
from tests.sql.past import fill

WHAT = """**Growth.** The statements of a worker, of a page and of an operator in psql, with 1,000,000 finished jobs in the database and all
that they leave (records, revisions, attempts, events, submissions, acts, spent queue rows and their events); the peer is the same installation
with 2,000. One statement at a time, alternating, over a connection. A batch of retention removes 50 queue rows. The run prints how long the
batches of a whole round took that found most of those rows due: nothing is locked for longer than the longest."""

JOBS, FEW = 1_000_000, 2_000
TIMES = 30
BATCH = 50
HELD_MS = 100.0
"""What docs/retention.md promises of a batch, from sending it to its answer."""
LAST: dict[str, Any] = {"at": "infinity", "after": "ffffffff-ffff-ffff-ffff-ffffffffffff", "limit": 50}


class Side:
    """A database of one size; each question answers the milliseconds it took."""

    def __init__(self, url: str, conn: Connection, device: Device) -> None:
        self.url, self.conn, self.device = url, conn, device
        self.mine: dict[str, Any] = {"projects": [device.project.id]}

    async def ask(self, query: str, *args: object) -> None:
        await (await self.conn.execute(query.encode(), args)).fetchall()

    async def take_up(self) -> float:
        """Fetch and claim of a job that came just now; then it is completed."""
        made = await make_record(self.conn, device=self.device)
        began = time.perf_counter()
        row = await value(self.conn, "select id from procrastinate_fetch_job_v2(array['automation', 'checks'], null)")
        attempt = await value(self.conn, "select attempt from claim_attempt(%s, %s::bigint, 'w', 45)", made.job_id, row)
        took = time.perf_counter() - began
        if not await complete(self.conn, made.job_id, attempt):
            raise RuntimeError("the job that was taken up is another one's")
        await finish(self.conn, made.job_id, attempt)
        return 1000 * took

    async def resume(self) -> None:
        since = await value(self.conn, "select pg_snapshot_xmin(pg_current_snapshot())::text")
        await live.CHANGED_ANYWHERE(self.conn, since=since, limit=501)

    async def batch(self) -> float:
        """As it says itself. Raises `RuntimeError` when too little was due."""
        await self.conn.execute("update retention set batch = %s", (BATCH,))
        done = await tasks.RETAIN(self.conn, what="queue row", outcome="completed", begins=True, batch=None)
        if done.removed < BATCH:
            raise RuntimeError("no queue rows were due any more")
        return done.took_ms


Question = Callable[[Side], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "pick-up (fetch and claim)": Side.take_up,
    "a list's page": lambda s: lists.LIST_RECORDS(s.conn, **s.mine, filter=Jsonb({}), **LAST),
    "a search": lambda s: lists.LIST_RECORDS(s.conn, **s.mine, filter=Jsonb({"like1": "%nothing-like-it%"}), **LAST),
    "the numbers on top": lambda s: lists.STATS(s.conn, **s.mine),
    "a stream that resumes": Side.resume,
    "a sweep": lambda s: tasks.RECONCILE(s.conn, grace_s=45.0),
    "throughput of an hour": lambda s: operations.THROUGHPUT(s.conn, **s.mine, step_s=300, steps=12),
    "failures by cause": lambda s: operations.FAILURES(s.conn, **s.mine, limit=100),
    "ops.queue_depth": lambda s: s.ask("select * from ops.queue_depth"),
    "ops.stuck": lambda s: s.ask("select * from ops.stuck"),
    "ops.retention": lambda s: s.ask("select * from ops.retention"),
    "a batch of retention": Side.batch,
}


def run(stage: Stage, *, jobs: int = JOBS, times: int = TIMES) -> list[figures.Comparison]:
    """Medians of each question, of the full system and of the one that has just begun."""
    return asyncio.run(_run(stage, jobs=jobs, times=times))


async def _run(stage: Stage, *, jobs: int, times: int) -> list[figures.Comparison]:
    async with AsyncExitStack() as stack:
        full, few = [await _side(stack, stage, count) for count in (jobs, FEW)]
        found: list[figures.Comparison] = []
        for what, question in QUESTIONS.items():
            ours: list[float] = []
            peer: list[float] = []
            for _ in range(times + 3):
                ours.append(await _time(question, full))
                peer.append(await _time(question, few))
            # The first three plan, and read what is cold.
            found.append(figures.by_quantile(f"{what}, at {jobs:,}", unit="ms", ours=ours[3:], peer=peer[3:], at=0.5))
        await _round(full)
        return found


async def _time(question: Question, side: Side) -> float:
    began = time.perf_counter()
    said = await question(side)
    return said if isinstance(said, float) else 1000 * (time.perf_counter() - began)


async def _round(side: Side) -> None:
    """A round of retention by the worker's own housekeeping, for at most a minute; each batch from sending it to its answer."""
    policy = tasks.PolicyRow(what="queue row", outcome="completed", batch=BATCH)
    took: list[float] = []
    removed, cuts, began = 0, 0, time.monotonic()
    async with pool(side.url, name="bench", size=1) as lent, aclosing(batches(lent, policy)) as round_:
        async for batch in round_:
            removed += batch.removed
            cuts += batch.removed == 0 and batch.took_s >= BATCH_S
            took.append(1000 * batch.took_s)
            if time.monotonic() > began + 60:
                break
    print(
        f"  growth: {removed:,} queue rows in {len(took):,} batches, {removed / (time.monotonic() - began):,.0f} rows a second;"
        f" a batch took {figures.quantile(took, 0.5):.0f} ms at the median, {max(took):.0f} at most; {cuts} were cut",
        flush=True,
    )
    if max(took) > HELD_MS * slack():
        raise RuntimeError(f"a batch of retention held its rows for {max(took):.0f} ms, and may for {HELD_MS:.0f}")
    if removed == 0:
        raise RuntimeError("a round of retention removed nothing")


async def _side(stack: AsyncExitStack, stage: Stage, jobs: int) -> Side:
    url = stage.empty_database()
    await migrate(url)
    conn = await stack.enter_async_context(await AsyncConnection.connect(url, autocommit=True))
    device = await make_device(conn, await make_project(conn))
    began = time.monotonic()
    await fill(conn, device, jobs=jobs)
    await conn.execute("vacuum analyze")
    # A past has been on the disk for long: its gigabytes are not to be written under what is measured.
    await conn.execute("checkpoint")
    await asyncio.to_thread(os.sync)
    print(f"  growth: {jobs:,} finished jobs were made in {time.monotonic() - began:.0f} s", flush=True)
    return Side(url, conn, device)
