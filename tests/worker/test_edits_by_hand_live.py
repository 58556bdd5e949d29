"""Edits by hand while a real worker runs: nothing is submitted twice, nothing is lost, and the doctor finds nothing after."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from sql import Connection
from tests.service import until
from tests.worker.plant import Plant, plant


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def ails(works: Plant) -> list[tuple[str, str]]:
    return await (await works.conn.execute("select rule, sentence from ops.doctor(1)")).fetchall()


async def is_well(works: Plant) -> None:
    """Within the sweep's grace."""
    await until(lambda: ails(works), lambda found: found == [])


async def running(works: Plant) -> UUID:
    """A job in the middle of its run."""
    await works.quirks(think_min_s=0.5, think_max_s=0.5)
    job = await works.upload()
    await until(lambda: works.one("select count(*) from automation_step"), lambda n: n >= 1)
    return job


async def test_a_failed_row_set_to_todo_runs_at_once(works: Plant) -> None:
    await works.quirks(closed_district="North")
    job = await works.upload()
    # The poll comes too late for this test: only the notification can start the job.
    async with works.worker(poll_s=3600.0):
        assert await works.ends(job) == "failed"
        await until(
            lambda: works.one("select count(*) from procrastinate_jobs where status = 'failed'"), lambda n: n == 1
        )
        await works.quirks(closed_district="")
        await works.conn.execute("update procrastinate_jobs set status = 'todo' where status = 'failed'")
        assert await works.ends(job) == "completed"
        await is_well(works)
    assert await works.submissions(job) == 1


EDITS = [
    "update procrastinate_jobs set attempts = 0, priority = 9",
    "update procrastinate_jobs set args = jsonb_build_object('automation_job_id', gen_random_uuid())",
    "update procrastinate_jobs set status = 'succeeded'",
    "delete from procrastinate_jobs",
]
EMPTIED = ["truncate procrastinate_events", "delete from procrastinate_workers", "truncate procrastinate_jobs cascade"]


async def test_a_run_goes_on_to_its_one_submission_whatever_befalls_its_row(works: Plant) -> None:
    # The lease is no part of this: a machine that stands still for seconds must not look like an edit's fault.
    async with works.worker(lease_s=60.0):
        job = await running(works)
        others = [await works.upload() for _ in EDITS[1:]]
        await until(lambda: works.one("select count(*) from automation_attempt"), lambda n: n == len(EDITS))
        for one, edit in zip([job, *others], EDITS, strict=True):
            row = await works.one("select queue_job_id from automation_job where id = %s", one)
            await works.conn.execute(f"{edit} where id = {row}".encode())
        for edit in EMPTIED:
            await works.conn.execute(edit.encode())
        assert "processing" in {await works.state(one) for one in (job, *others)}
        assert [await works.ends(one) for one in (job, *others)] == ["completed"] * len(EDITS)
        await is_well(works)
    spent = await works.conn.execute("select distinct attempt, failures, interruptions from automation_job")
    assert await spent.fetchall() == [(1, 0, 0)]
    assert [await works.submissions(one) for one in (job, *others)] == [1] * len(EDITS)


async def test_queued_jobs_whose_rows_were_edited_are_done_all_the_same(works: Plant) -> None:
    jobs = [await works.upload() for _ in EDITS]
    for job, edit in zip(jobs, EDITS, strict=True):
        row = await works.one("select queue_job_id from automation_job where id = %s", job)
        await works.conn.execute(f"{edit} where id = {row}".encode())
    await works.conn.execute("truncate procrastinate_events")
    async with works.worker():
        assert [await works.ends(job) for job in jobs] == ["completed"] * len(EDITS)
        last = await works.upload()
        await works.conn.execute("truncate procrastinate_jobs cascade")
        assert await works.ends(last) == "completed"
        await is_well(works)
    assert [await works.submissions(job) for job in (*jobs, last)] == [1] * (len(EDITS) + 1)


async def test_an_abort_request_stops_the_run_and_submits_nothing(works: Plant) -> None:
    async with works.worker():
        job = await running(works)
        await works.conn.execute("update procrastinate_jobs set abort_requested = true where status = 'doing'")
        assert await works.ends(job) == "cancelled"
        await is_well(works)
    assert await works.one("select outcome from automation_attempt") == "cancelled"
    assert await works.submissions(job) == 0


async def test_a_worker_outlives_a_locked_queue(
    works: Plant, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Longer than a statement waits for a lock: the fetch fails, and the worker fetches again."""
    async with works.worker():
        await works.ends(await works.upload())
        async with await AsyncConnection.connect(database_url) as dba:
            await dba.execute("lock table procrastinate_jobs in access exclusive mode")
            await until(_said(caplog, "fetch.trouble"), bool)
        job = await works.upload()
        assert await works.ends(job) == "completed"
        await is_well(works)
    assert await works.submissions(job) == 1


def _said(caplog: pytest.LogCaptureFixture, event: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return any(getattr(record, "event", "") == event for record in caplog.records)

    return ask


async def test_an_attempt_keeps_what_was_logged_for_it_and_nothing_that_was_keyed(
    works: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asbuilt")
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
        text = await until(
            lambda: works.one("select log from ops.attempts where job_id = %s", job), lambda log: "job.completed" in log
        )
    events = [line.split(" ", 3)[2] for line in text.splitlines()]
    assert events[0] == "attempt.began"
    assert events.count("step.began") == events.count("step.confirmed") == 5
    assert "Sign in" in text
    for keyed in ("WO-48213", "M. Okafor", "Southern pine", "44.4583"):
        assert keyed not in text
