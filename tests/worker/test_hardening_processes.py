"""A worker is told to stop, told again, cut off, or dies. It ends in time, says how by its exit code, and hands its jobs on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from psycopg import AsyncConnection

from sql import Connection
from sql.migrate import migrate
from tasks.hardening import GAVE_UP
from tests.logins import make_logins
from tests.service import until
from tests.worker.own_server import own_server
from tests.worker.plant import Plant, plant
from tests.worker.processes import worker_process

BEAT = "select last_heartbeat from procrastinate_workers"
STEPS = "select count(*) from automation_step"


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


def changed(works: Plant, **settings: object) -> Plant:
    return msgspec.structs.replace(works, settings=msgspec.structs.replace(works.settings, **settings))


async def begins(works: Plant) -> UUID:
    """A job that is being run, too slow to end before the test lets it."""
    await works.quirks(think_min_s=1.0, think_max_s=1.0)
    job = await works.upload()
    await until(lambda: works.one(STEPS), lambda steps: steps >= 1)
    return job


async def hurry(works: Plant) -> None:
    await works.quirks(think_min_s=0, think_max_s=0)


async def test_a_draining_worker_still_beats_and_ends_well(works: Plant) -> None:
    """One that did not was taken for dead by the next to start, and its job was run twice in every deploy."""
    async with worker_process(works.settings) as worker:
        job = await begins(works)
        worker.send(signal.SIGTERM)
        told_at = await works.one("select clock_timestamp()")
        await until(lambda: works.one(BEAT), lambda at: at > told_at)
        assert await works.state(job) == "processing"
        await hurry(works)
        assert await worker.ended() == 0
    assert await works.state(job) == "completed"
    assert await works.one("select count(*) from procrastinate_workers") == 0
    assert await works.one("select attempt, interruptions from automation_job") == (1, 0)


async def test_a_second_signal_detaches_at_once(works: Plant) -> None:
    async with worker_process(works.settings) as worker:
        job = await begins(works)
        worker.send(signal.SIGTERM)
        await worker.says("worker.draining")
        worker.send(signal.SIGTERM)
        assert await worker.ended() == 0
    assert await works.one("select outcome from automation_attempt") == "detached"
    assert await works.state(job) == "queued"
    await hurry(works)
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.one("select attempt, interruptions from automation_job") == (2, 0)
    assert await works.submissions(job) == 1


@pytest.mark.parametrize("away", ["stopped", pytest.param("frozen", marks=pytest.mark.slow)])
async def test_a_worker_without_its_database_ends_all_the_same(
    database_url: str, redis_url: str, portal_schema: None, tmp_path: Path, away: str
) -> None:
    """It used to log "Database error." and stay for ever. Exit code 75 says that an attempt was left to its lease."""
    async with own_server() as server:
        await migrate(server.url)
        make_logins(server.url)
        async with (
            await AsyncConnection.connect(server.url, autocommit=True) as conn,
            plant(server.url, redis_url, conn, tmp_path, portal_database=database_url) as made,
        ):
            works = changed(made, drain_s=1.0, lease_s=60.0)
            async with worker_process(works.settings) as busy:
                job = await begins(works)
                with server.frozen() if away == "frozen" else server.stopped():
                    busy.send(signal.SIGTERM)
                    assert await busy.ended() == GAVE_UP
        async with await AsyncConnection.connect(server.url, autocommit=True) as conn:
            row = await (await conn.execute("select state from automation_job where id = %s", [job])).fetchone()
            # What a frozen server was sent before the worker gave up, it may still do once it goes on.
            assert row == ("processing",) or (away == "frozen" and row == ("queued",)), row


@pytest.mark.slow
async def test_an_idle_worker_without_its_database_ends_well(redis_url: str, works: Plant) -> None:
    async with own_server() as server:
        await migrate(server.url)
        make_logins(server.url)
        async with worker_process(changed(works, database_url=server.url).settings) as idle:
            server.stop()
            await idle.says("LISTEN broke")
            idle.send(signal.SIGTERM)
            assert await idle.ended() == 0


async def test_a_job_that_kills_its_workers_ends_and_takes_no_other_with_it(works: Plant) -> None:
    """Procrastinate's own recipe runs a poison job for ever, and whoever runs beside it goes down with it each time."""
    poison, *good = [await works.upload() for _ in range(11)]
    deadly = changed(works, crashpoint=f"P1:kill:{poison}", concurrency=6, lease_s=3.0)
    deaths = 0

    async def over() -> bool:
        left = await works.one(
            "select count(*) from automation_job where state in ('queued', 'processing', 'retrying')"
        )
        return bool(left == 0)

    async with asyncio.timeout(120):
        while not await over():
            # The supervisor: whatever a worker dies of, the next one starts.
            async with worker_process(deadly.settings) as worker:
                ended = asyncio.create_task(worker.ended())
                finished = asyncio.create_task(until(over, bool, within_s=110))
                await asyncio.wait({ended, finished}, return_when=asyncio.FIRST_COMPLETED)
                finished.cancel()
                if ended.done():
                    assert ended.result() == -signal.SIGKILL, worker.said
                    deaths += 1
                else:
                    worker.send(signal.SIGTERM)
                    assert await ended == 0
    assert deaths == 3
    assert await works.one("select state, error_code, attempt from automation_job where id = %s", poison) == (
        "failed", "WORKER_CRASH", 3,
    )  # fmt: skip
    assert [await works.state(job) for job in good] == ["completed"] * 10
    assert await works.one("select max(interruptions) from automation_job where id <> %s", poison) <= 2
    assert [await works.submissions(job) for job in good] == [1] * 10
    assert await works.submissions(poison) == 0


POINTS = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8"]


async def dies_at(works: Plant, point: str) -> None:
    job = await works.upload()
    async with worker_process(changed(works, crashpoint=f"{point}:kill").settings) as worker:
        assert await worker.ended() == -signal.SIGKILL
        assert f"crashpoint {point} kill" in worker.said
    async with works.worker():
        assert await works.ends(job) == "completed"
        left = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"
        await until(lambda: works.one(left), lambda count: count == 0)
    assert await works.submissions(job) == 1


@pytest.mark.parametrize("point", ["W5"])
async def test_a_worker_killed_in_mid_submission_submits_nothing_twice(works: Plant, point: str) -> None:
    await dies_at(works, point)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_anywhere_submits_each_record_once(works: Plant, point: str) -> None:
    await dies_at(works, point)
