"""The migration runner, and the committed snapshot of what it makes."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection

from sql import Connection
from sql.migrate import EditedMigration, migrate
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
