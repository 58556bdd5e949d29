"""A batch of retention finds its size, and holds nothing for longer than it may."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.core import db
from sql import Connection
from tasks.housekeeping import batches
from tasks.store import PolicyRow
from tests.factories import value
from tests.logins import as_role
from tests.sql.test_retention import POLICY, retain, row


async def test_batches_find_their_size(conn: Connection) -> None:
    await conn.execute("set session_replication_role = replica")
    await conn.execute(
        "insert into procrastinate_jobs (queue_name, task_name, status) select 'x', 'x', 'succeeded' from generate_series(1, 100)"
    )
    await conn.execute(
        "insert into procrastinate_events (job_id, type, at) select id, 'succeeded', now() - interval '2 days' from procrastinate_jobs"
    )
    await conn.execute("set session_replication_role = origin")
    async with conn.transaction(force_rollback=True):
        await conn.execute("update retention set batch = 10, removed = 0")
        assert await retain(conn, "queue row", "completed") == 100
        policy = await row(conn, POLICY, "queue row", "completed")
        assert policy is not None
        assert policy[2] > 10
        assert policy[3:] == (100, 100)
    async with conn.transaction(force_rollback=True):
        await conn.execute(
            "create function pg_temp.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.06); return null; end'"
        )
        await conn.execute(
            "create trigger slow after delete on procrastinate_jobs for each statement execute function pg_temp.slow()"
        )
        await conn.execute("update retention set batch = 40")
        assert await row(conn, "select removed, more from retain('queue row', 'completed', true)") == (40, True)
        assert (await row(conn, POLICY, "queue row", "completed") or ())[2] == 20
        assert (
            await value(
                conn, "select longest_ms >= 60 from ops.retention where what = 'queue row' and outcome = 'completed'"
            )
            is True
        )


@pytest.fixture
async def slow_rows(conn: Connection) -> AsyncIterator[None]:
    """Spent queue rows, a day too old: each takes four milliseconds to remove, the last one longer than a batch may."""
    await conn.execute("set session_replication_role = replica")
    await conn.execute(
        "insert into procrastinate_jobs (queue_name, task_name, status)"
        " select case when n = 60 then 'stuck' else 'x' end, 'x', 'succeeded' from generate_series(1, 60) as n order by n"
    )
    await conn.execute(
        "insert into procrastinate_events (job_id, type, at) select id, 'succeeded', now() - interval '2 days' from procrastinate_jobs"
    )
    await conn.execute("set session_replication_role = origin")
    await conn.execute(
        "create function slow_row() returns trigger language plpgsql as"
        " 'begin perform pg_sleep(case when old.queue_name = ''stuck'' then 30 else 0.004 end); return null; end'"
    )
    await conn.execute(
        "create trigger slow after delete on procrastinate_jobs for each row execute function slow_row()"
    )
    try:
        yield
    finally:
        await conn.execute("drop function slow_row cascade")
        await conn.execute("update retention set batch = default, last_at = null")


@pytest.mark.usefixtures("slow_rows")
async def test_a_batch_that_takes_too_long_is_cut_and_comes_again_half_as_large(
    database_url: str, conn: Connection
) -> None:
    """Nothing is held for longer, whatever a disk or a trigger of one's own makes of it; the round gets as far as it can."""
    policy = PolicyRow(what="queue row", outcome="completed", batch=60)
    async with db.pool(
        as_role("worker", database_url), name="asbuilt-worker", size=1, wait_s=60, deadline_s=60
    ) as pool:
        done = [batch async for batch in batches(pool, policy)]
        async with pool.connection() as lent:
            assert await value(lent, "select current_setting('statement_timeout')") == "15s"
    assert done[0].removed == 0, "60 rows of 4 ms take longer than a batch may"
    assert sum(batch.removed for batch in done) == 59
    assert await value(conn, "select array_agg(queue_name) from procrastinate_jobs") == ["stuck"]
    assert done[-1].removed == 0, "alone, it is still too slow: the round is over"
    assert ((await row(conn, POLICY, "queue row", "completed")) or ())[2] < 60
