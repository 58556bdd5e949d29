"""The shape of a migrated database as text, kept in `schema.sql`, so that a change of the schema is a readable diff.

Written anew by `python -m sql.snapshot DATABASE_URL` after a migration.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.resources import files
from pathlib import Path

import msgspec
from psycopg import AsyncConnection

from sql import loader


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    line: str


LINES = loader.load("snapshot").many("lines", _Line)
HEAD = "-- What all migrations, functions and views make together. Never applied; compared by a test.\n"


async def snapshot(conn: loader.Connection) -> str:
    """The shape of the database behind the connection."""
    return HEAD + "".join(f"{row.line}\n" for row in await LINES(conn))


def committed() -> str:
    """The snapshot in the repository."""
    return (files("sql") / "schema.sql").read_text(encoding="utf-8")


async def _write(url: str) -> None:
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        Path(__file__).with_name("schema.sql").write_text(await snapshot(conn), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
