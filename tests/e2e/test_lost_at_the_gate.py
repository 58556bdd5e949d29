"""A worker killed while its run waits at the gate: the next attempt finds that very run and opens it, once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sql import Connection
from tests.e2e.test_canary import BROWSERS_LATER
from tests.worker.plant import plant
from tests.worker.processes import worker_process


@pytest.mark.parametrize("browser", BROWSERS_LATER)
async def test_a_run_at_its_gate_outlives_the_worker_that_is_killed(
    database_url: str, redis_url: str, conn: Connection, portal_schema: None, tmp_path: Path, browser: str
) -> None:
    """The gate once closed before the lost worker's lease ran out: the browser's work was thrown away, and redone."""
    async with plant(database_url, redis_url, conn, tmp_path, browser=browser) as made:
        doomed = msgspec.structs.replace(made.settings, crashpoint="W4:kill")
        async with worker_process(doomed) as worker:
            job = await made.upload()
            assert await worker.ended() == -9
        assert await made.submissions(job) == 0
        async with made.worker():
            assert await made.ends(job) == "completed"
        assert await made.submissions(job) == 1
        [_the_same_run] = (made.settings.runner_dir / "runs").glob("*.jsonl")
        [line] = [msgspec.json.decode(each) for each in made.settings.portal_log.read_bytes().splitlines()]
        assert (line["accepted"], line["fence"]) == (True, 2)
        outcomes = await conn.execute(
            "select outcome from automation_attempt where job_id = %s order by attempt", (job,)
        )
        assert [row[0] for row in await outcomes.fetchall()] == ["lost", "completed"]
