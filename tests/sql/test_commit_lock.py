"""The job held while its submission is in flight: nothing takes it away meanwhile, and nothing of its own work waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from app.local.seed import seed
from sql import Connection
from tests.factories import make_record

CLAIM = "select attempt from claim_attempt(%s, (select queue_job_id from automation_job where id = %s), 'w:1', 45)"


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Connection]:
    """A second connection, which does not wait long."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as made:
        await made.execute("set lock_timeout = '200ms'")
        yield made


async def one(conn: Connection, query: str, *values: object) -> Any:
    row = await (await conn.execute(query.encode(), values)).fetchone()
    return None if row is None else row[0]


async def claimed(conn: Connection, database_url: str) -> UUID:
    """A job at its first attempt, with its intent stored."""
    await seed(database_url, portal_url="http://portal.example")
    job = (await make_record(conn)).job_id
    await conn.execute(
        "update procrastinate_jobs set status = 'doing' where id = (select queue_job_id from automation_job where id = %s)",
        [job],
    )
    assert await one(conn, CLAIM, job, job) == 1
    assert await one(conn, "select record_intent(%s, 1)", job)
    return job


async def lose(conn: Connection, job: UUID) -> None:
    await conn.execute(
        "update automation_attempt set lease_until = now() - interval '1 s' where job_id = %s and ended_at is null",
        [job],
    )


async def test_an_attempt_in_flight_is_not_taken_for_lost(
    conn: Connection, other: Connection, database_url: str
) -> None:
    job = await claimed(conn, database_url)
    async with conn.transaction():
        assert await one(conn, "select hold_commit(%s, 1, 60)", job)
        await lose(other, job)
        assert await one(other, "select count(*) from reconcile(0)") == 0
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await other.execute(CLAIM, [job, job])
    assert await one(other, "select kind from reconcile(0)") == "lost"


async def test_what_the_attempt_itself_writes_meanwhile_does_not_wait(
    conn: Connection, other: Connection, database_url: str
) -> None:
    job = await claimed(conn, database_url)
    async with conn.transaction():
        assert await one(conn, "select hold_commit(%s, 1, 60)", job)
        await other.execute(
            "update automation_attempt set lease_until = now() + interval '45 s' where job_id = %s", [job]
        )
        assert await one(other, "select attach_run(%s, 1, 1, 'run_1', 0)", job) == 0
        await other.execute(
            "insert into automation_step (job_id, attempt, key, index, total, label, state)"
            " values (%s, 1, 'submit', 1, 1, 'Submit', 'running')", [job],
        )  # fmt: skip
        await other.execute("update portal_submission set evidence = '{}' where job_id = %s", [job])


async def test_a_lost_attempt_gets_no_leave_to_submit(conn: Connection, other: Connection, database_url: str) -> None:
    job = await claimed(conn, database_url)
    await lose(other, job)
    assert await one(other, "select kind from reconcile(0)") == "lost"
    assert await one(conn, "select hold_commit(%s, 1, 60)", job) is False
    assert await one(other, CLAIM, job, job) == 2
    assert await one(conn, "select hold_commit(%s, 1, 60)", job) is False
    assert await one(conn, "select hold_commit(%s, 2, 60)", job) is True


async def test_the_server_ends_what_a_frozen_worker_holds(
    conn: Connection, other: Connection, database_url: str
) -> None:
    job = await claimed(conn, database_url)
    async with await AsyncConnection.connect(database_url, autocommit=True) as frozen:
        await frozen.execute("begin")
        assert await one(frozen, "select hold_commit(%s, 1, 0.3)", job)
        await other.execute("set lock_timeout = '30s'")
        assert await one(other, "select id from automation_job where id = %s for update", job) == job
        assert frozen.pgconn.status == psycopg.pq.ConnStatus.OK
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await frozen.execute("commit")
