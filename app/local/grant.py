"""Gives access from the command line, on a database that may be the local stack's or any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, OperationalError

from app.core.access import create_token, create_user
from app.core.auth import Role
from app.core.db import acting, connect_arguments
from app.local.errors import LocalStackError
from sql import Connection

_ACTOR = "command line"


async def token(database_url: str, *, project: str, scopes: Sequence[str], label: str) -> str:
    """A token for a new device of the project. Raises `ProjectUnknown`, or `LocalStackError` without a database."""
    async with _transaction(database_url) as conn:
        return await create_token(conn, project=project, scopes=scopes, label=label)


async def user(database_url: str, *, email: str, name: str, project: str, role: Role) -> str:
    """The password of a person who has this role now. Raises as `token` does."""
    async with _transaction(database_url) as conn:
        _, password = await create_user(conn, email=email, name=name, project=project, role=role)
        return password


@asynccontextmanager
async def _transaction(database_url: str) -> AsyncIterator[Connection]:
    try:
        conn = await AsyncConnection.connect(database_url, autocommit=True, **connect_arguments("asbuilt-cli"))
    except OperationalError as exc:
        raise LocalStackError(f"The database cannot be reached: {exc}", exit_code=1) from exc
    async with conn, acting(conn, _ACTOR):
        yield conn
