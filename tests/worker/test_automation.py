"""A job from its upload to the portal, on real parts: what is recorded, what is retried, and what is never done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sql import Connection
from tests.service import until
from tests.worker.plant import Plant, plant


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


ROWS = "select queue_name, status::text from procrastinate_jobs order by id"


async def rows(works: Plant) -> list[tuple[str, str]]:
    return await (await works.conn.execute(ROWS)).fetchall()


async def test_a_job_reaches_the_portal_once_and_everything_is_on_record(works: Plant) -> None:
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
        await until(lambda: rows(works), lambda found: found == [("automation", "succeeded")])
    assert await works.submissions(job) == 1
    confirmation = await works.one("select confirmation from automation_job where id = %s", job)
    assert confirmation.startswith("NPL-2026-")
    assert await works.one("select confirmation, state from portal_submission where job_id = %s", job) == (
        confirmation, "confirmed",
    )  # fmt: skip
    steps = await (await works.conn.execute("select key, state from automation_step order by index")).fetchall()
    assert [key for key, _ in steps] == ["sign_in", "job", "details", "photos", "submit"]
    assert {state for _, state in steps} == {"confirmed"}
    events = await (await works.conn.execute("select seq, data ->> 'state' from job_event order by seq")).fetchall()
    assert events == [(1, "queued"), (2, "processing"), (3, "completed")]


async def test_transient_failures_are_three_runs_and_no_more(works: Plant) -> None:
    await works.quirks(error_rate=1.0)
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "failed"
        await until(lambda: rows(works), lambda found: found == [("automation", "failed")] * 3)
    assert await works.one("select attempt, failures, error_code from automation_job where id = %s", job) == (
        3, 3, "PORTAL_ERROR",
    )  # fmt: skip
    outcomes = await (await works.conn.execute("select attempt, outcome from automation_attempt order by 1")).fetchall()
    assert outcomes == [(1, "failed"), (2, "failed"), (3, "failed")]
    assert await works.submissions(job) == 0


async def test_a_back_off_waits_in_the_other_queue_until_the_database_says_it_is_due(works: Plant) -> None:
    await works.quirks(error_rate=1.0)
    job = await works.upload()
    async with works.worker(retry_base_s=3600.0):
        await works.reaches(job, "retrying")
        await until(lambda: rows(works), lambda found: found == [("automation", "failed"), ("waiting", "todo")])
        wait_s = await works.one("select extract(epoch from ready_at - now())::float8 from automation_job")
        assert 1700 < wait_s <= 3600
        await works.quirks(error_rate=0.0)
        await works.conn.execute("select ops.retry(%s, 'the portal is back')", [job])
        assert await works.ends(job) == "completed"
    assert await works.one("select failures, attempt from automation_job") == (0, 2)


async def test_what_the_portal_refuses_for_good_is_not_tried_again(works: Plant) -> None:
    await works.quirks(closed_district="North")
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "failed"
    attempt, code, kind, message = await works.one(
        "select attempt, error_code, error_class, error_message from automation_job where id = %s", job
    )
    assert (attempt, code, kind) == (1, "PORTAL_REJECTED", "validation_rejected")
    assert "portal says" in message.lower()


async def test_a_superseded_queue_row_runs_nothing(works: Plant) -> None:
    job = await works.upload()
    await works.conn.execute("update automation_job set queue_job_id = queue_defer(id, 'waiting') where id = %s", [job])
    async with works.worker():
        await until(lambda: rows(works), lambda found: ("automation", "aborted") in found)
    assert await works.one("select count(*) from automation_attempt") == 0


async def test_a_worker_that_stops_hands_its_run_over(works: Plant) -> None:
    """A deploy in mid-run: the run goes on in the automation service, and the next worker attaches to it."""
    await works.quirks(think_min_s=0.4, think_max_s=0.4)
    job = await works.upload()
    async with works.worker(drain_s=0.1):
        await until(lambda: works.one("select count(*) from automation_step"), lambda n: n >= 2)
    assert await works.state(job) == "queued"
    assert await works.one("select outcome from automation_attempt") == "detached"
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.one("select count(*) from automation_run") == 1
    assert await works.one("select failures, interruptions, attempt from automation_job") == (0, 0, 2)
    assert await works.submissions(job) == 1


async def test_a_lost_attempt_is_found_and_its_job_goes_on(works: Plant) -> None:
    """A worker that died: its attempt's lease runs out, and another attaches to the run."""
    job = await works.upload()
    queue_row = await works.one("select queue_job_id from automation_job where id = %s", job)
    await works.conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", [queue_row])
    await works.conn.execute("select claim_attempt(%s, %s, 'gone:1', 0.2)", [job, queue_row])
    async with works.worker():
        assert await works.ends(job) == "completed"
    outcomes = await (await works.conn.execute("select attempt, outcome from automation_attempt order by 1")).fetchall()
    assert outcomes == [(1, "lost"), (2, "completed")]
    assert await works.submissions(job) == 1


async def test_an_answer_lost_after_the_submission_is_looked_up_and_never_sent_again(works: Plant) -> None:
    await works.quirks(submit={"ok": 0, "lost": 1}, duplicates="accept")
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select confirmed_by from portal_submission") == "lookup"


async def test_a_portal_that_asks_for_the_submission_once_more_gets_it_once_more(works: Plant) -> None:
    """Its page says "submit it again": no finding about the record, and believed only after a look."""
    await works.quirks(submit={"ok": 0, "refused": 1})
    await works.conn.execute("update portal set settle_s = 0.5")
    job = await works.upload()
    async with works.worker():
        await works.reaches(job, "retrying")
        await works.quirks(submit={"ok": 1})
        assert await works.ends(job) == "completed"
    assert await works.one("select error_code from automation_attempt order by attempt limit 1") == "PORTAL_ERROR"
    assert await works.one("select failures >= 1, (select count(*) from defect) from automation_job") == (True, 0)
    assert await works.submissions(job) == 1


async def test_a_running_job_can_be_cancelled(works: Plant) -> None:
    await works.quirks(think_min_s=0.5, think_max_s=0.5)
    job = await works.upload()
    async with works.worker():
        await until(lambda: works.one("select count(*) from automation_step"), lambda n: n >= 1)
        await works.conn.execute("select ops.cancel(%s, 'wrong pole')", [job])
        assert await works.ends(job) == "cancelled"
    assert await works.one("select outcome from automation_attempt") == "cancelled"
    assert await works.submissions(job) == 0


async def test_many_jobs_at_once_are_each_submitted_once(works: Plant) -> None:
    jobs = await asyncio.gather(*(works.upload() for _ in range(8)))
    async with works.worker(), works.worker():
        assert [await works.ends(job) for job in jobs] == ["completed"] * 8
    assert [await works.submissions(job) for job in jobs] == [1] * 8


async def test_what_the_portal_says_stands_at_the_records_field_until_it_takes_the_record(works: Plant) -> None:
    await works.quirks(closed_district="North")
    job = await works.upload()
    query = (
        "select rule, severity, field, status, evidence ->> 'portal_field' from defect where rule = 'portal.rejected'"
    )
    async with works.worker():
        assert await works.ends(job) == "failed"
        assert await works.one(query) == ("portal.rejected", "major", "district", "open", "district")
        assert "closed" in await works.one("select message from defect where rule = 'portal.rejected'")
        await works.conn.execute("select ops.retry(%s, 'once more')", [job])
        await until(lambda: works.one("select attempt from automation_job"), lambda n: n == 2)
        assert await works.ends(job) == "failed"
        assert await works.one("select count(*) from defect where rule = 'portal.rejected'") == 1
        await works.quirks(closed_district="")
        await works.conn.execute("select ops.retry(%s, 'open again')", [job])
        await works.reaches(job, "completed")
    assert await works.one(query) == ("portal.rejected", "major", "district", "fixed", "district")
