"""Workers that are killed, stopped, drained and poisoned (failure modes 1, 2, 3, 4, 15)."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from uuid import UUID

import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Act, now
from tests.faults.processes import Proc, Supervised, eventually
from tests.faults.timings import Limits

STUCK = (
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'asbuilt-worker%'"
    " and wait_event_type = 'Lock'"
)


async def killing(c: Cluster, *, every_s: float, for_s: float, seed: int) -> None:
    """A random worker every so often, like a machine that runs out of memory."""
    chance = random.Random(seed)
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        await asyncio.sleep(every_s)
        worker = chance.choice(c.workers)
        if worker.now is not None and worker.now.alive and worker.up.is_set():
            await c.signal(worker.now, "kill", signal.SIGKILL)


async def only_killers_failed(c: Cluster) -> None:
    """A job that ended without success lost three workers in a row; nothing else may fail in such a run."""
    failed = await c.all("select id, error_code, interruptions from automation_job where state <> 'completed'")
    assert all(code in {"WORKER_CRASH", "SUBMIT_NOT_TAKEN"} and lost >= 3 for _, code, lost in failed), failed


@pytest.mark.slow
async def test_workers_killed_every_two_seconds_lose_and_double_nothing() -> None:
    """Failure mode 1: 200 jobs, 60 kills."""
    async with cluster(seconds=3) as c:
        crowd = Crowd(c)
        await asyncio.gather(
            crowd.load(per_s=1.7, total=200, follow=0.3, restless_s=2.0), killing(c, every_s=2, for_s=120, seed=7)
        )
        await c.calm(within_s=120)
        await crowd.leave()
        await only_killers_failed(c)
        report = await c.judge(
            demands=Demands(acked=200, effects=190, kills_that_hit=10, reconnects=30, snapshots_on_resume=0.05),
            limits=Limits(reclaim_p99_s=7.0),
        )
        print(report.figures)


@pytest.mark.slow
async def test_a_zombie_changes_nothing_and_drops_its_job() -> None:
    """Failure mode 2: stopped for longer than its lease at each point, continued after its successor has ended."""
    async with cluster(workers=0) as c:
        for batch in (("W2", "W3", "W4"), ("W5", "W6", "W7")):
            zombies = await stopped_at(c, [point for point in batch for _ in range(4)])
            for zombie in zombies:
                await c.signal(zombie, "cont", signal.SIGCONT)
            await asyncio.gather(*(drops(zombie) for zombie in zombies if "W7" not in zombie.name))
            await asyncio.gather(*(zombie.stop() for zombie in zombies))
        await c.judge(demands=Demands(acked=24, effects=24, zombies=20))
        assert await c.one("select count(*) from automation_job where state = 'completed'") == 24


async def stopped_at(c: Cluster, points: list[str]) -> list[Proc]:
    """Workers of one job each, stopped there; others have run their jobs to the end meanwhile."""
    began = await c.one("select count(*) from automation_attempt")
    zombies = [
        c.worker(f"zombie-{point}-{n}", CRASHPOINT=f"{point}:stop", ASBUILT_CONCURRENCY="1")
        for n, point in enumerate(points)
    ]
    for three in range(0, len(zombies), 3):
        await asyncio.gather(*(zombie.start() for zombie in zombies[three : three + 3]))
    await Crowd(c, seed=began + 1).load(per_s=50, phones=2, total=len(points))
    for zombie in zombies:
        await zombie.says("crashpoint")
        await zombie.stopped()
        c.nemesis.write(Act(at=now(), act="stop", target=zombie.name, running=await c.running_on(zombie.pid)))
    healthy = c.worker(f"healthy-{began}", ASBUILT_CONCURRENCY="12")
    await healthy.start()
    await c.calm(within_s=90)
    healthy.send(signal.SIGTERM)
    assert await healthy.ended() == 0
    return zombies


async def drops(zombie: Proc) -> None:
    """Within two seconds it has noticed."""
    began = time.monotonic()
    await eventually(
        lambda: any(word in zombie.said for word in ("attempt.fenced", "attempt.superseded", "finish.spent")),
        why=f"{zombie.name} went on:\n{zombie.said[-2000:]}",
        within_s=10,
    )
    assert time.monotonic() - began < 2.5, f"{zombie.name} took {time.monotonic() - began:.1f} s"


async def claimed(c: Cluster, count: int) -> None:
    async with asyncio.timeout(60):
        while await c.one("select count(*) from automation_attempt where ended_at is null") < count:
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_draining_worker_keeps_its_leases() -> None:
    """Failure mode 3: jobs of 8 s, a lease of 3 s, told to stop after 1 s while others are up: 30 jobs, each run once."""
    async with cluster(workers=0, seconds=8, settings={"ASBUILT_LEASE_S": "3"}) as c:
        old = [c.worker(f"old{n}", ASBUILT_CONCURRENCY="6") for n in range(5)]
        await asyncio.gather(*(worker.start() for worker in old))
        await Crowd(c).load(per_s=100, total=30)
        await claimed(c, 30)
        await c.work(2)
        for worker in old:
            await c.signal(worker, "term", signal.SIGTERM)
        assert [await worker.ended() for worker in old] == [0] * 5
        await c.calm()
        report = await c.judge(demands=Demands(acked=30, effects=30))
        assert report.figures["attempts"] == 30


@pytest.mark.slow
async def test_a_second_signal_hands_the_jobs_over() -> None:
    """Failure mode 3: detached, neither failed nor interrupted, and still submitted once."""
    async with cluster(workers=0, seconds=6) as c:
        old = [c.worker(f"old{n}", ASBUILT_CONCURRENCY="5") for n in range(2)]
        await asyncio.gather(*(worker.start() for worker in old))
        await Crowd(c).load(per_s=100, total=10)
        await claimed(c, 10)
        for worker in old:
            await c.signal(worker, "term", signal.SIGTERM)
            # Two that wait to be taken are one to the kernel.
            await worker.says("worker.draining")
            await c.signal(worker, "term", signal.SIGTERM)
        assert [await worker.ended(within_s=15) for worker in old] == [0] * 2
        await c.work(2)
        await c.calm()
        report = await c.judge(demands=Demands(acked=10, effects=10))
        assert report.figures["detached"] == 10
        assert await c.one("select max(interruptions), max(failures) from automation_job") == (0, 0)


@pytest.mark.slow
async def test_a_rolling_deploy_neither_loses_nor_repeats_work() -> None:
    """Failure mode 3: all workers are replaced every 10 s while 60 jobs of 12 s run."""
    async with cluster(workers=0, seconds=12, settings={"ASBUILT_CONCURRENCY": "8"}) as c:
        await c.work(2)
        crowd = Crowd(c)
        deploying = asyncio.create_task(_deploys(c, times=5))
        await crowd.load(per_s=1.5, total=60)
        codes = await deploying
        await c.calm(within_s=120)
        assert set(codes) == {0}, codes
        report = await c.judge(demands=Demands(acked=60, effects=60))
        assert report.figures["lost_attempts"] == 0


async def _deploys(c: Cluster, *, times: int) -> list[int]:
    leaving: list[Supervised] = []
    for _ in range(times):
        await asyncio.sleep(10)
        old, c.workers = c.workers, []
        await c.work(2)
        leaving += old
        for worker in old:
            worker.retire()
    for worker in leaving:
        await worker.gone()
    return [worker.deaths[-1] for worker in leaving]


@pytest.mark.slow
async def test_a_lost_finish_is_found() -> None:
    """Failure mode 4: whoever settles or finishes waits for a lock, and loses its connection there, again and again."""
    async with cluster(workers=2, seconds=1) as c:
        await Crowd(c).load(per_s=50, total=20)
        ended_at = 0.0
        async with c.connect() as holder, c.connect() as killer:
            for _ in range(12):
                async with holder.transaction():
                    await holder.execute("select from procrastinate_jobs where status = 'doing' for update")
                    await asyncio.sleep(0.5)
                    await killer.execute(STUCK)
                await asyncio.sleep(0.3)
            ended_at = time.monotonic()
        await c.calm()
        assert time.monotonic() - ended_at < 20
        await c.judge(demands=Demands(acked=20, effects=20))


@pytest.mark.slow
async def test_a_poison_job_ends_and_takes_nobody_with_it() -> None:
    """Failure mode 15: it kills each worker that runs it; after the third it has failed, and ten others are completed."""
    async with cluster(workers=0, seconds=2) as c:
        crowd = Crowd(c)
        await crowd.load(per_s=50, phones=1, total=11)
        poison: UUID = crowd.jobs[0]
        await c.work(2, CRASHPOINT=f"P1:kill:{poison}")
        await c.calm(within_s=120)
        row = await c.one("select state, error_code, attempt from automation_job where id = %s", poison)
        assert row == ("failed", "WORKER_CRASH", 3)
        assert await c.one("select count(*) from automation_job where state = 'completed'") == 10
        assert sum(len(worker.deaths) for worker in c.workers) == 3
        await c.judge(demands=Demands(acked=11, effects=10))
