"""A completed record is run again on real parts: the portal has two entries, each submitted once, whatever is killed meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from sql import Connection
from tests.service import until
from tests.worker.plant import Plant, plant
from tests.worker.processes import worker_process

AGAIN = "select ops.run_again(%s, 'the customer deleted it', %s)"


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def killed(works: Plant, point: str) -> None:
    """A worker takes the job up, and dies there."""
    async with worker_process(msgspec.structs.replace(works.settings, crashpoint=f"{point}:kill")) as doomed:
        await doomed.ended()
        assert f"crashpoint {point} kill" in doomed.said


async def completed(works: Plant, job: UUID) -> tuple[str, str]:
    """By a worker that lives: the reference and the number."""
    async with works.worker():
        assert await works.ends(job) == "completed"
    reference, number = await works.one("select external_ref, confirmation from automation_job where id = %s", job)
    return reference, number


def taken(works: Plant) -> Counter[str]:
    """What the portal took in, by reference: its own log."""
    lines = [msgspec.json.decode(line) for line in works.settings.portal_log.read_bytes().splitlines()]
    return Counter(line["reference"] for line in lines if line["accepted"])


async def taken_over(works: Plant, job: UUID, *, attempt: int) -> list[str]:
    """Steps that this attempt took over instead of keying them; it keyed the others."""
    query = "select key, resumed from automation_step where job_id = %s and attempt = %s and state = 'confirmed'"
    rows = await (await works.conn.execute(query.encode(), [job, attempt])).fetchall()
    assert len(rows) >= 4
    return [key for key, resumed in rows if resumed]


@pytest.mark.slow
@pytest.mark.parametrize("point", ["W4", "W5"])
async def test_each_submission_is_made_once_and_begins_anew(works: Plant, point: str) -> None:
    """Both lose their worker. The first one's steps, which its second attempt took over, are no steps of the second one."""
    job = await works.upload()
    await killed(works, "W5")
    first, number = await completed(works, job)
    await works.conn.execute(AGAIN, [job, number])
    await killed(works, point)
    second, other = await completed(works, job)
    assert (second, other != number) == (f"{first}-2", True)
    assert taken(works) == {first: 1, second: 1}
    assert not await taken_over(works, job, attempt=3)
    keys = await works.conn.execute("select generation from automation_run where job_id = %s order by 1", [job])
    assert len(await keys.fetchall()) == 2
    assert await (await works.conn.execute("select * from ops.doctor(60)")).fetchall() == []


async def test_every_step_is_keyed_anew_and_a_lost_answer_is_looked_up_under_the_new_reference(works: Plant) -> None:
    job = await works.upload()
    first, number = await completed(works, job)
    await works.conn.execute(AGAIN, [job, number])
    await works.quirks(submit={"ok": 0, "lost": 1})
    second, other = await completed(works, job)
    assert other != number
    assert await taken_over(works, job, attempt=2) == []
    assert taken(works) == {first: 1, second: 1}
    how = await works.one("select confirmed_by from portal_submission where external_ref = %s", second)
    assert how == "lookup"


async def test_a_search_that_shows_the_former_entry_proves_nothing(works: Plant) -> None:
    job = await works.upload()
    _, number = await completed(works, job)
    await works.conn.execute(AGAIN, [job, number])
    await works.quirks(submit={"ok": 0, "lost": 1}, index_lag_s=3600)
    await works.conn.execute("update portal set settle_s = 3600")
    async with works.worker():
        await works.reaches(job, "retrying")
        # As if it searched for a part of what is typed.
        await works.conn.execute(
            "update demo_portal.submission set reference = (select external_ref from automation_job where id = %s)"
            " where confirmation = %s", [job, number],
        )  # fmt: skip
        await works.quirks(index_lag_s=0)
        told = "select count(*) from automation_attempt where job_id = %s and error_message like %s"
        await until(lambda: works.one(told, job, f"%shows {number}, the entry before"), lambda n: n >= 1)
        assert await works.state(job) in ("retrying", "processing")
    assert (
        await works.one("select state from portal_submission where job_id = %s and external_ref like '%%-2'", job)
        == "intent"
    )
