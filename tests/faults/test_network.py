"""A worker or a web process whose network is gone (failure modes 9 and 11): whole, or one way only."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from app.local import valkey
from tests.faults import network
from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.history import Effect, lines, now
from tests.faults.processes import Proc
from tests.faults.test_redis import progress_is_back
from tests.logins import as_role

AWAY_S = 30.0
LEASE_S = 5.0
LOST = """select external_ref from automation_job as j join automation_attempt as a on a.job_id = j.id
           where a.attempt = 1 and a.outcome = 'lost'"""


class Place:
    """Where a process runs that reaches its servers by a line which can be cut."""

    def __init__(
        self, prefix: tuple[str, ...], env: dict[str, str], cut: Callable[[str], None], heal: Callable[[], None]
    ) -> None:
        self.prefix = prefix
        self.env = env
        self.cut = cut
        self.heal = heal


@asynccontextmanager
async def place(c: Cluster, tag: str, *, role: str = "") -> AsyncIterator[Place]:
    """Behind a wire of its own where that can be had; else behind relays that are stopped. Redis comes along, and the database for
    a process of this role."""
    names = {"postgres": f"{c.database.sockets}/.s.PGSQL.5432", "service": c.service_socket,
             "redis": str(valkey.socket_path(c.cache.sockets))}  # fmt: skip
    if network.usable():
        async with network.wire(tag) as wire:
            relays = [
                network.relay(f"relay-{name}", listen=f"{network.SERVERS}:{7000 + n}", to=to, folder=c.folder,
                              env=c.env(), prefix=wire.outside)
                for n, (name, to) in enumerate(names.items())
            ]  # fmt: skip
            c.loose += relays
            await asyncio.gather(*(one.start() for one in relays))
            yield Place(
                wire.inside,
                _env(relays, role=role),
                lambda way: wire.cut(outgoing=way != "in", incoming=way != "out"),
                wire.heal,
            )
            return
    print("no network namespaces here: a relay that is stopped takes their place")
    relays = [network.relay(f"relay-{name}", listen="127.0.0.1:0", to=to, folder=c.folder, env=c.env())
              for name, to in names.items()]  # fmt: skip
    c.loose += relays
    await asyncio.gather(*(one.start() for one in relays))
    yield Place(
        (),
        _env(relays, role=role),
        lambda _: _send(relays, signal.SIGSTOP),
        lambda: _send(relays, signal.SIGCONT),
    )


def _send(relays: list[Proc], number: signal.Signals) -> None:
    for one in relays:
        one.send(number)


def _env(relays: list[Proc], *, role: str) -> dict[str, str]:
    postgres, service, redis = (one.ready_line.removeprefix("ready ") for one in relays)
    found = {"AUTOMATION_URL": f"http://{service}", "REDIS_URL": f"redis://{redis}"}
    if role:
        found["DATABASE_URL"] = as_role(role, f"postgresql://{postgres}/postgres")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("way", ["both", "out"])
async def test_a_worker_that_is_cut_off_stops_before_its_lease_ends(way: str) -> None:
    """Failure mode 11: cut off for 30 s with jobs running; nothing it does counts afterwards, and it comes back."""
    async with cluster(workers=0, seconds=4) as c, place(c, f"w{way}", role="worker") as far:
        lonely = c.worker("lonely", prefix=far.prefix, **far.env)
        await lonely.start()
        crowd = Crowd(c)
        await crowd.load(per_s=50, phones=2, total=4)
        async with asyncio.timeout(60):
            while await c.one("select count(*) from automation_attempt where ended_at is null") < 4:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        far.cut(way)
        cut_at = now()
        await c.work(1)
        await crowd.load(per_s=2, phones=2, total=10)
        await asyncio.sleep(max(0, AWAY_S - (now() - cut_at)))
        far.heal()
        healed_at = now()
        await c.calm(within_s=90)
        taken = [effect for effect in lines(c.folder / "portal.jsonl", Effect) if effect.accepted]
        lost = {row[0] for row in await c.all(LOST)}
        late = [e for e in taken if e.reference in lost and e.fence == 1 and cut_at + LEASE_S < e.time < healed_at + 1]
        assert not late, late
        await c.workers[0].stop()
        began = time.monotonic()
        await crowd.load(per_s=50, phones=1, total=1)
        await c.calm()
        assert time.monotonic() - began < 20, "it did not come back"
        await c.judge(demands=Demands(acked=15, effects=15))


@pytest.mark.slow
async def test_a_web_process_whose_redis_is_in_a_black_hole_recovers() -> None:
    """Failure mode 9: packets to Redis vanish for 65 s. The reader used to spin, and to stay deaf after healing."""
    async with cluster(api=False, seconds=1) as c, place(c, "web") as far:
        far_env = {**far.env, "AUTOMATION_URL": c.service_url}
        web = await serve_behind(c, far, far_env)
        crowd = Crowd(c)
        crowd.watch()
        await crowd.load(per_s=5, total=10)
        far.cut("both")
        before, began = web.cpu_s, time.monotonic()
        await crowd.load(per_s=2, phones=2, total=10)
        await c.calm()
        await asyncio.sleep(max(0, 65 - (time.monotonic() - began)))
        used = web.cpu_s - before
        far.heal()
        assert used < 13, f"{used:.1f} s of CPU in 65"
        assert await progress_is_back(c) < 15
        await crowd.leave()
        await c.judge(demands=Demands(acked=20, effects=20))


async def serve_behind(c: Cluster, far: Place, env: dict[str, str]) -> Proc:
    """The web process in the far place, reached through relays that listen where the clients look for it."""
    web = Proc("api", c.serve_command, env=c.env_as("app", **env), folder=c.folder, prefix=far.prefix)
    if far.prefix:
        inner = f"{c.database.sockets}/web.sock"
        outer = f"127.0.0.1:{c.port}"
        door = network.relay("door", listen=inner, to=outer, folder=c.folder, env=c.env(), prefix=far.prefix)
        gate = network.relay("gate", listen=outer, to=inner, folder=c.folder, env=c.env())
        c.loose += [door, gate]
        await door.start()
        await gate.start()
    c.loose.append(web)
    await web.start()
    return web
