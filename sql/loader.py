"""Named SQL statements from `queries/*.sql`, typed by the Struct that reads their rows.

A block starts with `-- name: get_job :one` and one comment line of intent. The arity in the file and the accessor in
Python must agree, so a query that changes its shape fails at import, not at night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row

Row = TypeVar("Row")
Connection = AsyncConnection[Any]

_HEADER = re.compile(
    r"^-- name: (?P<name>[a-z][a-z0-9_]*) :(?P<arity>one|opt|many|exec)(?P<replanned> replanned)?$", re.MULTILINE
)


class UnknownStatement(LookupError):
    """No block of that name and arity in the query file."""


class WrongRowCount(RuntimeError):
    """A `:one` statement answered with no row."""


@dataclass(frozen=True, slots=True)
class Block:
    """One named statement as it stands in its file."""

    name: str
    arity: str
    text: str
    prepare: bool | None = None
    """False: planned anew for each call's values, where one plan for all of them would be a bad one for most."""


@dataclass(frozen=True, slots=True)
class _Statement(Generic[Row]):
    file: str
    block: Block
    row: type[Row]

    async def _run(self, conn: Connection, params: Mapping[str, object]) -> list[Row]:
        async with conn.cursor(row_factory=class_row(self.row)) as cursor:
            await cursor.execute(self.block.text, params, prepare=self.block.prepare)
            return await cursor.fetchall()


class One(_Statement[Row]):
    """Exactly one row; raises `WrongRowCount` when there is none."""

    async def __call__(self, conn: Connection, **params: object) -> Row:
        rows = await self._run(conn, params)
        if not rows:
            raise WrongRowCount(self.block.name)
        return rows[0]


class Opt(_Statement[Row]):
    """One row or `None`."""

    async def __call__(self, conn: Connection, **params: object) -> Row | None:
        rows = await self._run(conn, params)
        return rows[0] if rows else None


class Many(_Statement[Row]):
    """All rows, in the statement's order."""

    async def __call__(self, conn: Connection, **params: object) -> list[Row]:
        return await self._run(conn, params)


class Exec(_Statement[None]):
    """No rows wanted; returns the number of rows touched."""

    async def __call__(self, conn: Connection, **params: object) -> int:
        cursor = await conn.execute(self.block.text, params)
        return cursor.rowcount


registry: list[_Statement[Any]] = []
"""Every statement that Python uses, for the tests that prepare them and compare their columns."""


@dataclass(frozen=True, slots=True)
class Queries:
    """The statements of one query file, each bound once, at import, to the Struct of its rows."""

    file: str
    blocks: Mapping[str, Block]

    def one(self, name: str, row: type[Row]) -> One[Row]:
        return _register(One(self.file, self._block(name, "one"), row))

    def opt(self, name: str, row: type[Row]) -> Opt[Row]:
        return _register(Opt(self.file, self._block(name, "opt"), row))

    def many(self, name: str, row: type[Row]) -> Many[Row]:
        return _register(Many(self.file, self._block(name, "many"), row))

    def exec(self, name: str) -> Exec:
        return _register(Exec(self.file, self._block(name, "exec"), type(None)))

    def _block(self, name: str, arity: str) -> Block:
        block = self.blocks.get(name)
        if block is None or block.arity != arity:
            raise UnknownStatement(f"{self.file}.sql has no block '{name} :{arity}'")
        return block


Bound = TypeVar("Bound", bound=_Statement[Any])


def _register(statement: Bound) -> Bound:
    registry.append(statement)
    return statement


@cache
def load(file: str) -> Queries:
    """The named statements of `sql/queries/<file>.sql`."""
    text = (files("sql") / "queries" / f"{file}.sql").read_text(encoding="utf-8")
    return Queries(file, {block.name: block for block in parse(text)})


def parse(text: str) -> list[Block]:
    """Split a query file into its blocks; text before the first header is the file's own comment."""
    heads = list(_HEADER.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Block(head["name"], head["arity"], text[head.end() : end].strip(), False if head["replanned"] else None)
        for head, end in zip(heads, ends, strict=True)
    ]
