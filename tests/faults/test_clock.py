"""A worker's and a web process's clock is wrong, and jumps (failure mode 13): only the database's counts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
             "/usr/lib/faketime/libfaketime.so.1")  # fmt: skip
LATE = """
select extract(epoch from n.at - (e.data ->> 'ready_at')::timestamptz)::float8
  from job_event as e join job_event as n on n.job_id = e.job_id and n.seq = e.seq + 1
 where e.data ->> 'state' = 'retrying' and n.data ->> 'state' = 'processing'
"""


def library() -> str:
    """libfaketime; the package `faketime` brings it. Without it the test cannot say anything, and fails saying so."""
    found = next((path for path in LIBRARIES if Path(path).exists()), None)
    assert found, "libfaketime is missing: apt-get install faketime"
    return found


def shifted(file: Path, by: str) -> dict[str, str]:
    """The environment of a process whose wall clock is off; the file can be changed while it runs."""
    file.write_text(by)
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_CACHE_DURATION": "1",
    }


async def fail_and_recover(c: Cluster, *, total: int) -> None:
    """Every first run is refused with an error of the service; then it works."""
    await c.behave(start="500")
    crowd = Crowd(c)
    await crowd.load(per_s=20, total=total)
    async with asyncio.timeout(60):
        while await c.one("select count(*) from automation_job where state = 'retrying'") < total:
            await asyncio.sleep(0.05)
    await c.behave(start="ok")


@pytest.mark.slow
@pytest.mark.parametrize("by", ["+1h", "-1h"])
async def test_a_wrong_clock_of_a_worker_changes_nothing(by: str) -> None:
    """Each retry begins when the database says it is due, and the three attempts are three."""
    async with cluster(workers=0, seconds=1, settings={"ASBUILT_RETRY_BASE_S": "4"}) as c:
        await c.work(1, **shifted(c.folder / "clock", by))
        await fail_and_recover(c, total=6)
        (c.folder / "clock").write_text("-10m" if by == "+1h" else "+50m")
        await c.calm(within_s=90)
        late = [row[0] for row in await c.all(LATE)]
        assert len(late) >= 6
        assert min(late) > -0.05, late
        assert max(late) < 2.5, late
        await c.behave(start="500")
        await Crowd(c, seed=2).load(per_s=20, total=3)
        await c.calm(within_s=120)
        report = await c.judge(demands=Demands(acked=9, effects=6))
        assert await c.all("select distinct attempt, failures from automation_job where state = 'failed'") == [(3, 3)]
        assert report.figures["lost_attempts"] == 0


@pytest.mark.slow
async def test_a_wrong_clock_of_the_web_process_changes_nothing() -> None:
    """Order of streams, ages and sign-in live by the database's clock; here it jumps back by ten minutes in the middle."""
    async with cluster(api=False, seconds=1) as c:
        await c.serve(**shifted(c.folder / "clock", "+1h"))
        crowd = Crowd(c)
        await crowd.load(per_s=5, total=10, follow=1.0, restless_s=1.0)
        (c.folder / "clock").write_text("+50m")
        await crowd.load(per_s=5, total=10, follow=1.0, restless_s=1.0)
        await c.calm()
        await crowd.leave()
        await c.judge(demands=Demands(acked=20, effects=20, reconnects=10))
