"""Postgres restarted without warning, frozen, and full of waiters (failure modes 5, 6, 19)."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from uuid import UUID, uuid4

import msgspec
import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd, document, phones
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Call, lines, now
from tests.faults.processes import ROOT
from tests.faults.timings import percentile, slack

PICKUP = "select extract(epoch from started_at - created_at)::float8 from automation_job where id = any(%s)"


async def restarts(c: Cluster, *, times: int, seed: int) -> list[tuple[float, float]]:
    """Each time: away without goodbye, up to 5 s down, then a few seconds to recover."""
    chance = random.Random(seed)
    spans = []
    for _ in range(times):
        span = await c.database.restart(down_s=chance.uniform(0, 5))
        c.outage(*span, of="postgres")
        spans.append(span)
        await asyncio.sleep(4)
    return spans


async def probes(c: Cluster, *, count: int, every_s: float = 0.2) -> list[UUID]:
    """Single uploads on an idle system."""
    jobs = []
    async with phones(c, "probe", count=1) as [phone]:
        for _ in range(count):
            jobs.append(await phone.upload())
            await asyncio.sleep(every_s)
    return jobs


def answers(c: Cluster) -> list[Call]:
    return [call for call in lines(c.calls.path, Call) if call.phase != "invoke"]


@pytest.mark.slow
async def test_postgres_restarts_lose_nothing_and_wake_everybody_again() -> None:
    """Failure mode 5: ten immediate restarts under load."""
    async with cluster(seconds=0.5) as c:
        crowd = Crowd(c)
        restarting = asyncio.create_task(restarts(c, times=10, seed=5))
        await crowd.load(per_s=6, until=restarting.done, follow=0.3)
        spans = await restarting
        await c.calm(within_s=90)
        probed = await probes(c, count=20)
        await c.calm()
        await crowd.leave()
        said = answers(c)
        assert {call.status for call in said if call.status >= 400} <= {503}, "anything else than 503"
        assert all(call.retry_after for call in said if call.status == 503)
        slow = [call.took_s for call in said if call.status == 503 and call.took_s > 3 * slack()]
        assert not slow, slow
        for _, back in spans:
            first = min((call.at for call in said if call.phase == "ok" and call.at > back), default=0.0)
            assert first - back < 3 * slack(), (
                f"the first acknowledgement came {first - back:.1f} s after Postgres was back"
            )
        pickups = [row[0] for row in await c.all(PICKUP, probed)]
        assert percentile(pickups, 0.95) < 0.5 * slack(), pickups
        print(report := await c.judge(demands=Demands(acked=150, effects=150, unknown=20)))
        assert report.figures["jobs_completed"] == report.figures["records"]


@pytest.mark.slow
async def test_a_frozen_postgres_is_answered_for() -> None:
    """Failure mode 6: every process of it stopped for 20 s. Uploads are told when to come back; health stays quick."""
    async with cluster(seconds=0.5) as c:
        crowd = Crowd(c)
        thawed = asyncio.Event()
        loading = asyncio.create_task(crowd.load(per_s=8, until=thawed.is_set))
        await asyncio.sleep(3)
        with c.database.frozen():
            frozen_at = now()
            health = await healths(c, for_s=20)
            frozen_until = now()
        c.outage(frozen_at, frozen_until, of="postgres")
        await asyncio.sleep(5)
        thawed.set()
        await loading
        during = [call for call in answers(c) if frozen_at + 0.5 < call.at < frozen_until and call.took_s]
        assert during, "nobody asked"
        assert {call.status for call in during} == {503}
        assert max(call.took_s for call in during) < 3 * slack()
        assert percentile(health, 0.95) < 0.1 * slack(), percentile(health, 0.95)
        back = min(call.at for call in answers(c) if call.phase == "ok" and call.at > frozen_until)
        assert back - frozen_until < 3 * slack()
        await c.calm(within_s=90)
        await c.judge(demands=Demands(acked=30, effects=30, unknown=8))


async def healths(c: Cluster, *, for_s: float) -> list[float]:
    """How long `/health/live` takes, asked again and again by another process."""
    command = [sys.executable, "-m", "tests.faults.probe", "127.0.0.1", str(c.port), str(for_s)]
    probe = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    took: list[float] = msgspec.json.decode((await probe.communicate())[0])
    assert took
    assert min(took) > 0, "the process said that it does not live"
    return took


@pytest.mark.slow
async def test_many_uploads_beside_held_locks_are_shed_and_not_stuck() -> None:
    """Failure mode 19: 300 uploads at once; five sessions hold the very records that sixty of them are about."""
    async with cluster(workers=1, seconds=0.2) as c, phones(c, "phone", count=30) as there:
        locked = [uuid4() for _ in range(5)]
        await asyncio.gather(*(there[n].upload(key) for n, key in enumerate(locked)))
        holding = [asyncio.create_task(hold(c, key)) for key in locked]
        await asyncio.sleep(1)
        keys = [locked[n % 5] if n % 5 == 0 else uuid4() for n in range(300)]
        checking = asyncio.create_task(healths(c, for_s=3))
        await asyncio.gather(*(there[n % 30].try_once(key, document(key)) for n, key in enumerate(keys)))
        said = answers(c)[5:]
        assert {call.status for call in said} <= {200, 201, 409, 503}, {call.status for call in said}
        assert max(call.took_s for call in said) < 3 * slack(), max(call.took_s for call in said)
        assert sum(call.phase == "ok" for call in said) > 20
        assert percentile(await checking, 0.95) < 0.5 * slack()
        began = time.monotonic()
        await there[0].upload()
        assert time.monotonic() - began < 2 * slack(), "not normal again"
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        await c.calm()
        await c.judge(demands=Demands(acked=20))


async def hold(c: Cluster, key: UUID) -> None:
    async with c.connect() as conn, conn.transaction():
        await conn.execute("select from asbuilt_record where id = %s for update", (key,))
        await conn.execute("select from automation_job where record_id = %s for update", (key,))
        await asyncio.sleep(30)
