"""An automation service that is down, busy, cut off after it has done its work, or forgetful (failure modes 12, 16, 26)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster

SLOTS = 8


async def asked(c: Cluster) -> list[float]:
    async with httpx.AsyncClient(trust_env=False) as http:
        found: dict[str, Any] = msgspec.json.decode((await http.get(f"{c.service_url}/faults")).content)
    return list(found["asked"])


@pytest.mark.slow
@pytest.mark.parametrize("manner", ["maintenance", "busy"])
async def test_a_service_that_says_not_now_is_not_stormed(manner: str) -> None:
    """Failure mode 16: refused with Retry-After 5 for half a minute under 150 jobs; no attempt of any budget is spent."""
    async with cluster(seconds=0.5) as c:
        await c.behave(start=manner, retry_after_s=5)
        await Crowd(c).load(per_s=30, total=150)
        await asyncio.sleep(25)
        during = await asked(c)
        assert await c.one("select max(failures) from automation_job") == 0
        await c.behave(start="ok")
        await c.calm(within_s=120)
        assert max(Counter(int(at) for at in during).values()) <= 2 * SLOTS * 3
        tenths = Counter(int(at * 10) for at in during)
        assert max(tenths.values()) <= max(0.2 * len(during), SLOTS)
        report = await c.judge(demands=Demands(acked=150, effects=150))
        assert report.figures["jobs_completed"] == 150


@pytest.mark.slow
@pytest.mark.parametrize("where", ["start", "commit"])
@pytest.mark.parametrize("manner", ["drop", "hang"])
async def test_work_that_was_done_without_an_answer_is_done_once(where: str, manner: str) -> None:
    """Failure mode 12, with a key: requests may be more, effects are not."""
    async with cluster(seconds=0.5) as c:
        await c.behave(**{where: manner, "once": True})
        await Crowd(c).load(per_s=50, total=12)
        await c.calm(within_s=120)
        report = await c.judge(demands=Demands(acked=12, effects=12))
        assert report.figures["jobs_completed"] == 12


@pytest.mark.slow
@pytest.mark.parametrize("lookup", [False, "none"])
async def test_what_nobody_can_tell_is_asked_of_a_person(lookup: bool | str) -> None:
    """Failure mode 12, naive: the service ignores the key and forgets, the portal has no look-up. Never a blind second try."""
    async with cluster(seconds=0.5, settings={"ASBUILT_VERIFY_S": "3"}) as c:
        await c.behave(naive=True, lookup=lookup, commit="drop", once=True)
        await Crowd(c).load(per_s=50, total=12)
        await c.calm(within_s=120)
        report = await c.judge(demands=Demands(acked=12, effects=12))
        states = await c.all("select state, wait_reason, count(*) from automation_job group by 1, 2")
        assert report.figures["effects"] == 12
        assert {(state, reason) for state, reason, _ in states} <= {
            ("completed", None),
            ("needs_input", "outcome_unknown"),
        }, states


@pytest.mark.slow
async def test_a_service_that_forgets_its_runs_makes_nobody_submit_twice() -> None:
    """Its disk is gone in the middle of everything."""
    async with cluster(seconds=2) as c:
        crowd = Crowd(c)
        loading = asyncio.create_task(crowd.load(per_s=4, total=24))
        for _ in range(3):
            await asyncio.sleep(3)
            await c.behave(forget=True)
        await loading
        await c.calm(within_s=120)
        await c.judge(demands=Demands(acked=24, effects=10))


@pytest.mark.slow
async def test_events_told_twice_change_nothing() -> None:
    """Failure mode 26: every event of the service comes twice."""
    async with cluster(seconds=0.5) as c:
        await c.behave(repeat_events=True)
        await Crowd(c).load(per_s=20, total=20, follow=0.5)
        await c.calm()
        report = await c.judge(demands=Demands(acked=20, effects=20))
        assert report.figures["attempts"] == 20
