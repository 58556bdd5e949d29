"""Whoever reads for a caller names the caller's projects to the database, and rows of others are not there, whatever is asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege
from psycopg.types.json import Jsonb

from app.core import db
from sql import Connection
from tests.factories import make_device, make_project, make_record, value
from tests.logins import acting_as, as_role
from tests.sql.crowd import crowd
from tests.sql.strangers import Stranger, make_stranger
from tests.sql.test_roles import TABLES, names
from tests.sql.test_statements import PLACEHOLDER, STATEMENTS

OPEN = {
    "of no project": {"blob", "form_def", "portal", "portal_account", "portal_slot", "retention", "schema_migration",
                      "stream_epoch", "turn", "worker"},
    "who is asking, read before a caller is known": {"access_token", "app_user", "device", "membership", "sign_in_link",
                                                     "user_session"},
    "a phone's own, read by its uploads alone": {"idempotency_key", "upload_session"},
    "its index of texts would be lost; record_lines() asks instead": {"record_line"},
}  # fmt: skip
WALLED = "select oid::regclass::text from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity"
MAY = "select has_table_privilege('asbuilt_app', %s::regclass, %s)"
OPS = re.compile(r"\bops\.\w+")
COLUMN = "select attname from pg_attribute where attrelid = %s::regclass and attnum = 1"

READERS = {"bulk", "exports", "jobs", "lists", "live", "operations", "phone", "portals", "questions", "review"}
HUB = {("live", name) for name in ("changed_anywhere", "event_data", "listen", "listen_records", "listen_self", "ping",
                                   "running")}  # fmt: skip
FORMS = {("phone", "form"), ("phone", "open_forms")}
READS = [
    key
    for key, statement in sorted(STATEMENTS.items())
    if key == ("intake", "receipt")
    or (key[0] in READERS and key not in HUB | FORMS and not any(f in statement.block.text for f in (" ops.", "answer_input(")))
    or key in {("operations", "workers"), ("portals", "portals")}
]  # fmt: skip


@pytest.fixture
async def web(database_url: str, conn: Connection) -> AsyncIterator[Connection]:
    """What a handler has: a connection of the web process's."""
    async with await AsyncConnection.connect(as_role("app", database_url), autocommit=True) as own:
        yield own


async def see(web: Connection, projects: Iterable[UUID] | None) -> None:
    """From here to the end of the transaction."""
    given = "" if projects is None else f"{{{','.join(map(str, projects))}}}"
    await web.execute("select set_config('asbuilt.projects', %s, true)", [given])


async def rows(conn: Connection, table: str) -> set[str]:
    return await names(conn, f"select ctid::text from {table}")


async def test_a_new_table_is_behind_the_wall_or_is_named_here_with_its_reason(conn: Connection) -> None:
    walled = await names(conn, WALLED)
    assert len(walled) > 15
    assert {*walled, *(table for tables in OPEN.values() for table in tables)} == await names(conn, TABLES)
    assert not walled & {table for tables in OPEN.values() for table in tables}


async def test_of_every_table_only_rows_in_sight_are_there(web: Connection, conn: Connection) -> None:
    walled = await names(conn, WALLED)
    theirs = await make_stranger(conn)
    before = {table: await rows(conn, table) for table in walled}
    mine = await make_stranger(conn)
    for table in sorted(walled):
        own = await rows(conn, table) - before[table]
        assert own and before[table], f"{table}: nothing to see"
        async with web.transaction():
            for projects, found in (
                ([mine.project], own),
                ([theirs.project], before[table]),
                ([uuid4()], set()),
                ([], set()),
                ([mine.project, theirs.project], own | before[table]),
                (None, own | before[table]),
            ):
                await see(web, projects)
                assert await rows(web, table) == found, (table, projects)


async def test_what_is_out_of_sight_is_not_touched(web: Connection, conn: Connection) -> None:
    mine, theirs = await make_stranger(conn), await make_stranger(conn)
    touched: dict[str, int] = {}
    async with web.transaction():
        await see(web, [uuid4()])
        for table in await names(conn, WALLED):
            column = await value(conn, COLUMN, table)
            if await value(conn, MAY, table, "update"):
                touched[f"update {table}"] = (
                    await web.execute(f"update {table} set {column} = {column}".encode())
                ).rowcount
            if await value(conn, MAY, table, "delete"):
                touched[f"delete {table}"] = (await web.execute(f"delete from {table}".encode())).rowcount
    assert len(touched) > 8
    assert set(touched.values()) == {0}, touched
    async with web.transaction():
        await see(web, [mine.project])
        changed = await web.execute("update asbuilt_record set crew = 'mine' returning project_id")
        assert {row[0] for row in await changed.fetchall()} == {mine.project}
    said = "insert into comment (record_id, author, text) values (%s, 'me', 'hello')"
    async with web.transaction(force_rollback=True):
        await see(web, [mine.project])
        with pytest.raises(InsufficientPrivilege, match='row-level security policy for table "comment"'):
            await web.execute(said, [theirs.done.record_id])


async def test_of_ops_the_web_process_has_what_it_asks_for_and_no_more(conn: Connection) -> None:
    """All of it reads by its owner's rights, past every policy: a view or the doctor shows all projects to whoever may ask."""
    asked = {
        name for (file, _), each in STATEMENTS.items() if file != "doctor" for name in OPS.findall(each.block.text)
    }
    has = await names(
        conn,
        "select oid::regclass::text from pg_class where relnamespace = 'ops'::regnamespace"
        "    and has_table_privilege('asbuilt_app', oid, 'select')"
        " union all select format('ops.%s', proname) from pg_proc where pronamespace = 'ops'::regnamespace"
        "    and has_function_privilege('asbuilt_app', oid, 'execute')",
    )
    assert has == asked
    assert {name for name in has if await value(conn, "select to_regclass(%s)", name)} == {"ops.portals", "ops.workers"}


async def test_acts_on_portal_accounts_are_of_no_project(web: Connection, conn: Connection) -> None:
    await make_stranger(conn)
    await conn.execute("select ops.pause_portal('npl', 'for the test')")
    async with web.transaction():
        await see(web, [uuid4()])
        assert await names(web, "select action from audit_event") == {"portal.pause"}


async def given(conn: Connection, mine: Stranger, theirs: Stranger) -> dict[str, Any]:
    """Arguments of every read, as by an application that forgot whom it reads for: both projects, and the stranger's ids."""
    both = [mine.project, theirs.project]
    account = await value(conn, "select account_id from automation_job where id = %s", theirs.done.job_id)
    return {
        "projects": both, "operated": both, "project": theirs.project, "project_id": theirs.project, "device": theirs.device.id,
        "record": theirs.done.record_id, "job": theirs.done.job_id, "jobs": [mine.done.job_id, theirs.done.job_id],
        "defect": await value(conn, "select id from defect where record_id = %s", theirs.held.record_id),
        "account_id": account, "recipe_version": 1, "name": "tag", "attempt": 1, "state": "failed", "portal": "npl",
        "fingerprint": await value(conn, "select failure from automation_job where id = %s", theirs.failed.job_id),
        "filter": Jsonb({}), "at": "infinity", "after": UUID(int=2**128 - 1), "limit": 500, "before": 2**63 - 1,
        "since": "0", "until": None, "actor": None, "action": None, "step_s": 300, "steps": 12, "earlier": 1, "later": 2,
    }  # fmt: skip


async def of_this(conn: Connection, theirs: Stranger) -> dict[tuple[str, str], dict[str, Any]]:
    """Where a name means something else."""
    asked = await value(conn, "select id from automation_input where job_id = %s", theirs.asked.job_id)
    picture = await value(conn, "select id from artifact where job_id = %s", theirs.done.job_id)
    return {
        ("exports", "forms_matching"): {"filter": Jsonb({"project": str(theirs.project)})},
        ("jobs", "find_artifact"): {"id": picture},
        ("jobs", "get_job"): {"id": theirs.done.job_id},
        ("jobs", "recipe_of_job"): {"id": theirs.done.job_id},
        ("live", "of_job"): {"after": 0},
        ("operations", "audit"): {"record": None, "since": None},
        ("questions", "find_input"): {"id": asked, "job": theirs.asked.job_id},
        ("questions", "inputs_of_job"): {"job": theirs.asked.job_id},
        ("review", "find_defect"): {"record": theirs.held.record_id},
        ("review", "get_record"): {"id": theirs.done.record_id},
    }


async def answer(web: Connection, key: tuple[str, str], arguments: dict[str, Any]) -> Any:
    statement: Any = STATEMENTS[key]
    found = await statement(web, **{name: arguments[name] for name in PLACEHOLDER.findall(statement.block.text)})
    # Where a stream stands says nothing of what it shows.
    return msgspec.structs.replace(found, xmin=0) if hasattr(found, "xmin") else found


async def test_a_read_that_forgets_whom_it_is_for_shows_nothing_of_a_stranger(
    web: Connection, conn: Connection
) -> None:
    """Each read once more with the first wall taken out of it. What the second lets through is what the first alone does."""
    mine, theirs = await make_stranger(conn), await make_stranger(conn)
    await conn.execute("insert into worker (name, version, places, beat_s) values ('worker-1', '1', 4, 10)")
    forgetful, special = await given(conn, mine, theirs), await of_this(conn, theirs)
    careful = {"projects": [mine.project], "operated": [mine.project], "device": uuid4()}
    absent = {name: uuid4() for name in ("record", "job", "id", "project", "project_id", "account_id")}
    assert len(READS) > 35
    for key in READS:
        wide = forgetful | special.get(key, {})
        narrow = wide | careful | {name: value for name, value in absent.items() if wide.get(name)}
        async with web.transaction():  # in which time stands still
            everything = await answer(web, key, wide)
            expected = await answer(web, key, narrow)
            assert everything != expected, f"{key}: there is nothing of a stranger to see"
            if "record_lines(" in STATEMENTS[key].block.text:
                # Lines are asked once whether all of the projects are in sight.
                expected = await answer(web, key, narrow | {"projects": []})
            await see(web, [mine.project])
            assert await answer(web, key, wide) == expected, key


async def projects(conn: Connection) -> set[UUID]:
    return {row[0] for row in await (await conn.execute("select project_id from asbuilt_record")).fetchall()}


async def test_each_statement_of_a_reader_is_under_the_wall_and_no_other_is(
    conn: Connection, database_url: str
) -> None:
    mine, theirs = await make_stranger(conn), await make_stranger(conn)
    both = {mine.project, theirs.project}
    async with db.pool(as_role("app", database_url), name="asbuilt-web", size=1, wait_s=60, deadline_s=60) as pool:
        for _ in range(8):  # from the sixth on, it is prepared
            async with pool.reading([mine.project]) as reader:
                assert await projects(reader) == {mine.project}
                with pytest.raises(psycopg.errors.UndefinedTable):
                    await reader.execute("select from what_is_not_there")
                assert await projects(reader) == {mine.project}
            async with pool.connection() as other:
                assert await projects(other) == both
        async with pool.reading([mine.project]) as reader, db.acting(reader, "user:x", projects=[theirs.project]):
            assert await projects(reader) == {theirs.project}
        async with pool.reading([]) as reader:
            assert await projects(reader) == set()


async def test_a_read_that_is_given_up_leaves_nothing_behind(conn: Connection, database_url: str) -> None:
    mine, theirs = await make_stranger(conn), await make_stranger(conn)
    async with db.pool(as_role("app", database_url), name="asbuilt-web", size=1, wait_s=60, deadline_s=60) as pool:

        async def sleeps() -> None:
            async with pool.reading([mine.project]) as reader:
                await reader.execute("select pg_sleep(60)")

        task = asyncio.create_task(sleeps())
        asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
        async with asyncio.timeout(60):
            while not await value(conn, asleep):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        async with pool.connection() as other:
            assert await projects(other) == {mine.project, theirs.project}
        async with pool.reading([theirs.project]) as reader:
            assert await projects(reader) == {theirs.project}


async def test_a_policy_is_planned_for_what_it_is(conn: Connection) -> None:
    """One that lets nearly everything through, by a look-up for each row: else lists are planned for a few rows, and read all records."""
    for _ in range(20):
        await make_record(conn)
    device = await make_device(conn, await make_project(conn))
    async with crowd(conn, device, jobs=5_000), acting_as(conn, "app", sight=[device.project.id]):

        async def plan(query: str) -> str:
            rows = await (await conn.execute(f"explain {query}".encode())).fetchall()
            return "\n".join(row[0] for row in rows)

        shown = await plan("select from automation_job")
        expected = re.search(r"rows=(\d+)", shown)
        assert expected is not None
        assert int(expected[1]) > 4_900, shown
        shown = await plan("select from photo")
        assert "asbuilt_record_pkey" in shown, shown
        assert "hashed" not in shown, shown
        assert "Seq Scan on asbuilt_record" not in shown, shown
