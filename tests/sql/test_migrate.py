"""The migration runner, and the committed snapshot of what it makes."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.errors import InsufficientPrivilege

from sql import Connection
from sql import migrate as migrate_module
from sql.migrate import EditedMigration, Script, migrate, missing, repeatables
from sql.snapshot import committed, snapshot
from tests.conftest import new_database
from tests.factories import value
from tests.sql.test_roles import OPEN, names


async def test_snapshot_is_what_the_migrations_make(conn: Connection) -> None:
    assert await snapshot(conn) == committed(), "run python -m sql.snapshot on a migrated database and look at the diff"


async def test_two_at_once_apply_everything_once(server_url: str) -> None:
    url = new_database(server_url)
    first, second = await asyncio.gather(migrate(url), migrate(url))
    assert (first == []) != (second == [])
    assert await migrate(url) == []


async def test_an_edited_migration_is_refused(server_url: str) -> None:
    url = new_database(server_url)
    await migrate(url)
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("update schema_migration set sha256 = 'other' where name = '0001_access.sql'")
    with pytest.raises(EditedMigration):
        await migrate(url)


async def test_a_database_of_a_newer_release_is_left_as_it_is(server_url: str) -> None:
    """Whoever puts the release before back also runs its `migrate`; what only the newer one has must not go."""
    url = new_database(server_url)
    await migrate(url)
    told: list[str] = []
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("create function of_later() returns int language sql as $$ select 1 $$")
        await conn.execute(
            "insert into schema_migration (source, name, sha256) values ('asbuilt', '9999_later.sql', 'a'),"
            " ('repeatable', 'functions/of_later.sql', 'b')"
        )
        await conn.execute("update schema_migration set sha256 = 'other' where name = 'functions/actor.sql'")
        assert await missing(conn) == []
        assert await migrate(url, warn=told.append) == []
        assert await value(conn, "select of_later()") == 1
    assert told == ["this database has 9999_later.sql, of a newer release: nothing is changed"]


OLDER = """
    create or replace function actor() returns text language sql as $$ select 'wrong' $$;
    create function actor(p_old text) returns text language sql as $$ select 'of other arguments' $$;
    drop function why_given(text);
    create function why_given(p_reason text) returns int language sql as $$ select 1 $$;
    drop view ops.slow;
    create view ops.slow as select 1 as of_other_columns;
    create trigger job_old after update on automation_job for each row execute function job_slot();
    create function gone() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger of_gone after update on automation_job for each row execute function gone();
    create function ops.gone() returns int language sql as $$ select 1 $$;
    create view ops.gone as select ops.gone() as n;
    create function a_neighbours() returns int language sql as $$ select 1 $$;
    update schema_migration set sha256 = 'other' where name = any(%(changed)s);
    insert into schema_migration (source, name, sha256) select 'repeatable', name, 'some' from unnest(%(gone)s::text[]) as name;
"""
CHANGED = [
    "functions/accept_record.sql", "functions/actor.sql", "functions/job_slot.sql", "functions/why_given.sql",
    "views/ops_jobs.sql", "views/ops_slow.sql",
]  # fmt: skip
GONE = ["functions/gone.sql", "functions/ops_gone.sql", "views/ops_gone.sql"]
STOOD = "select array['accept_record'::regproc::oid, 'actor()'::regprocedure::oid, 'ops.jobs'::regclass::oid]"


async def test_functions_and_views_are_replaced_where_they_stand_and_what_is_gone_goes(server_url: str) -> None:
    """Whoever is calling a function that is dropped meets "cache lookup failed", and a phone is told to come again."""
    url = new_database(server_url)
    await migrate(url)
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        stood = await value(conn, STOOD)
        rights = await value(conn, RIGHTS)
        async with psycopg.AsyncClientCursor(conn) as typed:
            await typed.execute(OLDER, {"changed": CHANGED, "gone": GONE})
        assert await migrate(url) == CHANGED
        assert await value(conn, STOOD) == stood
        assert await value(conn, "select actor() <> 'wrong'") is True
        assert await value(conn, "select a_neighbours()") == 1
        await conn.execute("drop function a_neighbours()")
        assert await snapshot(conn) == committed()
        assert await value(conn, RIGHTS) == rights
        assert await value(conn, "select count(*) from schema_migration where name = any(%s)", GONE) == 0


RIGHTS = """
    select jsonb_object_agg(what, rights) from (
        select oid::regprocedure::text as what, proacl::text as rights from pg_proc where pronamespace in ('public'::regnamespace, 'ops'::regnamespace)
        union all
        select oid::regclass::text, relacl::text from pg_class where relnamespace = 'ops'::regnamespace) as each"""


def test_a_file_makes_what_it_is_called_after_and_drops_nothing() -> None:
    """By its name the runner finds what it made, when its type has changed and when the file is gone."""
    made = re.compile(r"^create or replace (function|view) ([\w.]+)", re.MULTILINE)
    for script in repeatables():
        folder, _, stem = script.name.removesuffix(".sql").partition("/")
        name = f"ops.{stem.removeprefix('ops_')}" if stem.startswith("ops_") else stem
        fills = script.text.lower().count("\ninsert into") and not made.search(script.text)
        assert fills or made.findall(script.text) == [(folder.removesuffix("s"), name)], script.name
        assert not re.search(r"^(drop|create (function|view|trigger))\b", script.text, re.MULTILINE | re.IGNORECASE), (
            script.name
        )


async def test_a_migration_that_cannot_get_its_lock_gives_up_and_leaves_nothing(server_url: str) -> None:
    url = new_database(server_url)
    await migrate(url)
    async with await AsyncConnection.connect(url) as holder:
        await holder.execute("lock table automation_job in access exclusive mode")
        async with await AsyncConnection.connect(url, autocommit=True) as conn:
            await conn.execute("update schema_migration set sha256 = 'other' where name = 'functions/job_stamp.sql'")
            await conn.execute("drop function answer_input")
            await conn.execute("delete from schema_migration where name = 'functions/answer_input.sql'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await migrate(url)
            # The grants have not run. What the files before it made is nobody's but its callers' all the same.
            assert await names(conn, OPEN) == set()
            assert await value(conn, "select has_function_privilege('asbuilt_app', 'answer_input'::regproc, 'execute')")
    assert await migrate(url) == ["functions/job_stamp.sql"]


async def test_an_upgrade_of_procrastinate_is_not_held_up_by_our_triggers(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The type of a column that a trigger names cannot be changed; one of theirs did so once."""
    url = new_database(server_url)
    await migrate(url)
    shipped = migrate_module._queue_upgrades()
    upgrade = Script(
        source="procrastinate",
        name="99.00.00_01_pre_more_attempts.sql",
        text="alter table procrastinate_jobs alter column attempts type bigint",
    )
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            await conn.execute(upgrade.text)
        triggers = await hooks(conn)
        monkeypatch.setattr(migrate_module, "_queue_upgrades", lambda: [*shipped, upgrade])
        assert await missing(conn) == [upgrade.name]
        applied = await migrate(url)
        assert applied[0] == upgrade.name
        assert all(name.startswith("functions/app_queue_") for name in applied[1:])
        assert await hooks(conn) == triggers
        assert await missing(conn) == []


async def hooks(conn: Connection) -> list[str]:
    rows = await conn.execute(
        "select pg_get_triggerdef(oid) from pg_trigger where tgname like 'app\\_queue\\_%' order by tgname"
    )
    return [row[0] for row in await rows.fetchall()]


async def test_what_is_missing_is_told_without_being_done(server_url: str) -> None:
    url = new_database(server_url)
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        names = await missing(conn)
        assert {"0001_access.sql", "functions/ops_doctor.sql", "views/ops_attempts.sql"} <= set(names)
        assert await missing(conn) == names
        await migrate(url)
        assert await missing(conn) == []


async def test_every_function_compiles(conn: Connection) -> None:
    """They are created in any order, with the checks of their bodies off; a slip would wait for the first caller."""
    validators = await conn.execute(
        "select format('select %s(%s)', l.lanvalidator::regproc, p.oid), p.proname"
        "  from pg_proc as p join pg_language as l on l.oid = p.prolang"
        " where p.pronamespace in ('public'::regnamespace, 'ops'::regnamespace) and l.lanname in ('sql', 'plpgsql')"
    )
    checks = await validators.fetchall()
    assert len(checks) > 40
    for check, name in checks:
        try:
            await conn.execute(check)
        except psycopg.Error as exc:
            pytest.fail(f"{name}: {exc}")


async def test_nobody_creates_anything_beside_our_tables(database_url: str) -> None:
    """Everybody might, in a database that was made before Postgres 15. Who may not take that back is told who may."""
    text = (files("sql") / "grants" / "1_roles.sql").read_text(encoding="utf-8").encode()
    told: list[str] = []
    with psycopg.connect(database_url) as conn:
        conn.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        conn.execute("grant create on schema public to public")
        conn.execute("set local role asbuilt_operator")
        conn.execute("create table mine ()")
        conn.execute("reset role; drop table mine; create role of_the_tests; create role another_of_tests")
        conn.execute("alter schema public owner to another_of_tests")
        # It owns what the owner owns, but for the schema.
        conn.execute(sql.SQL("grant {} to of_the_tests").format(sql.Identifier(conn.info.user)))
        conn.execute("set local role of_the_tests")
        conn.execute(text)
        conn.execute("reset role")
        conn.execute(text)
        conn.execute("set local role asbuilt_operator")
        for statement in (
            "create table mine_too ()",
            "create function mine_too() returns int language sql as 'select 1'",
        ):
            with pytest.raises(InsufficientPrivilege, match="denied for schema public"), conn.transaction():
                conn.execute(statement.encode())
        conn.rollback()
    assert [line for line in told if "everybody" in line] == [
        "everybody may create objects in schema public, and of_the_tests may not take that back"
    ]
