"""Who the processes under test sign in to Postgres as: members of the roles they have in production, not its owner.

So every test of a web process or a worker is also one of what its role is granted.
"""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import conninfo, sql

PASSWORD = "of-the-tests"
ROLES = ("app", "worker", "operator", "readonly")


def make_logins(database_url: str) -> None:
    """A login in each role of ours, unless it is there; the roles are made by the migrations."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        for role in ROLES:
            # Another test process of the same server may make it at this moment.
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                conn.execute(
                    sql.SQL("create role {} login password {} in role {}").format(
                        sql.Identifier(_login(role)), PASSWORD, sql.Identifier(f"asbuilt_{role}")
                    )
                )


def as_role(role: str, database_url: str) -> str:
    """The database's URL for a member of `asbuilt_<role>`."""
    return conninfo.make_conninfo(database_url, user=_login(role), password=PASSWORD)


def _login(role: str) -> str:
    return f"asbuilt_test_{role}"
