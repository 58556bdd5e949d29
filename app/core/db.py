"""The pool of Postgres connections, and what every connection of ours has in common.

Statements and lock waits are bounded, so a frozen or locked database costs an error, not a hung request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from app.core.errors import DatabaseUnavailable
from sql import Connection
from sql import load as load_queries

Pool = AsyncConnectionPool[AsyncConnection[Any]]

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)

SET_ACTOR = load_queries("core").exec("set_actor")


def connect_arguments(name: str) -> dict[str, Any]:
    """libpq parameters: dead peers are noticed in seconds, and Postgres itself ends what takes too long."""
    return {
        "application_name": name,
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "options": "-c statement_timeout=15s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s",
    }


@asynccontextmanager
async def pool(url: str, *, name: str, size: int, wait_s: float = 0.8) -> AsyncIterator[Pool]:
    """An open pool of up to `size` autocommit connections; a caller waits at most `wait_s` seconds for one."""
    opened = AsyncConnectionPool[AsyncConnection[Any]](
        url,
        min_size=min(2, size),
        max_size=size,
        timeout=wait_s,
        max_waiting=size * 8,
        open=False,
        kwargs={"autocommit": True, **connect_arguments(name)},
    )
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close(timeout=2)


@asynccontextmanager
async def unavailable_as_problem() -> AsyncIterator[None]:
    """Turn trouble with the database into `DatabaseUnavailable`; a statement's own errors pass."""
    try:
        yield
    except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as exc:
        raise DatabaseUnavailable(retry_after_s=2) from exc


@asynccontextmanager
async def acting(conn: Connection, actor: str) -> AsyncIterator[Connection]:
    """A transaction whose events and audit rows name this actor."""
    async with conn.transaction():
        await SET_ACTOR(conn, actor=actor)
        yield conn
