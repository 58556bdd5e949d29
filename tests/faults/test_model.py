"""The protocol keeps its promises in every order of events, and each guard of it is needed."""

from __future__ import annotations

import pytest

from tests.faults.model import GUARDS, explore

BREAKS = {
    "claim": "two attempts are open at once",
    "fence": "a stale attempt settled the job",
    "lease": "an attempt lost a lease that had not run out",
    "sweep": "stuck: no way to an end",
    "repair": "stuck: no way to an end",
    "rowless": "stuck: no way to an end",
    "cap": "a job that kills its workers never ends",
    "key": "submitted twice",
    "service_fence": "failed, and submitted",
    "intent": "failed, and submitted",
    "lookup": "submitted twice",
}


def test_no_order_of_events_breaks_a_promise() -> None:
    explored = explore()
    assert explored.promise == "", explored.path
    assert explored.states > 10_000, "a model this small explores nothing"


@pytest.mark.slow
def test_nor_do_two_edits_by_hand() -> None:
    explored = explore(meddle=2)
    assert explored.promise == "", explored.path


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_there_is_a_counter_example(guard: str) -> None:
    explored = explore(off=guard)
    assert explored.promise == BREAKS[guard], explored
    assert explored.path
