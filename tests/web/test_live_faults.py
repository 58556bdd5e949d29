"""Connections die, go deaf or freeze; clients stop reading. No change is lost, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
import socket

import httpx
import msgspec
import pytest

from app.core.db import connect_arguments
from app.live import hub, listener
from sql import Connection
from tests.factories import Made, claim, complete, make_device, make_project, make_record
from tests.machine import connections
from tests.service import until
from tests.web.live import PATH, QUICK, Live, live
from tests.web.wire import wire

LISTENERS = "select pid from pg_stat_activity where application_name = 'asbuilt-live' and datname = current_database()"


async def touch(conn: Connection, made: Made, times: int) -> None:
    for _ in range(times):
        await conn.execute("update automation_job set portal_url = 'http://p/' || seq where id = %s", (made.job_id,))


async def test_killed_listeners_lose_nothing(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    one, two = await make_record(conn, device=device), await make_record(conn, device=device)
    async with (
        live(database_url, redis_url) as served,
        served.tail(device.headers, job=one.job_id) as of_job,
        served.tail(device.headers) as of_all,
    ):
        await of_job.of("snapshot")
        await of_all.of("snapshot")
        for _ in range(8):
            await touch(conn, one, 3)
            killed = await (await conn.execute(f"select pg_terminate_backend(pid) from ({LISTENERS}) as l")).fetchall()
            assert len(killed) <= 1
            await touch(conn, one, 3)
            await touch(conn, two, 1)
            await of_job.until(lambda t: len(t.seqs(one.job_id)) % 6 == 0 and bool(t.seqs(one.job_id)))
        await of_job.until(lambda t: len(t.seqs(one.job_id)) >= 48)
        await of_all.until(lambda t: t.newest().get(str(two.job_id), (0, ""))[0] == 9)
        await of_all.until(lambda t: t.newest().get(str(one.job_id), (0, ""))[0] == 49)
        await of_all.healthy(status="listen")
    assert of_job.seqs(one.job_id) == list(range(2, 50))
    assert of_all.all("health")[0].data["status"] == "listen"


async def test_a_deaf_listener_polls_and_says_so(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    made = await make_record(conn, device=device)
    timings = msgspec.structs.replace(QUICK, pong_s=0.3, retest_s=1.0)
    async with wire(database_url) as (carrier, url):
        carrier.deaf = True
        async with (
            live(database_url, redis_url, listen_url=url, timings=timings) as served,
            served.tail(device.headers) as tail,
            served.tail(device.headers, job=made.job_id) as of_job,
        ):
            await of_job.of("snapshot")
            # Else its snapshot may tell the change that is waited for as an event.
            await tail.of("snapshot")
            await tail.healthy(status="poll")
            assert await served.hub.notify_status() == "poll"
            attempt = await claim(conn, made.job_id)
            await tail.state(made.job_id, "processing")
            await complete(conn, made.job_id, attempt)
            await tail.state(made.job_id, "completed")
            carrier.deaf = False
            await tail.healthy(status="listen")
            again = await make_record(conn, device=device)
            await tail.state(again.job_id, "queued")
            # It goes deaf later, on a connection that has proven itself.
            carrier.deaf = True
            await claim(conn, again.job_id)
            await tail.state(again.job_id, "processing")
            await of_job.state(made.job_id, "completed")
    assert of_job.seqs(made.job_id) == [2, 3]


async def test_a_frozen_connection_is_given_up(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    timings = msgspec.structs.replace(QUICK, read_s=0.5)
    async with (
        wire(database_url) as (carrier, url),
        live(database_url, redis_url, listen_url=url, timings=timings) as served,
        served.tail(made.device.headers) as tail,
    ):
        await tail.of("snapshot")
        carrier.freeze()
        await claim(conn, made.job_id)
        # The pool still reaches Postgres, so the change is found even before the wire thaws.
        await tail.state(made.job_id, "processing")
        await tail.healthy(status="poll")
        carrier.thaw()
        await tail.healthy(status="listen")
    assert tail.seqs(made.job_id) == [2]


async def test_changes_are_polled_for_while_a_connection_is_waited_for(
    database_url: str, redis_url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection into a black hole takes its whole timeout, and the page used to hear nothing meanwhile."""
    patient = connect_arguments("asbuilt-live") | {"connect_timeout": 600}
    monkeypatch.setattr(listener, "connect_arguments", lambda *_, **__: patient)
    monkeypatch.setattr(hub, "START_S", 0.2)
    made = await make_record(conn)
    async with wire(database_url) as (carrier, url):
        carrier.freeze()
        async with (
            live(database_url, redis_url, listen_url=url) as served,
            served.tail(made.device.headers) as tail,
        ):
            await tail.of("snapshot")
            attempt = await claim(conn, made.job_id)
            await tail.state(made.job_id, "processing")
            await complete(conn, made.job_id, attempt)
            await tail.state(made.job_id, "completed")
            assert (carrier.connections, await served.hub.notify_status()) == (1, "poll")
            carrier.thaw()
            await tail.healthy(status="listen")


async def test_a_client_that_does_not_read_gets_a_snapshot_and_delays_nobody(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    made = await make_record(conn, device=device)
    async with live(database_url, redis_url) as served, served.tail(device.headers) as brisk:
        with slow_client(served, device.headers) as slow:
            await brisk.of("snapshot")
            await until(lambda: count_streams(served), lambda n: n == 2)
            # Far more than the sockets' buffers and the backlog hold together.
            for _ in range(30):
                await conn.execute(
                    "update automation_job set portal_url = 'http://p/' || repeat('x', 3000) where id = %s",
                    (made.job_id,),
                )
                await conn.execute(
                    "do $$ begin for n in 1..100 loop update automation_job set error_message = n; commit; end loop; end $$"
                )
            await brisk.until(lambda t: t.newest()[str(made.job_id)][0] == 3031)
            backlog = [len(sub._told) for sub in served.hub.places]
            assert max(backlog) <= QUICK.backlog
            reasons = await asyncio.to_thread(drain, slow, str(made.job_id), 3031)
    assert "gap" in reasons


def slow_client(served: Live, headers: dict[str, str]) -> socket.socket:
    """Asks for the stream and reads nothing."""
    address = httpx.URL(served.url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((address.host, address.port or 80))
    sent = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sock.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {address.host}\r\n{sent}\r\n".encode())
    return sock


def drain(sock: socket.socket, job: str, seq: int) -> list[str]:
    """Read until the job is seen with this seq; the reasons of all snapshots on the way."""
    sock.settimeout(60)
    text, reasons = "", []
    while data := sock.recv(2**20):
        text += data.decode()
        *blocks, text = text.split("\n\n")
        for block in blocks:
            body = next((line[6:] for line in block.splitlines() if line.startswith("data: ")), "{}")
            said = json.loads(body)
            reasons += [said["reason"]] if "reason" in said else []
            if any(view.get("id") == job and view["seq"] == seq for view in [said, *said.get("jobs", [])]):
                return reasons
    raise AssertionError("the stream ended first")


async def count_streams(served: Live) -> int:
    return len(served.hub.places)


async def test_a_client_that_never_reads_loses_its_stream(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    made = await make_record(conn, device=device)
    async with live(database_url, redis_url, idle_s=0.6) as served, served.tail(device.headers) as brisk:
        with slow_client(served, device.headers) as slow:
            await until(lambda: count_streams(served), lambda n: n == 2)

            async def push() -> int:
                await conn.execute(
                    "do $$ begin for n in 1..100 loop"
                    " update automation_job set portal_url = 'http://p/' || repeat('x', 6000) || seq; commit;"
                    " end loop; end $$"
                )
                return len(served.hub.places)

            assert await until(push, lambda n: n == 1) == 1
            # The connection is gone with it: closed in peace it would wait for its buffer to be taken.
            assert slow.getsockname()[1] not in connections(httpx.URL(served.url).port or 0)
        await claim(conn, made.job_id)
        await brisk.state(made.job_id, "processing")


async def test_left_streams_leave_nothing_behind(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    async with live(database_url, redis_url) as served:
        async with served.tail(device.headers) as tail, served.tail(device.headers, project=device.project.code) as two:
            await tail.of("snapshot")
            await two.of("snapshot")
            assert len(served.hub.places) == 2
        for _ in range(20):
            # Gone before the first byte, with a reset.
            sock = slow_client(served, device.headers)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            sock.close()
        await until(lambda: count_streams(served), lambda n: n == 0)
        async with served.tail(device.headers) as tail:
            await tail.of("snapshot")


async def test_shutdown_ends_streams_at_once_and_takes_no_more(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    async with live(database_url, redis_url) as served, served.tail(device.headers) as tail:
        await tail.of("snapshot")
        asked = asyncio.get_running_loop().time()
        served.hub.close()
        await tail.end()
        assert asyncio.get_running_loop().time() - asked < 2
        answer = await served.get(device.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "streams-full")
    assert int(answer.headers["retry-after"]) > 0


async def test_streams_hold_no_database_connection(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    async with (
        live(database_url, redis_url) as served,
        served.tail(device.headers) as one,
        served.tail(device.headers) as two,
        served.tail(device.headers, project=device.project.id) as three,
    ):
        for tail in (one, two, three):
            await tail.of("snapshot")
            await tail.until(lambda t: t.comments > 0)
        counted = await (
            await conn.execute(
                "select application_name, count(*) filter (where state <> 'idle') from pg_stat_activity"
                " where application_name like 'asbuilt-%' and datname = current_database() group by 1"
            )
        ).fetchall()
        listeners = await (await conn.execute(LISTENERS)).fetchall()
    assert len(listeners) == 1
    assert dict(counted).get("asbuilt-web", 0) == 0


async def test_a_stream_ends_at_its_lifetime(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    timings = msgspec.structs.replace(QUICK, lifetime_s=0.5)
    async with live(database_url, redis_url, timings=timings) as served:
        async with served.tail(device.headers) as tail:
            await tail.of("snapshot")
            await tail.end()
        assert await until(lambda: count_streams(served), lambda n: n == 0) == 0
