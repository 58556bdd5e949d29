"""The migration runner, and the committed snapshot of what it makes."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection

from sql import Connection
from sql import migrate as migrate_module
from sql.migrate import EditedMigration, Script, migrate, missing
from sql.snapshot import committed, snapshot
from tests.conftest import new_database


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


async def test_a_changed_function_is_made_anew(server_url: str) -> None:
    url = new_database(server_url)
    await migrate(url)
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("update schema_migration set sha256 = 'other' where name = 'functions/actor.sql'")
        await conn.execute("create or replace function actor() returns text language sql as $$ select 'wrong' $$")
    assert await migrate(url) == ["functions/actor.sql"]
    with psycopg.connect(url) as sync:
        assert sync.execute("select actor() <> 'wrong'").fetchone() == (True,)


async def test_a_migration_that_cannot_get_its_lock_gives_up_and_leaves_nothing(server_url: str) -> None:
    url = new_database(server_url)
    await migrate(url)
    async with await AsyncConnection.connect(url) as holder:
        await holder.execute("lock table automation_job in access exclusive mode")
        async with await AsyncConnection.connect(url, autocommit=True) as conn:
            await conn.execute("update schema_migration set sha256 = 'other' where name = 'functions/job_stamp.sql'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await migrate(url)
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
