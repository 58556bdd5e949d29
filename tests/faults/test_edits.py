"""A DBA edits by hand while jobs run (failure mode 23): twelve edits, each with a defined result; nothing doubles."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg
import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.test_workers import claimed

ROW = "select queue_job_id from automation_job where id = %s"
REFUSALS = frozenset({"AB403", "AB404", "AB409", "23503", "23514", "42501"})
Edit = Callable[[Cluster, UUID], Awaitable[None]]


async def execute(c: Cluster, query: str, *args: object) -> None:
    """As a person with psql would; a refusal is one of the defined results."""
    try:
        async with c.connect() as conn:
            await conn.execute(query.encode(), args)
    except psycopg.Error as exc:
        if exc.sqlstate not in REFUSALS:
            raise


def by_row(query: str) -> Edit:
    async def edit(c: Cluster, job: UUID) -> None:
        await execute(c, query, await c.one(ROW, job))

    return edit


async def unknown_id(c: Cluster, job: UUID) -> None:
    await execute(
        c,
        "update procrastinate_jobs set args = jsonb_build_object('automation_job_id', gen_random_uuid()) where id = %s",
        await c.one(ROW, job),
    )


async def delete_record(c: Cluster, job: UUID) -> None:
    await execute(c, "delete from asbuilt_record where id = (select record_id from automation_job where id = %s)", job)


async def retry_all(c: Cluster, _: UUID) -> None:
    await execute(c, "select ops.retry(id, 'all of them') from automation_job where state in ('failed', 'retrying')")


async def truncate_events(c: Cluster, _: UUID) -> None:
    await execute(c, "truncate procrastinate_events")


async def lock_table(c: Cluster, _: UUID) -> None:
    """For half a minute, six times the lease."""
    async with c.connect() as conn, conn.transaction():
        await conn.execute("lock table procrastinate_jobs")
        await asyncio.sleep(30)


EDITS: dict[str, Edit] = {
    "running-to-todo": by_row("update procrastinate_jobs set status = 'todo' where id = %s"),
    "running-deleted": by_row("delete from procrastinate_jobs where id = %s"),
    "running-to-succeeded": by_row("update procrastinate_jobs set status = 'succeeded' where id = %s"),
    "running-to-failed-to-todo": by_row("update procrastinate_jobs set status = 'failed' where id = %s"),
    "attempts-to-zero": by_row("update procrastinate_jobs set attempts = 0 where id = %s"),
    "args-to-an-unknown-id": unknown_id,
    "priority": by_row("update procrastinate_jobs set priority = 7 where id = %s"),
    "record-deleted": delete_record,
    "events-truncated": truncate_events,
    "bulk-retry": retry_all,
    "table-locked": lock_table,
}
WHOLE_TABLE = ("events-truncated", "bulk-retry", "table-locked")


@pytest.mark.slow
async def test_edits_by_hand_under_running_workers() -> None:
    """Each edit falls on a running job, and each on a queued one; afterwards everything is submitted once and all is well."""
    async with cluster(seconds=3) as c:
        for name, edit in EDITS.items():
            crowd = Crowd(c, seed=hash(name) % 1000)
            await crowd.load(per_s=100, phones=2, total=12)
            await claimed(c, 8)
            running = [row[0] for row in await c.all("select job_id from automation_attempt where ended_at is null")]
            queued = [row[0] for row in await c.all("select id from automation_job where state = 'queued'")]
            for job in running[:1] if name in WHOLE_TABLE else (*running[:2], *queued[:2]):
                await edit(c, job)
            await c.calm(within_s=60)
        assert await c.all("select state, count(*) from automation_job group by 1") == [("completed", 12 * len(EDITS))]
        await c.judge(demands=Demands(acked=12 * len(EDITS), effects=12 * len(EDITS)))


@pytest.mark.slow
async def test_a_spent_row_set_to_todo_runs_its_job_again_at_once() -> None:
    """The oldest habit of all: `update procrastinate_jobs set status = 'todo'` on what has failed."""
    async with cluster(seconds=0.5) as c:
        await c.behave(start="500")
        crowd = Crowd(c)
        await crowd.load(per_s=50, phones=2, total=6)
        await c.calm()
        assert await c.all("select distinct state from automation_job") == [("failed",)]
        await c.behave(start="ok")
        await execute(c, "update procrastinate_jobs set status = 'todo' where status = 'failed'")
        await c.calm()
        assert await c.all("select distinct state from automation_job") == [("completed",)]
        await c.judge(demands=Demands(acked=6, effects=6))


@pytest.mark.slow
async def test_a_queued_row_set_to_cancelled_is_a_cancel_and_so_is_an_abort() -> None:
    async with cluster(workers=0, seconds=3) as c:
        crowd = Crowd(c)
        await crowd.load(per_s=50, phones=1, total=3)
        first, second, third = crowd.jobs
        await by_row("update procrastinate_jobs set status = 'cancelled' where id = %s")(c, first)
        await c.work(1)
        await claimed(c, 2)
        await by_row("update procrastinate_jobs set abort_requested = true where id = %s")(c, second)
        await c.calm()
        states = dict(await c.all("select id, state from automation_job"))
        assert states == {first: "cancelled", second: "cancelled", third: "completed"}
        c.workers[0].send(signal.SIGTERM)
        await c.judge(demands=Demands(acked=3, effects=1))
