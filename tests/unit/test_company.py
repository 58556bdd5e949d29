"""A suspect runs alone: nobody is with it when it begins, and nobody comes in before it has ended."""

from __future__ import annotations

import asyncio

from tasks.company import Company


async def settle() -> None:
    """Let every task go on until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


async def alone(company: Company, row: int, began: asyncio.Event, ends: asyncio.Event) -> None:
    async with company.alone(row):
        began.set()
        await ends.wait()


async def test_it_waits_for_those_who_run_and_for_a_fetch_under_way() -> None:
    company, began, ends = Company(), asyncio.Event(), asyncio.Event()
    company.enter(1)
    company.enter(2)
    with company.fetching():
        task = asyncio.create_task(alone(company, 1, began, ends))
        await settle()
        assert not company.open.is_set()
        company.leave(2)
        await settle()
        assert not began.is_set(), "the fetch may bring company"
        company.enter(3)
    await settle()
    assert not began.is_set()
    company.leave(3)
    await settle()
    assert began.is_set()
    ends.set()
    await task
    assert company.open.is_set()


async def test_two_suspects_take_turns() -> None:
    company = Company()
    begins, ends = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]
    company.enter(1)
    company.enter(2)
    tasks = [asyncio.create_task(alone(company, n + 1, begins[n], ends[n])) for n in range(2)]
    await settle()
    assert [event.is_set() for event in begins] == [True, False]
    ends[0].set()
    await settle()
    assert begins[1].is_set()
    ends[1].set()
    await asyncio.gather(*tasks)
    assert company.open.is_set()


async def test_one_that_is_cancelled_while_it_waits_shuts_nobody_out() -> None:
    company, began, ends = Company(), asyncio.Event(), asyncio.Event()
    company.enter(1)
    company.enter(2)
    task = asyncio.create_task(alone(company, 1, began, ends))
    await settle()
    task.cancel()
    await asyncio.wait({task})
    assert company.open.is_set()
    assert not began.is_set()
