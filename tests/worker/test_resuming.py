"""What an attempt takes over from the one before: the portal's draft in a new run, or the run itself, without a gap."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from sql import Connection
from tests.faults.history import Log
from tests.faults.http import serve
from tests.faults.service import Service
from tests.service import until
from tests.worker.plant import Plant, plant
from tests.worker.processes import worker_process

STEPS = "select key, state, resumed from automation_step where job_id = %s and attempt = %s order by index"


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def steps(works: Plant, job: UUID, attempt: int) -> list[tuple[str, str, bool]]:
    return await (await works.conn.execute(STEPS, [job, attempt])).fetchall()


async def breaks_in(works: Plant, job: UUID, step: str) -> None:
    """Wait until the step runs, and let every page fail until the job is put back."""
    await until(
        lambda: works.one("select count(*) from automation_step where job_id = %s and key = %s", job, step),
        lambda n: n >= 1,
    )
    await works.quirks(error_rate=1.0)
    await works.reaches(job, "retrying")
    await works.quirks(error_rate=0.0, think_min_s=0, think_max_s=0)


async def drafts(works: Plant) -> int:
    return int(await works.one("select count(*) from demo_portal.draft"))


async def test_a_new_run_goes_on_in_the_draft_of_the_one_before(works: Plant) -> None:
    await works.quirks(think_min_s=0.3, think_max_s=0.3)
    job = await works.upload()
    async with works.worker(retry_base_s=3600.0):
        await breaks_in(works, job, "photos")
        before = await drafts(works)
        await works.conn.execute("select ops.retry(%s, 'the portal is well again')", [job])
        assert await works.ends(job) == "completed"
    assert await steps(works, job, 1) == [
        ("sign_in", "confirmed", False),
        ("job", "confirmed", False),
        ("details", "confirmed", False),
        ("photos", "failed", False),
    ]
    assert await steps(works, job, 2) == [
        ("sign_in", "confirmed", False),
        ("job", "confirmed", True),
        ("details", "confirmed", True),
        ("photos", "confirmed", False),
        ("submit", "confirmed", False),
    ]
    assert await drafts(works) == before
    assert await works.submissions(job) == 1
    view = await works.served.http.get(f"/api/jobs/{job}/attempts", headers=works.served.bearer())
    assert [step["resumed"] for step in view.json()["items"][0]["steps"]] == [False, True, True, False, False]


async def test_a_draft_that_is_gone_is_begun_again(works: Plant) -> None:
    await works.quirks(think_min_s=0.3, think_max_s=0.3)
    job = await works.upload()
    async with works.worker(retry_base_s=3600.0):
        await breaks_in(works, job, "photos")
        await works.conn.execute(
            "delete from demo_portal.draft where id not in (select draft from demo_portal.submission)"
        )
        await works.conn.execute("select ops.retry(%s, 'the portal is well again')", [job])
        assert await works.ends(job) == "completed"
    assert [row[1:] for row in await steps(works, job, 2)] == [("confirmed", False)] * 5
    assert await works.submissions(job) == 1


async def test_what_another_version_of_the_recipe_keyed_is_not_trusted(works: Plant) -> None:
    await works.quirks(think_min_s=0.3, think_max_s=0.3)
    job = await works.upload()
    async with works.worker(retry_base_s=3600.0):
        await breaks_in(works, job, "photos")
        await works.conn.execute("update automation_step set recipe_version = recipe_version + 1")
        await works.conn.execute("select ops.retry(%s, 'the portal is well again')", [job])
        assert await works.ends(job) == "completed"
    assert [resumed for _, _, resumed in await steps(works, job, 2)] == [False] * 5


async def test_a_draft_is_not_used_again_after_something_may_have_been_submitted(works: Plant) -> None:
    await works.quirks(submit={"ok": 0, "error": 1})
    job = await works.upload()
    async with works.worker():
        await works.reaches(job, "retrying")
        await works.quirks(submit={"ok": 1})
        assert await works.ends(job) == "completed"
    last = await works.one("select max(attempt) from automation_step")
    assert [resumed for _, _, resumed in await steps(works, job, last)] == [False] * 5
    assert await works.submissions(job) == 1


async def test_an_attempt_that_takes_over_a_run_misses_nothing_of_it(works: Plant, tmp_path: Path) -> None:
    """The worker is killed in the middle of the run; what its successor stores is what the service has told."""
    service = Service(Log(tmp_path / "effects.jsonl"))
    service.mode = msgspec.structs.replace(service.mode, seconds=4.0, frames=True)
    async with serve(service) as url:
        works.settings = msgspec.structs.replace(works.settings, automation_url=url)
        job = await works.upload()
        async with worker_process(works.settings) as doomed:
            await until(
                lambda: works.one("select count(*) from automation_step where state = 'confirmed'"), lambda n: n >= 2
            )
            doomed.send(signal.SIGKILL)
            await doomed.ended()
        heard = await works.one("select last_seq from automation_run")
        taken = [key for key, state, _ in await steps(works, job, 1) if state == "confirmed"]
        assert heard > 0
        async with works.worker():
            assert await works.ends(job) == "completed"
        told = await journal(url, service)
    assert len(service.submitted) == 1
    assert len(service.runs) == 1
    frames = [event["seq"] for event in told if event["type"] == "frame"]
    stored = await (await works.conn.execute("select run_seq, attempt from artifact order by run_seq")).fetchall()
    assert [seq for seq, _ in stored] == frames
    assert {attempt for seq, attempt in stored if seq <= heard} == {1}
    confirmed = [event["data"]["id"] for event in told if event["type"] == "step.confirmed"]
    rows = await steps(works, job, 2)
    assert [key for key, state, _ in rows if state == "confirmed"] == confirmed
    view = await works.served.http.get(f"/api/jobs/{job}/attempts", headers=works.served.bearer())
    latest = view.json()["items"][0]["steps"]
    assert [step["key"] for step in latest if step["resumed"]] == confirmed[: len(taken)] != []
    assert all(step["screenshot"] for step in latest if step["key"] in confirmed)


async def journal(url: str, service: Service) -> list[dict[str, Any]]:
    """Every event of the one run, as the service holds it."""
    (run,) = service.runs
    async with httpx.AsyncClient(trust_env=False) as http:
        body = (await http.get(f"{url}/v1/runs/{run}/events", params={"after": 0})).content
    return [msgspec.json.decode(line) for line in body.splitlines()]
