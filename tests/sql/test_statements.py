"""Every named statement is used, can be prepared on a migrated database, and has the columns its Struct reads."""

from __future__ import annotations

import importlib
import re
from importlib.resources import files
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg.pq import ExecStatus

import app
import sql
import tasks
from sql import loader

for package in (app, tasks, sql):
    # Not pkgutil: it passes over rooms without an __init__.
    root = Path(package.__path__[0])
    for path in sorted(root.rglob("*.py")):
        if not path.stem.startswith("__"):
            importlib.import_module(".".join((package.__name__, *path.relative_to(root).with_suffix("").parts)))

STATEMENTS = {(s.file, s.block.name): s for s in loader.registry}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def blocks() -> set[tuple[str, str]]:
    return {
        (entry.name.removesuffix(".sql"), block.name)
        for entry in (files("sql") / "queries").iterdir()
        for block in loader.parse(entry.read_text(encoding="utf-8"))
    }


def test_every_named_statement_is_used() -> None:
    assert blocks() - STATEMENTS.keys() == set()


def test_every_block_says_what_it_is_for() -> None:
    for entry in (files("sql") / "queries").iterdir():
        for block in loader.parse(entry.read_text(encoding="utf-8")):
            assert block.text.startswith("-- "), f"{entry.name}: {block.name} has no line of intent"


@pytest.mark.parametrize("key", sorted(STATEMENTS), ids="/".join)
def test_statement_fits_the_schema(database_url: str, portal_schema: None, key: tuple[str, str]) -> None:
    statement = STATEMENTS[key]
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    text = PLACEHOLDER.sub(number, statement.block.text).replace("%%", "%")
    with psycopg.connect(database_url) as conn:
        for single in [part for part in text.split(";\n") if part.strip()]:
            prepared = conn.pgconn.prepare(b"", single.encode())
            assert prepared.status == ExecStatus.COMMAND_OK, prepared.error_message.decode()
        described = conn.pgconn.describe_prepared(b"")
        columns = {(described.fname(n) or b"").decode() for n in range(described.nfields)}
    if statement.row is not type(None):
        assert columns == {field.name for field in msgspec.structs.fields(statement.row)}
