"""Checks have a place of their own beside the runs, and neither kind ever takes more places than it has.

These workers poll, and mend, once an hour: a freed place that does not wake them is never used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from sql import Connection
from tasks import worker
from tasks.automation import automate
from tasks.fetching import HardenedManager
from tasks.worker import make_app
from tasks.workshop import Workshop
from tests.service import until
from tests.web.test_deferred_checks import large
from tests.worker.plant import Plant, plant
from tests.worker.test_checks import send
from tests.worker.test_hardening_pickup import INSERT, LEFT, NEVER_S

CHECK = "select queue_checks(%s)"
AT_WORK = "select count(*) from procrastinate_jobs where status = 'doing' and queue_name = %s"
ENDED = "select count(*) from procrastinate_jobs where status in ('succeeded', 'failed', 'aborted') and queue_name = %s"


class Door:
    """Runs wait here before they begin; `most` says how many were ever at work at once."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.began = asyncio.Queue[UUID]()
        self.most = 0
        self._inside = 0

    async def automate(self, shop: Workshop, job: UUID, queue_job: int) -> None:
        self._inside += 1
        self.most = max(self.most, self._inside)
        self.began.put_nowait(job)
        try:
            await self.open.wait()
            await automate(shop, job, queue_job)
        finally:
            self._inside -= 1


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(worker, "automate", door.automate)
    return door


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        made.settings = msgspec.structs.replace(made.settings, concurrency=1, poll_s=NEVER_S, reconcile_s=NEVER_S)
        yield made


async def ended(works: Plant, queue: str, count: int) -> None:
    await until(lambda: works.one(ENDED, queue), lambda now: now == count)


async def test_a_record_is_checked_beside_a_run_that_takes_the_only_place(works: Plant, door: Door) -> None:
    async with works.worker():
        run = await works.upload()
        await door.began.get()
        checked = await send(works, large())
        assert await works.reaches(checked, "queued") == "queued"
        assert await works.one(AT_WORK, "automation") == 1
        door.open.set()
        assert await works.ends(run) == "completed"
        assert await works.ends(checked) == "completed"
    assert door.most == 1


async def test_a_queue_of_both_kinds_drains_with_one_of_each_at_work(works: Plant, door: Door) -> None:
    for _ in range(4):
        await works.conn.execute(INSERT, [uuid4()])
        await works.conn.execute(CHECK, [uuid4()])
    async with works.worker():
        await door.began.get()
        await ended(works, "checks", 4)
        assert (await works.one(AT_WORK, "automation"), await works.one(ENDED, "automation")) == (1, 0)
        door.open.set()
        await until(lambda: works.one(LEFT), lambda left: left == 0)
    assert door.most == 1


async def test_runs_go_on_beside_a_check_and_checks_one_by_one(
    works: Plant, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, go_on = asyncio.Queue[UUID](), asyncio.Queue[bool]()

    async def check(_: object, record: UUID) -> None:
        looked.put_nowait(record)
        await go_on.get()

    monkeypatch.setattr("app.intake.checking.Checker.check", check)
    door.open.set()
    async with works.worker(), asyncio.timeout(60):
        await works.conn.execute(CHECK, [uuid4()])
        await works.conn.execute(CHECK, [uuid4()])
        await looked.get()
        for _ in range(3):
            await works.conn.execute(INSERT, [uuid4()])
        await ended(works, "automation", 3)
        assert (looked.qsize(), await works.one(AT_WORK, "checks")) == (0, 1)
        go_on.put_nowait(True)
        await looked.get()
        go_on.put_nowait(True)
        await ended(works, "checks", 2)


async def test_a_worker_whose_places_are_taken_does_not_ask_again_and_again(
    works: Plant, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    fetch = HardenedManager._fetch

    async def counted(self: HardenedManager, queues: Any, worker_id: int) -> Any:
        job = await fetch(self, queues, worker_id)
        asked.append([queue for queue in queues if self.has_place(queue)])
        return job

    monkeypatch.setattr(HardenedManager, "_fetch", counted)
    for _ in range(3):
        await works.conn.execute(INSERT, [uuid4()])
    async with works.worker():
        await door.began.get()
        await works.conn.execute(CHECK, [uuid4()])
        await ended(works, "checks", 1)
        # The start, LISTEN's return, the check's notification and its end; each may find a fetch under way.
        assert len(asked) < 10, asked
        door.open.set()
        await until(lambda: works.one(LEFT), lambda left: left == 0)


async def test_one_shot_works_the_whole_backlog_off(works: Plant, door: Door) -> None:
    """The fetch that finds no place must not be taken for the one that finds nothing."""
    for _ in range(3):
        await works.conn.execute(INSERT, [uuid4()])
        await works.conn.execute(CHECK, [uuid4()])
    door.open.set()
    app = make_app(works.settings)
    async with app.open_async(), asyncio.timeout(60):
        await app.run_worker_async(install_signal_handlers=False, wait=False)
    assert (await works.one(LEFT), door.most) == (0, 1)


async def test_the_command_lines_concurrency_means_runs(works: Plant, door: Door) -> None:
    for _ in range(3):
        await works.conn.execute(INSERT, [uuid4()])
    app = make_app(works.settings)
    async with app.open_async(), asyncio.timeout(60):
        working = asyncio.create_task(app.run_worker_async(install_signal_handlers=False, wait=False, concurrency=2))
        await door.began.get()
        await door.began.get()
        await works.conn.execute(CHECK, [uuid4()])
        await ended(works, "checks", 1)
        door.open.set()
        await working
    assert door.most == 2


@pytest.mark.parametrize(("queues", "named"), [(["unknown"], "unknown"), ([], "all of them"), (["checks"], "checks")])
async def test_queues_that_a_worker_does_not_take_are_refused_by_name(
    works: Plant, queues: list[str], named: str
) -> None:
    """`procrastinate worker --queues=unknown` ended with a KeyError at its first fetch; without a name it would fetch what waits."""
    app = make_app(works.settings)
    async with app.open_async():
        with pytest.raises(worker.UnknownQueues, match=f"and not {named}$"):
            await app.run_worker_async(install_signal_handlers=False, wait=False, queues=queues)


async def test_a_worker_may_leave_the_checks_to_others(works: Plant, door: Door) -> None:
    await works.conn.execute(INSERT, [uuid4()])
    await works.conn.execute(CHECK, [uuid4()])
    door.open.set()
    app = make_app(works.settings)
    async with app.open_async(), asyncio.timeout(60):
        await app.run_worker_async(install_signal_handlers=False, wait=False, queues=["automation"])
    assert await works.one(LEFT) == 1
    assert (await works.one(ENDED, "automation"), await works.one(ENDED, "checks")) == (1, 0)
