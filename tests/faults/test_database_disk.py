"""The database's disk is full under load and runs (failure mode 14): tables cannot grow; nor can the log, which ends Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from tests.faults.checker import Demands, Report
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Call, Effect, lines, now
from tests.faults.processes import Proc, eventually
from tests.faults.small_database import SmallDatabase, on_a_small_disk
from tests.faults.timings import slack

FULL_S = 15.0
"""Three leases."""
BUSIEST = 0.6
"""Of a core, for each process, while phones insist."""
MOST_LINES = 25.0
"""A second, in each process's log."""
IN_FLIGHT = "select count(*) from automation_attempt where ended_at is null"
INTENTS = "select external_ref, extract(epoch from intent_at)::float8 from portal_submission where state = 'confirmed'"
USE_LOG = "select pg_switch_wal(), pg_logical_emit_message(false, 'nobody', repeat('x', 100000))"


class Seen(msgspec.Struct, kw_only=True):
    """What was asked while the disk was full, and what our processes did meanwhile."""

    since: float
    until: float = 0.0
    reads: Counter[int] = msgspec.field(default_factory=Counter)
    ready: Counter[tuple[int, str]] = msgspec.field(default_factory=Counter)
    live: Counter[int] = msgspec.field(default_factory=Counter)
    slowest_s: float = 0.0
    cpu: dict[str, float] = {}
    lines: dict[str, float] = {}


def small(c: Cluster) -> SmallDatabase:
    assert isinstance(c.database, SmallDatabase)
    return c.database


def processes(c: Cluster) -> list[Proc]:
    return [one.now for one in (c.api, *c.workers) if one is not None and one.now is not None]


def complaints(proc: Proc) -> int:
    """Lines of its log, but for the two that a request has when the database fails it: people make as many as they like."""
    return proc.said.count("\n") - proc.said.count('"http.request"') - proc.said.count('"http.database"')


async def full(c: Cluster, crowd: Crowd, meanwhile: Callable[[float], Awaitable[None]]) -> Seen:
    """Not a byte is free for so long; known jobs are asked about. `meanwhile` is told for how many seconds it has been so."""
    seen, disk, jobs, watched = Seen(since=now()), small(c).disk, list(crowd.jobs), processes(c)
    before = [(proc.cpu_s, complaints(proc)) for proc in watched]

    async def ask(http: httpx.AsyncClient, path: str) -> httpx.Response:
        began = now()
        answer = await http.get(path)
        seen.slowest_s = max(seen.slowest_s, now() - began)
        return answer

    async with httpx.AsyncClient(
        base_url=c.url, headers={"Authorization": f"Bearer {c.token}"}, timeout=10, trust_env=False
    ) as http:
        while now() < seen.since + FULL_S:
            disk.fill()
            await meanwhile(now() - seen.since)
            seen.reads[(await ask(http, f"/api/jobs/{jobs[seen.reads.total() % len(jobs)]}")).status_code] += 1
            seen.live[(await ask(http, "/health/live")).status_code] += 1
            ready = await ask(http, "/health/ready")
            seen.ready[ready.status_code, ready.json()["parts"]["postgres"]["status"]] += 1
            await asyncio.sleep(0.2)
    disk.empty()
    seen.until = now()
    took_s = seen.until - seen.since
    for proc, (cpu_s, said) in zip(watched, before, strict=True):
        assert proc.alive, f"{proc.name} has ended"
        seen.cpu[proc.name] = (proc.cpu_s - cpu_s) / took_s
        seen.lines[proc.name] = (complaints(proc) - said) / took_s
    c.outage(seen.since, seen.until, of="disk")
    return seen


async def through_a_full_disk(c: Cluster, meanwhile: Callable[[float], Awaitable[None]]) -> tuple[Seen, Report]:
    """Uploads and runs before, while and after; what must be so of either disk."""
    crowd, done = Crowd(c), asyncio.Event()
    loading = asyncio.create_task(crowd.load(per_s=8, photos=0.4, follow=0.3, until=done.is_set))
    await eventually(lambda: len(crowd.jobs) >= 40, why="40 uploads are not through")
    await a_new_segment(c)
    assert await c.one(IN_FLIGHT) >= 2, "no run was under way"
    seen = await full(c, crowd, meanwhile)
    through = len(crowd.jobs)
    await eventually(lambda: len(crowd.jobs) >= through + 40, why="no uploads went through when there was room again")
    done.set()
    await loading
    await c.calm(within_s=90)
    await crowd.leave()
    print(seen, said_by_uploads(c, seen))
    assert max(seen.cpu.values()) < BUSIEST, seen.cpu
    assert max(seen.lines.values()) < MOST_LINES, seen.lines
    assert seen.live.keys() == {200}
    assert seen.slowest_s < 3 * slack()
    assert [one.deaths for one in (c.api, *c.workers) if one is not None] == [[], [], []]
    await every_submission_was_intended(c)
    report = await c.judge(demands=Demands(acked=80, effects=80, unknown=40))
    assert report.figures["jobs_completed"] == report.figures["records"]
    return seen, report


async def a_new_segment(c: Cluster) -> None:
    """Of the log, behind a checkpoint: else Postgres might want the next one, or end, the moment that the disk is full."""
    await c.one(USE_LOG)
    async with c.connect() as conn:
        await conn.execute("checkpoint")


def said_by_uploads(c: Cluster, seen: Seen) -> Counter[int]:
    """By status, of what was answered over the full disk. Only good answers, and told when to come again; soon after, good ones."""
    calls = [call for call in lines(c.calls.path, Call) if call.phase != "invoke"]
    over = [call for call in calls if seen.since < call.at < seen.until]
    assert {call.status for call in calls} <= {200, 201, 503}, Counter(call.status for call in calls)
    assert all(call.retry_after for call in calls if call.status == 503)
    assert max(call.took_s for call in over) < 3 * slack(), max(call.took_s for call in over)
    back = min(call.at for call in calls if call.phase == "ok" and call.at > seen.until)
    print(f"acknowledged again after {back - seen.until:.1f} s")
    assert back - seen.until < 10 * slack(), f"the first acknowledgement came {back - seen.until:.1f} s after the room"
    statuses = Counter(call.status for call in over)
    assert statuses[503] > 40, statuses
    return statuses


async def every_submission_was_intended(c: Cluster) -> None:
    """What could not be committed let no request out."""
    intents: dict[str, Any] = dict(await c.all(INTENTS))
    for effect in (each for each in lines(c.portal_log, Effect) if each.accepted):
        assert intents[effect.reference] < effect.time, f"{effect.reference} was sent before its intent was stored"


@pytest.mark.slow
async def test_tables_that_cannot_grow_refuse_uploads_and_nothing_else() -> None:
    """Postgres refuses single statements, and goes on. So do we: whatever reads, and whatever still fits, goes through."""
    async with cluster(seconds=1.5, database=on_a_small_disk("tables")) as c:

        async def checkpoint(_: float) -> None:
            # As Postgres does by itself every few minutes: a disk is seldom full for less. It may fail, and must end nothing.
            async with c.connect() as conn:
                with suppress(psycopg.errors.InternalError_):
                    await conn.execute("checkpoint")

        seen, report = await through_a_full_disk(c, checkpoint)
        assert seen.reads.keys() == {200}, "reads need no room"
        assert {status for status, _ in seen.ready} == {200}
        assert seen.ready[200, "full"] > seen.ready[200, "ok"], seen.ready
        told = ["database.disk_full" in proc.said for proc in processes(c)]
        assert told[0], "the web process did not say what is wrong"
        assert any(told[1:]), "no worker said what is wrong"
        assert small(c).running
        assert "was terminated" not in small(c).log.read_text(), "this test is of a Postgres that stays"
        print(report)


@pytest.mark.slow
async def test_a_log_that_cannot_grow_ends_postgres_and_nobody_else() -> None:
    """It is on the tables' disk. When its segment is used up Postgres panics, and is started in vain until there is room."""
    async with cluster(seconds=1.5, database=on_a_small_disk("all")) as c, small(c).supervised():

        async def write_on(full_s: float) -> None:
            # What is left of the segment may last for long.
            if full_s > FULL_S / 3:
                with suppress(psycopg.OperationalError):
                    await c.one(USE_LOG)

        seen, report = await through_a_full_disk(c, write_on)
        assert seen.reads.keys() == {200, 503}
        assert seen.ready.keys() <= {(200, "ok"), (200, "full"), (503, "down")}
        assert min(seen.ready[200, "full"], seen.ready[503, "down"]) >= 2, seen.ready
        assert small(c).ends >= 3, "it must have been started in vain"
        assert "PANIC" in small(c).log.read_text()
        print(small(c).ends, report)
