"""A person's act is bound to their projects in the database too: whatever the application forgets to ask, an act on another
project's job, record or finding finds nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import AsyncConnection

from app.core.db import acting
from sql import Connection
from tests.factories import Made, make_record, value
from tests.logins import as_role

ON_A_JOB = (
    "ops.retry('{}', 'why')",
    "ops.run_again('{}', 'why')",
    "ops.cancel('{}', 'why')",
    "ops.hold('{}', 'why')",
    "ops.release('{}', 'why')",
    "ops.answer_outcome('{}', false, null, 'why')",
)


@pytest.fixture
async def web(database_url: str, conn: Connection) -> AsyncIterator[Connection]:
    """What a handler has: a connection of the web process's."""
    async with await AsyncConnection.connect(as_role("app", database_url), autocommit=True) as own:
        yield own


async def refused(web: Connection, act: str, *, within: Made) -> str | None:
    """The SQLSTATE of an act in that project; null when it is done."""
    try:
        async with acting(web, "user:somebody", projects=[within.project.id]):
            await web.execute(f"select {act}".encode())
    except psycopg.Error as exc:
        return exc.sqlstate
    return None


async def test_no_act_reaches_another_projects_job(web: Connection, conn: Connection) -> None:
    mine, theirs = await make_record(conn), await make_record(conn)
    for act in ON_A_JOB:
        assert await refused(web, act.format(theirs.job_id), within=mine) == "AB404", act
    assert await refused(web, f"ops.hold('{mine.job_id}', 'why')", within=mine) is None
    rows = await conn.execute("select job_id from audit_event where action <> 'record.upload'")
    assert await rows.fetchall() == [(mine.job_id,)]


async def test_no_act_reaches_another_projects_record_or_finding(web: Connection, conn: Connection) -> None:
    mine, theirs = await make_record(conn), await make_record(conn, state="held")
    finding = await value(conn, "select id from defect where record_id = %s", theirs.record_id)
    acts = (
        f"ops.review('{theirs.record_id}', 'rejected', 'why')",
        f"ops.comment('{theirs.record_id}', 'hello')",
        f"ops.waive('{finding}', 'why')",
    )
    assert [await refused(web, act, within=mine) for act in acts] == ["AB404"] * 3
    assert await refused(web, acts[1], within=theirs) is None
    assert await refused(web, acts[2], within=theirs) is None


async def test_of_many_jobs_only_ones_own_are_acted_on(web: Connection, conn: Connection) -> None:
    mine, theirs = await make_record(conn, state="failed"), await make_record(conn, state="failed")
    async with acting(web, "user:somebody", projects=[mine.project.id]):
        rows = await web.execute(
            "select job_id, outcome from ops.bulk('retry', %s, 'why')", [[mine.job_id, theirs.job_id]]
        )
        assert dict(await rows.fetchall()) == {mine.job_id: "done", theirs.job_id: "unknown"}
    async with acting(conn, "user:somebody", projects=[mine.project.id]):
        rows = await conn.execute(
            "select job_id from ops.requeue('why', p_project => %s, p_failed_since => '-infinity')",
            [theirs.project.code],
        )
        assert await rows.fetchall() == []
    assert await value(conn, "select state from automation_job where id = %s", theirs.job_id) == "failed"


async def test_whoever_has_no_project_reaches_none(web: Connection, conn: Connection) -> None:
    made = await make_record(conn)
    with pytest.raises(psycopg.Error, match="there is no job"):
        async with acting(web, "user:somebody", projects=[]):
            await web.execute("select ops.cancel(%s, 'why')", [made.job_id])


async def test_the_next_transaction_of_the_connection_begins_anew(web: Connection, conn: Connection) -> None:
    mine, theirs = await make_record(conn), await make_record(conn)
    assert await refused(web, f"ops.hold('{mine.job_id}', 'why')", within=mine) is None
    await web.execute("select ops.hold(%s, 'by a process that acts for nobody')", [theirs.job_id])


async def test_a_slot_goes_on_to_another_projects_job_all_the_same(web: Connection, conn: Connection) -> None:
    """A portal account is shared: an act in one project must not leave a free slot beside another's waiting job."""
    mine, theirs = await make_record(conn), await make_record(conn)
    account = "(select account_id from automation_job where id = %s)"
    await conn.execute(f"update portal_account set max_runs = 1 where id = {account}".encode(), [mine.job_id])
    await conn.execute("select ops.cancel(%s, 'for the test')", [theirs.job_id])
    await conn.execute(
        f"update automation_job set account_id = {account} where id = %s".encode(), [mine.job_id, theirs.job_id]
    )
    await conn.execute("select ops.retry(%s, 'for the test')", [theirs.job_id])
    assert await value(conn, "select wait_reason from automation_job where id = %s", theirs.job_id) == "slot"
    assert await refused(web, f"ops.cancel('{mine.job_id}', 'why')", within=mine) is None
    assert await value(conn, "select wait_reason from automation_job where id = %s", theirs.job_id) is None
