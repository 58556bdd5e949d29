"""Who the processes under test sign in to Postgres as: members of the roles they have in production, not its owner.

So every test of a web process or a worker is also one of what its role is granted. Each test process has logins of its own:
roles belong to a whole server, which may be somebody's (`DATABASE_URL`) and keeps none of them.
"""

from __future__ import annotations

from contextlib import suppress
from secrets import token_hex

import psycopg
from psycopg import conninfo, sql

PASSWORD = token_hex(16)
ROLES = ("app", "worker", "operator", "readonly")
_MINE = token_hex(4)


def login(role: str) -> str:
    """The name of a member of `asbuilt_<role>`."""
    return f"asbuilt_test_{role}_{_MINE}"


def make_logins(database_url: str) -> None:
    """A login in each role of ours, unless it is there; the roles are made by the migrations."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        for role in ROLES:
            with suppress(psycopg.errors.DuplicateObject):
                conn.execute(
                    sql.SQL("create role {} login password {} in role {}").format(
                        sql.Identifier(login(role)), PASSWORD, sql.Identifier(f"asbuilt_{role}")
                    )
                )


def drop_logins(server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as conn:
        for role in ROLES:
            conn.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(login(role))))


def as_role(role: str, database_url: str) -> str:
    """The database's URL for a member of `asbuilt_<role>`."""
    return conninfo.make_conninfo(database_url, user=login(role), password=PASSWORD)
