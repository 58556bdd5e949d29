"""Each row of the tables of hard cases is held by a test that exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.web.hard_cases import HARD_CASES

TESTS = Path(__file__).parent.parent


@cache
def written_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )  # fmt: skip


@pytest.mark.parametrize("row", HARD_CASES)
def test_a_row_is_held_by_tests_that_exist(row: int) -> None:
    """A renamed test once left a promise that nobody kept."""
    assert HARD_CASES[row]
    for name in HARD_CASES[row]:
        file, _, test = name.partition("::")
        assert test.startswith("test_") and test in written_in(TESTS / file), f"row {row}: there is no {name}"
