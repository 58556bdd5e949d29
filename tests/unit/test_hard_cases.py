"""Each row of the tables of hard cases is held by a test that exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.web.hard_cases import BAD_INPUTS, HARD_CASES, OPEN

TESTS = Path(__file__).parent.parent
TABLES = {"hard case": HARD_CASES, "bad input": BAD_INPUTS}

LENGTHS = {"hard case": 31, "bad input": 34}
"""How many rows each table has."""


@cache
def written_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )  # fmt: skip


ROWS = {f"{table} {row}": tests for table, rows in TABLES.items() for row, tests in rows.items()}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_held_by_tests_that_exist(row: str) -> None:
    """A renamed test once left a promise that nobody kept."""
    assert ROWS[row]
    for name in ROWS[row]:
        file, _, test = name.partition("::")
        assert test.startswith("test_") and test in written_in(TESTS / file), f"{row}: there is no {name}"


def test_every_row_is_held_or_is_said_to_be_open() -> None:
    """A row without a pointer was once taken for one that somebody holds."""
    every = {f"{table} {row}" for table, length in LENGTHS.items() for row in range(1, length + 1)}
    assert ROWS.keys() | OPEN.keys() == every
    assert not ROWS.keys() & OPEN.keys(), "it has its test: take it off the list"
