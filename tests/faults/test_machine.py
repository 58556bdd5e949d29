"""The SQL functions under any order of calls; a few examples in the first tier, many in the second."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import TRUNCATED
from tests.faults.machine import Lifecycle

EXAMPLES = {"fast": (30, 30), "slow": (300, 40)}


@pytest.fixture
def empty_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as conn:
        tables = (conn.execute(TRUNCATED).fetchone() or ("",))[0]
        conn.execute(f"truncate {tables} restart identity cascade".encode())
    return database_url


@pytest.mark.parametrize("size", ["fast", pytest.param("slow", marks=pytest.mark.slow)])
def test_any_order_of_calls_keeps_the_promises(empty_url: str, size: str) -> None:
    examples, steps = EXAMPLES[size]

    class Here(Lifecycle):
        url = empty_url

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
