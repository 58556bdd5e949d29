"""Redis killed, emptied, restarted and stopped (failure modes 8 and 9): it is never the truth, and nobody spins over it."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd, Page
from tests.faults.cluster import Cluster, cluster
from tests.faults.processes import DEADLINE_S
from tests.faults.timings import Limits


@pytest.mark.slow
async def test_redis_that_comes_and_goes_is_not_noticed_by_uploads_and_jobs() -> None:
    """Failure mode 8: down, emptied, restarted, all its clients cut off; 50 pages follow."""
    async with cluster(seconds=1) as c:
        crowd = Crowd(c)
        for _ in range(50):
            crowd.watch()
        done = asyncio.Event()
        loading = asyncio.create_task(crowd.load(per_s=5, until=done.is_set))
        await asyncio.sleep(2)
        c.cache.stop()
        await asyncio.sleep(15)
        await asyncio.to_thread(c.cache.start)
        for command in (("FLUSHALL",), ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "KILL", "TYPE", "pubsub")):
            await asyncio.sleep(8)
            c.cache.ask(*command)
        c.cache.stop()
        await asyncio.to_thread(c.cache.start)
        await asyncio.sleep(8)
        done.set()
        await loading
        await c.calm(within_s=90)
        await crowd.leave()
        report = await c.judge(demands=Demands(acked=150, effects=150), limits=Limits(ack_p99_s=1.0, event_p99_s=3.0))
        assert report.figures["unknown"] + report.figures["refused"] == 0
        assert report.figures["lost_attempts"] == 0
        assert await progress_is_back(c) < 10


@pytest.mark.slow
async def test_a_redis_that_does_not_answer_costs_no_cpu() -> None:
    """Failure mode 9: stopped for 65 s. The reader used to spin, and never to recover."""
    async with cluster(seconds=1) as c:
        crowd = Crowd(c)
        crowd.watch()
        await crowd.load(per_s=5, total=10)
        c.cache.send(signal.SIGSTOP)
        await crowd.load(per_s=2, phones=2, total=10)
        await c.calm()
        assert c.api is not None
        watched = [one.now for one in (c.api, *c.workers) if one.now is not None]
        before = [one.cpu_s for one in watched]
        await asyncio.sleep(50)
        used = [one.cpu_s - was for one, was in zip(watched, before, strict=True)]
        c.cache.send(signal.SIGCONT)
        assert max(used) < 10, f"seconds of CPU in 50 idle ones: {used}"
        assert await progress_is_back(c) < 10
        await crowd.leave()
        await c.judge(demands=Demands(acked=20, effects=20), limits=Limits(event_p99_s=3.0))


async def progress_is_back(c: Cluster) -> float:
    """Seconds until a page hears progress of a new job again."""
    began = time.time()
    page = Page(c, "watcher")
    following = asyncio.create_task(page.follow())
    async with asyncio.timeout(DEADLINE_S):
        while not page.at:
            await Crowd(c, seed=int(time.time() * 10) % 10**6).load(per_s=5, phones=1, total=1)
            await asyncio.sleep(0.5)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    page.leaves()
    await c.calm()
    return page.at - began
