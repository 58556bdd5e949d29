"""Who the processes under test sign in to Postgres as: members of the roles they have in production, not its owner.

So every test of a web process or a worker is also one of what its role is granted. Each test process has logins of its own.
Roles belong to a whole server, which may be somebody's (`DATABASE_URL`) and keeps none of them. They go together when every process
has ended: a migration sets limits for all logins of the server, and fails where one is dropped at that moment.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from secrets import token_hex
from uuid import UUID

import psycopg
from psycopg import conninfo, sql

from sql import Connection
from tests.machine import process_number

PASSWORD = token_hex(16)
ROLES = ("app", "worker", "operator", "readonly")
_RUN = os.environ.setdefault("ASBUILT_TEST_RUN", token_hex(4))
"""Named by the process that begins a run, and by those that it starts."""


def login(role: str) -> str:
    """The name of a member of `asbuilt_<role>`."""
    return f"asbuilt_test_{role}_{_RUN}_{process_number()}"


def make_logins(database_url: str) -> None:
    """A login in each role of ours, unless it is there, bound as a migration after it binds it; the roles are made by the migrations."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        for role in ROLES:
            with suppress(psycopg.errors.DuplicateObject):
                conn.execute(
                    sql.SQL("create role {} login password {} in role {}").format(
                        sql.Identifier(login(role)), PASSWORD, sql.Identifier(f"asbuilt_{role}")
                    )
                )
        conn.execute((files("sql") / "grants" / "5_limits.sql").read_text(encoding="utf-8").encode())


def drop_logins(server_url: str) -> None:
    """Of every process of this run."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        names = "select rolname from pg_roles where starts_with(rolname, 'asbuilt_test_') and strpos(rolname, %s) > 0"
        for (name,) in conn.execute(names, [f"_{_RUN}_"]).fetchall():
            conn.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def as_role(role: str, database_url: str) -> str:
    """The database's URL for a member of `asbuilt_<role>`."""
    return conninfo.make_conninfo(database_url, user=login(role), password=PASSWORD)


@asynccontextmanager
async def acting_as(conn: Connection, role: str, *, sight: Iterable[UUID] | None = None) -> AsyncIterator[None]:
    """The owner's connection for a while as a member of `asbuilt_<role>`, which reads for a caller of the projects in sight.

    What is done meanwhile is undone: so that plans can be seen of what no other connection sees.
    """
    async with conn.transaction(force_rollback=True):
        given = "" if sight is None else f"{{{','.join(map(str, sight))}}}"
        await conn.execute("select set_config('asbuilt.projects', %s, true)", [given])
        await conn.execute(f"set local role asbuilt_{role}".encode())
        yield
