"""One running stack for all browser tests, with an operator and a crew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.browser.desk import Crew, Desk, Person, at_desk, make_person
from tests.e2e.stacks import Stack, home_directory, running


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    # A machine that is busy with other tests refuses no page what it asks for.
    with home_directory() as home, running(home, ASBUILT_DATABASE_S="20") as stack:
        yield stack


@pytest.fixture(scope="session")
def crew(stack: Stack) -> Iterator[Crew]:
    crew = Crew(stack)
    with crew.http:
        yield crew


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Person:
    return make_person(stack, "operator")


@pytest.fixture
async def desk(stack: Stack) -> AsyncIterator[Desk]:
    async with at_desk(stack) as desk:
        yield desk
