"""What was kept long enough is removed while uploads, pages and runs go on (failure mode 25)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import now
from tests.faults.office import PAGES, looking, office, pages_of, shown
from tests.faults.test_upgrade import uploading
from tests.faults.timings import slack

pytestmark = pytest.mark.slow

SPENT = 20_000
LONGEST_S = 0.1
"""What a batch may hold its rows for, on an idle machine."""
ROWS = "select distinct queue_job_id from automation_attempt where job_id = any(%s)"
LEFT = "select count(*) from procrastinate_jobs where id = any(%s)"
AGE = "update procrastinate_events set at = clock_timestamp() - %s::interval where job_id = any(%s)"
CARRIED = "select queue_job_id from automation_job where id = any(%s)"
BARE = "select count(*) from procrastinate_jobs where queue_name = 'bare'"
MADE_BARE = """
    set local session_replication_role = replica;
    insert into procrastinate_jobs (queue_name, task_name, status) select 'bare', 'bare', 'succeeded' from generate_series(1, 20000);
    insert into procrastinate_events (job_id, type, at)
    select id, 'succeeded', now() - interval '1 hour' from procrastinate_jobs where queue_name = 'bare'"""
AGED_BARE = """update procrastinate_events as e set at = now() - interval '2 days'
                 from procrastinate_jobs as q where q.id = e.job_id and q.queue_name = 'bare'"""
ROUND = "select count(*) = 2 from retention where what = 'queue row' and last_at > to_timestamp(%s)"
HISTORY = (
    "asbuilt_record", "record_revision", "automation_job", "automation_attempt", "automation_step", "job_event", "audit_event",
)  # fmt: skip
SEEN = """
    select coalesce((select max(extract(epoch from clock_timestamp() - a.xact_start)) from pg_stat_activity as a
                      where a.query like '%%from retain(%%' and a.application_name like 'asbuilt-worker%%'), 0)::float8,
           coalesce((select max(extract(epoch from clock_timestamp() - l.waitstart)) from pg_locks as l
                      where not l.granted and exists (
                        select from unnest(pg_blocking_pids(l.pid)) as b join pg_stat_activity as r on r.pid = b
                         where r.query like '%%from retain(%%')), 0)::float8"""


async def round_after(c: Cluster, at: float) -> None:
    """Both policies of queue rows have had a round that began later, and its batches."""
    for _ in range(2):
        async with asyncio.timeout(60):
            while not await c.one(ROUND, at):
                await asyncio.sleep(0.1)
        at = now()


async def counts(c: Cluster) -> dict[str, int]:
    return {table: await c.one(f"select count(*) from {table}") for table in HISTORY}


@asynccontextmanager
async def watched_locks(c: Cluster) -> AsyncIterator[list[tuple[float, float]]]:
    """Every few milliseconds: how long a batch has been in its transaction, and how long anybody has waited for one."""
    seen: list[tuple[float, float]] = []
    over = asyncio.Event()

    async def look() -> None:
        async with c.connect() as conn:
            while not over.is_set():
                row = await (await conn.execute(SEEN)).fetchone()
                if row is not None and row[0] > 0:
                    seen.append((row[0], row[1]))
                await asyncio.sleep(0.004)

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        over.set()
        await task


async def all_at_once_s(c: Cluster) -> float:
    """How long one statement holds everything that many batches remove; it changes its mind in the end."""
    async with c.connect() as conn, conn.transaction(force_rollback=True):
        began = time.monotonic()
        await conn.execute("delete from procrastinate_jobs where queue_name = 'bare'")
        return time.monotonic() - began


async def aged(c: Cluster, well: Sequence[int], ill: Sequence[int], ages: tuple[str, str]) -> tuple[int, int]:
    """Make them so old, and answer how many are left after the next round."""
    at = now()
    async with c.connect() as conn:
        for rows, age in zip((well, ill), ages, strict=True):
            await conn.execute(AGE, (age, list(rows)))
    await round_after(c, at)
    return await c.one(LEFT, list(well)), await c.one(LEFT, list(ill))


async def jobs_in(c: Cluster, *states: str) -> list[UUID]:
    return [job for (job,) in await c.all("select id from automation_job where state = any(%s)", list(states))]


async def rows_of(c: Cluster, jobs: Sequence[UUID]) -> list[int]:
    return [row for (row,) in await c.all(ROWS, list(jobs))]


async def test_old_queue_rows_go_at_their_border_and_nobody_notices() -> None:
    settings = {"ASBUILT_RETENTION_S": "1", "ASBUILT_MAX_ATTEMPTS": "1"}
    async with cluster(seconds=0.3, settings=settings) as c, office(c) as http:
        crowd = Crowd(c)
        await c.behave(start="500")
        await crowd.load(per_s=50, phones=2, total=8)
        await c.calm()
        await c.behave(start="ok")
        page = crowd.watch()
        await crowd.load(per_s=50, phones=2, total=12, follow=0.5)
        await c.calm()
        completed, failed = await jobs_in(c, "completed"), await jobs_in(c, "failed")
        assert (len(completed), len(failed)) == (12, 8)
        well, ill = await rows_of(c, completed), await rows_of(c, failed)
        history = await pages_of(c, completed + failed)
        before = await shown(http, history)

        # Runs that last, jobs that wait for a place, and all that come from now on wait for the portal.
        await c.behave(seconds=20)
        await crowd.load(per_s=50, phones=2, total=10)
        await c.one("select ops.pause_portal('npl', 'they are at it')")
        await crowd.load(per_s=50, phones=2, total=6)
        live = await jobs_in(c, "queued", "processing", "held")
        assert len(live) == 16
        carriers = [row for (row,) in await c.all(CARRIED, live)]
        kept = await counts(c)
        async with c.connect() as conn, conn.transaction():
            await conn.execute(MADE_BARE)
            await conn.execute(AGE, ("10 years", carriers))
        at_once_s = await all_at_once_s(c)

        looked_at = [*PAGES, *history]
        async with uploading(c), looking(http, lambda: looked_at) as answers, watched_locks(c) as seen:
            assert await aged(c, well, ill, ("23:59", "6 days 23:00")) == (len(well), len(ill))
            assert await aged(c, well, ill, ("24:01", "7 days 00:01")) == (0, 0)
            await c.one(AGED_BARE + " returning 1")
            async with asyncio.timeout(120):
                while await c.one(BARE):
                    await asyncio.sleep(0.2)
            assert await c.one(LEFT, carriers) == len(carriers)
        assert set(answers) == {(200, "")}
        longest_s, waited_s = (max(each) for each in zip(*seen, strict=True))
        assert len(seen) > 20
        assert max(longest_s, waited_s) < max(at_once_s / 4, LONGEST_S * slack()), (longest_s, waited_s, at_once_s)

        assert await shown(http, history) == before
        after = await counts(c)
        assert {table for table in HISTORY if after[table] < kept[table]} == set()
        await c.behave(seconds=0.3)
        await c.one("select ops.resume_portal('npl', 'they are done')")
        await c.calm(within_s=120)
        assert page.seqs
        await crowd.leave()
        await c.judge(demands=Demands(acked=70, effects=50))
