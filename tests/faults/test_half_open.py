"""The connections that LISTEN are dead and nobody was told; everything else lives (failure mode 24, first half)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from psycopg import conninfo

from tests.faults import network
from tests.faults.checker import Demands
from tests.faults.clients import Crowd, Page
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import now
from tests.faults.timings import percentile, slack
from tests.logins import as_role

pytestmark = pytest.mark.slow

POLL_S = 5.0
FOUND_S = 15.0
"""Within so long it is found out and listened anew: a ping each 5 s, 3 s for its answer, the next connection."""
QUICK_S = 0.5
EARS = """select count(*) from pg_stat_activity
           where application_name in ('asbuilt-live', 'asbuilt-worker-listen') and backend_start > to_timestamp(%s)"""
WAITED = """select extract(epoch from started_at - queued_at)::float8 from automation_attempt
             where attempt = 1 and queued_at > to_timestamp(%s)"""


async def listen_by(c: Cluster, relay: str) -> None:
    """A web process and two workers that LISTEN through the relay, and do all else without it."""
    host, _, port = relay.removeprefix("ready ").rpartition(":")
    ears = {
        role: conninfo.make_conninfo(as_role(role, c.database_url), host=host, port=port) for role in ("app", "worker")
    }
    await c.serve(ASBUILT_LISTEN_URL=ears["app"])
    await c.work(2, ASBUILT_LISTEN_URL=ears["worker"])


async def notify(c: Cluster) -> str:
    """What `/health/ready` says of it; ready it is all the while."""
    async with httpx.AsyncClient(base_url=c.url, trust_env=False) as http:
        answer = await http.get("/health/ready")
    assert answer.status_code == 200
    return str(answer.json()["parts"]["notify"]["status"])


async def says(c: Cluster, wanted: str) -> None:
    async with asyncio.timeout(FOUND_S * slack()):
        while await notify(c) != wanted:
            await asyncio.sleep(0.1)


async def all_listen_anew(c: Cluster, since: float) -> None:
    async with asyncio.timeout(FOUND_S * slack()):
        while await c.one(EARS, since) < 3:
            await asyncio.sleep(0.1)
    await says(c, "listen")


async def waited_s(c: Cluster, since: float) -> list[float]:
    """How long the jobs since then have waited for a worker."""
    await c.calm()
    waited = [seconds for (seconds,) in await c.all(WAITED, since)]
    assert len(waited) >= 12
    return waited


async def late_s(c: Cluster, page: Page, since: float) -> list[float]:
    """How late the page was told of what has happened since then, once it knows it all."""
    final = dict(await c.all("select id, seq from automation_job"))
    async with asyncio.timeout(60):
        while page.seqs != final:
            await asyncio.sleep(0.1)
    history = await c.history()
    at = {(event.job_id, event.seq): event.at.timestamp() for event in history.snapshot.events}
    told = [(line.at, at[line.job, line.seq]) for line in history.heard if line.event == "state" and line.job]
    late = [heard_at - happened_at for heard_at, happened_at in told if happened_at > since]
    assert len(late) >= 12
    return late


async def test_dead_listeners_are_found_and_until_then_everybody_polls_and_says_so() -> None:
    async with cluster(workers=0, api=False, seconds=0.3, settings={"ASBUILT_POLL_S": str(POLL_S)}) as c:
        sockets = f"{c.database.sockets}/.s.PGSQL.5432"
        relay = network.relay("ears", listen="127.0.0.1:0", to=sockets, folder=c.folder, env=c.env())
        c.loose.append(relay)
        await listen_by(c, (await relay.start()).ready_line)
        assert await notify(c) == "listen"
        crowd = Crowd(c)
        page = crowd.watch()
        await crowd.load(per_s=20, phones=2, total=12)

        # A router forgot these connections: they stay open, and nothing comes or breaks.
        died_at = now()
        relay.send(network.HALF_OPEN)
        await crowd.load(per_s=5, phones=2, total=12)
        await all_listen_anew(c, died_at)
        c.outage(died_at, now(), of="listen")
        since = now()
        await crowd.load(per_s=10, phones=2, total=20)
        assert percentile(await waited_s(c, since), 0.95) < QUICK_S * slack()

        # And now no new one comes through, either.
        died_at = now()
        relay.send(network.ALL_DEAF)
        await says(c, "poll")
        since = now()
        await crowd.load(per_s=2, phones=2, total=16)
        assert max(await waited_s(c, since)) < (POLL_S + 0.5) * slack()
        assert max(await late_s(c, page, since)) < (POLL_S + 1) * slack()
        assert await notify(c) == "poll"
        healed_at = now()
        relay.send(network.HEALED)
        await all_listen_anew(c, healed_at)
        c.outage(died_at, now(), of="listen")
        since = now()
        await crowd.load(per_s=10, phones=2, total=20)
        assert percentile(await waited_s(c, since), 0.95) < QUICK_S * slack()
        assert percentile(await late_s(c, page, since), 0.95) < QUICK_S * slack()
        await crowd.leave()
        await c.judge(demands=Demands(acked=80, effects=80))
