"""Real parts for the tests: one Postgres and one Valkey a test process, a fresh migrated database, rows gone between tests.

`DATABASE_URL` and `REDIS_URL` name servers to use instead of throw-away ones from the wheels. On such a server each test process
has a database of its own: in Redis that of its number.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import AsyncConnection, conninfo
from redis import Redis

from app.local import postgres, valkey
from sql import Connection
from sql.migrate import migrate
from tests.logins import drop_logins, make_logins
from tests.machine import process_number
from tests.service import Service, service, web_settings

# How quick this machine is at the moment says nothing about the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TRUNCATED = """
    select string_agg(format('%I', tablename), ', ') from pg_tables
     where schemaname = 'public' and tablename not in ('schema_migration', 'stream_epoch', 'retention')
"""

_made: list[str] = []
"""Databases of this process, to be dropped at its end: the server may be somebody's."""


@pytest.fixture(scope="session")
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def short_folder(servers: ExitStack) -> Path:
    """A folder for a server: pytest's own is closed to the account that Postgres may have to run under."""
    return Path(servers.enter_context(tempfile.TemporaryDirectory(prefix="asbuilt-test-")))


@pytest.fixture(scope="session")
def server_url(servers: ExitStack) -> Iterator[str]:
    """A Postgres server on which tests may make databases."""
    url = os.environ.get("DATABASE_URL") or servers.enter_context(postgres.server(short_folder(servers)))
    yield url
    with psycopg.connect(url, autocommit=True) as conn:
        for name in _made:
            conn.execute(f"drop database if exists {name} with (force)")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the process that the others tested for, or that tested alone: nobody uses the server any more."""
    url = os.environ.get("DATABASE_URL")
    if url and not hasattr(session.config, "workerinput"):
        drop_logins(url)


@pytest.fixture(scope="session")
def redis_server_url(servers: ExitStack) -> str:
    given = os.environ.get("REDIS_URL")
    if given is None:
        return servers.enter_context(valkey.server(short_folder(servers)))
    return urlsplit(given)._replace(path=f"/{process_number()}").geturl()


def new_database(server_url: str) -> str:
    """An empty database's URL."""
    name = f"asbuilt_test_{uuid4().hex[:12]}"
    _made.append(name)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return conninfo.make_conninfo(server_url, dbname=name)


@pytest.fixture(scope="session")
def database_url(server_url: str) -> str:
    """A migrated database, made once; `conn` empties it between tests."""
    url = new_database(server_url)
    asyncio.run(migrate(url))
    make_logins(url)
    return url


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Connection]:
    """An autocommit connection to an empty, migrated database."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        await empty(connection)
        yield connection


async def empty(connection: Connection) -> None:
    """Remove every row of ours and of the queue."""
    tables = (await (await connection.execute(TRUNCATED)).fetchone() or ("",))[0]
    await connection.execute(f"truncate {tables} restart identity cascade")


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """A flushed Redis."""
    with Redis.from_url(redis_server_url) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def portal_schema(database_url: str) -> None:
    """The demo portal's own schema beside ours."""
    schema = Path(__file__).parent.parent / "sql" / "demo_portal" / "schema.sql"
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(schema.read_text())


@pytest.fixture
async def served(database_url: str, conn: Connection, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A web process with an empty database, seeded with project demo."""
    async with service(web_settings(database_url, redis_url, tmp_path)) as running:
        yield running
