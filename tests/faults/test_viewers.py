"""Thousands of viewers come back at once, and some never read their socket (failure modes 17 and 18)."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.faults.checker import Demands
from tests.faults.clients import Crowd
from tests.faults.cluster import Cluster, cluster
from tests.faults.processes import Proc, eventually
from tests.faults.room import Room
from tests.faults.timings import Limits, percentile, slack
from tests.faults.viewers import RECEIVE_BUFFER, Viewer, looking, many_files, reset
from tests.machine import connections

MIB = 2**20
VIEWERS, ROOMS = 9500, 2
STUCK, MUTE, LATE, NORMAL = 50, 25, 10, 50
"""Of those that are stuck some have read the beginning and then fall mute; the others have never read a byte."""
JOBS, PER_S, LOAD_S, SIZE = 20, 200, 60, 1300
CHANGE = """
    update automation_job set portal_url = 'http://portal.example/' || repeat('x', %s) || seq
     where id in (select id from automation_job order by id limit 20)
"""
CONNECTIONS = (
    "select count(*) from pg_stat_activity where application_name = 'asbuilt-web' and datname = current_database()"
)
POOL = 8
METRICS = "metrics-of-the-fault-tier"


def api_pid(c: Cluster) -> int:
    assert c.api is not None
    assert c.api.now is not None
    return c.api.now.pid


def memory(pid: int) -> float:
    """MiB that the process has now."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


async def all_open(viewers: list[Viewer], *, since: float = 0.0) -> None:
    await eventually(
        lambda: all(viewer.open_at > since for viewer in viewers),
        within_s=60 * slack(),
        why=f"not all of {len(viewers)} viewers had a stream",
    )


async def all_right(c: Cluster, viewers: list[Viewer]) -> None:
    """Each knows the newest of every job."""
    final = {str(job): seq for job, seq in await c.all("select id, seq from automation_job")}
    await eventually(
        lambda: all(viewer.seqs == final for viewer in viewers),
        within_s=30 * slack(),
        why="a viewer does not know what is in the database",
    )


@asynccontextmanager
async def rooms(c: Cluster) -> AsyncIterator[list[Room]]:
    """All viewers, in processes of their own; none is there before all are ready to come."""
    made = [Room(viewers_in(c, f"room{n}", count=VIEWERS // ROOMS)) for n in range(ROOMS)]
    try:
        for room in made:
            await room.start()
        yield made
    finally:
        for room in made:
            await room.stop()


def viewers_in(c: Cluster, name: str, *, count: int) -> Proc:
    command = (sys.executable, "-m", "tests.faults.room", c.url, c.token, str(count))
    # Theirs are other machines: what they take of this one's time is not to be taken from who is measured.
    return Proc(name, command, env=c.env(), folder=c.folder, prefix=("nice", "-n", "10"))


async def everywhere(waits: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*waits)


@pytest.mark.slow
@pytest.mark.alone
async def test_thousands_of_viewers_come_back_at_once_and_uploads_do_not_notice() -> None:
    """Failure mode 17: the web process is killed under all viewers and uploads, twice."""
    async with cluster(workers=1, seconds=0.3) as c, rooms(c) as there:
        crowd, done = Crowd(c), asyncio.Event()
        for _ in range(10):
            crowd.watch()
        await everywhere(room.all_open(within_s=60 * slack()) for room in there)
        loading = asyncio.create_task(crowd.load(per_s=3, until=done.is_set))
        took, used = [], []
        for _ in range(2):
            await asyncio.sleep(6)
            assert c.api is not None
            died = time.time()
            c.api.send(signal.SIGKILL)
            await everywhere(room.all_open(since=died, within_s=60 * slack()) for room in there)
            took.append(max(room.said.newest_at for room in there) - died)
            used.append(memory(api_pid(c)))
        await asyncio.sleep(6)
        done.set()
        await loading
        await c.calm(within_s=90 * slack())
        final = {str(job): seq for job, seq in await c.all("select id, seq from automation_job")}
        await everywhere(room.all_know(final, within_s=30 * slack()) for room in there)
        used.append(memory(api_pid(c)))
        postgres = await c.one(CONNECTIONS)
        await crowd.leave()
        for room in there:
            print(msgspec.structs.replace(room.said, known=[]))
        resumed = sum(room.said.opened - room.said.viewers for room in there)
        again = sum(sum(room.said.snapshots.values()) - room.said.viewers for room in there)
        redis = c.cache.clients()
        assert c.api is not None
        c.api.retire()
        await c.api.gone()
        redis -= c.cache.clients()
        print(f"back after {took} s; {used} MiB; {postgres} and {redis} connections; {again} of {resumed} by snapshot")
        assert max(took) < 20 * slack()
        assert max(used) < 600
        assert postgres <= POOL
        assert redis <= 3
        assert resumed >= 2 * VIEWERS
        assert again < 0.05 * resumed, "a resume is a replay; a snapshot a viewer would be a second storm"
        assert not any(room.said.went_back for room in there)
        report = await c.judge(demands=Demands(acked=40, effects=40), limits=Limits(ack_p99_s=1.0))
        print(f"uploads p99 {report.figures['ack_p99_s']:.2f} s")


async def change(c: Cluster, until: Callable[[], bool]) -> None:
    """200 changes a second of some 2 kB each, as SQL makes them."""
    async with c.connect() as conn:
        due = time.monotonic()
        while not until():
            await conn.execute(CHANGE, (SIZE,))
            due = max(due + JOBS / PER_S, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@pytest.mark.slow
async def test_viewers_that_never_read_cost_their_backlog_and_nobody_elses_time() -> None:
    """Failure mode 18: 50 never read, 10 stop and read again, 50 are as they should be; then all of them vanish."""
    many_files()
    settings = {"ASBUILT_STREAMS_PER_USER": "120", "ASBUILT_METRICS_TOKEN": METRICS}
    async with cluster(workers=1, seconds=0.1, settings=settings) as c:
        await Crowd(c).load(per_s=20, total=JOBS)
        await c.calm()
        pid = api_pid(c)
        normal, late, mute = [[Viewer(c.url, c.token) for _ in range(n)] for n in (NORMAL, LATE, MUTE)]
        for viewer in normal:
            viewer.lags = []
        async with looking(normal):
            for viewer in [*late, *mute]:
                await viewer.connect()
            await all_open([*normal, *late, *mute])
            # Nothing is read from the socket any more, as when a phone sleeps.
            lines = [viewer.line for viewer in [*late, *mute] if viewer.line is not None]
            for line in lines:
                line.pause_reading()
            never = [await asked(c) for _ in range(STUCK - MUTE)]
            stuck = [port_of(line) for line in lines[LATE:]] + [sock.getsockname()[1] for sock in never]
            await eventually(lambda: set(stuck) <= connections(c.port).keys(), why="not all who never read were there")
            before, began, used = memory(pid), time.monotonic(), [0.0]
            cut = asyncio.create_task(cut_after(c, stuck))

            def enough() -> bool:
                used.append(memory(pid))
                return time.monotonic() - began > LOAD_S

            changing = asyncio.create_task(change(c, enough))
            await asyncio.sleep(12)
            for line in lines[:LATE]:
                line.resume_reading()
            await changing
            grown = max(used) - before
            await all_right(c, [*normal, *late])
            lags = [lag for viewer in normal for lag in viewer.lags or []]
            waited = await cut
            print(f"lag p99 {percentile(lags, 0.99):.3f} s of {len(lags)}, {grown:.0f} MiB more, cut after {waited}")
            assert len(lags) > 0.5 * NORMAL * PER_S * LOAD_S, "there was no storm"
            assert percentile(lags, 0.99) < 1 * slack()
            assert grown < 50
            assert max(waited) <= 30 * slack()
            assert all("gap" in viewer.snapshots for viewer in late), [viewer.snapshots for viewer in late]
            assert not any("gap" in viewer.snapshots for viewer in normal)
            for viewer in [*late, *mute]:
                viewer.leave()
            await asyncio.gather(*(viewer.over() for viewer in [*late, *mute]))
            # Who was cut comes back where it was, and then knows everything.
            async with looking(mute):
                await all_open(mute)
                await all_right(c, mute)
        for sock in never:
            sock.close()
        await vanish(c)
        left = time.monotonic()
        async with httpx.AsyncClient(base_url=c.url, trust_env=False) as http:
            while streams := await gauge(http):
                assert time.monotonic() - left < 30 * slack(), f"{streams} streams are left of those that have gone"
                await asyncio.sleep(0.2)
        # Every place is free again: as many as the caller may have can be taken.
        async with looking(viewers := [Viewer(c.url, c.token) for _ in range(120)]):
            await all_open(viewers)


def port_of(line: asyncio.Transport) -> int:
    port: int = line.get_extra_info("sockname")[1]
    return port


async def gauge(http: httpx.AsyncClient) -> int:
    """How many streams the web process says are open."""
    metrics = (await http.get("/metrics", headers={"Authorization": f"Bearer {METRICS}"})).raise_for_status().text
    return int(
        float(next(line.split()[1] for line in metrics.splitlines() if line.startswith("asbuilt_streams_open ")))
    )


async def cut_after(c: Cluster, ports: list[int]) -> list[float]:
    """For each connection, how long the server kept it after the kernel had taken what it takes of it."""
    queued, grew, cut = dict.fromkeys(ports, 0), dict.fromkeys(ports, time.monotonic()), dict[int, float]()
    until = time.monotonic() + (LOAD_S + 60) * slack()
    while len(cut) < len(ports):
        assert time.monotonic() < until, f"{len(ports) - len(cut)} that never read were not cut"
        there = connections(c.port)
        for port in set(ports) - cut.keys():
            if port not in there:
                cut[port] = time.monotonic() - grew[port]
            elif there[port] > queued[port]:
                queued[port], grew[port] = there[port], time.monotonic()
        await asyncio.sleep(0.25)
    return list(cut.values())


async def asked(c: Cluster) -> socket.socket:
    """A connection that has asked for everything, and reads nothing: not even the head of the answer."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", c.port))
    request = f"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {c.token}\r\n\r\n"
    await loop.sock_sendall(sock, request.encode())
    return sock


async def vanish(c: Cluster) -> None:
    """200 clients that reset their connection, half of them before the first byte of an answer."""
    loop = asyncio.get_running_loop()
    for n in range(200):
        sock = await asked(c)
        if n % 2:
            await loop.sock_recv(sock, 1)
        reset(sock)
