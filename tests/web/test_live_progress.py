"""Progress comes from Redis and only decorates: the running attempt's alone, never wrongly, and never missed by status."""

from __future__ import annotations

from pathlib import Path

from redis.asyncio import Redis
from redis.typing import EncodableT, FieldT

from app.core.cache import STREAM
from app.local import valkey
from app.local.sockets import socket_directory
from sql import Connection
from tests.factories import claim, complete, fail, make_device, make_project, make_record
from tests.web.live import Tail, live, say


def percents(tail: Tail) -> list[tuple[int, int]]:
    return [(e.data["attempt"], e.data["percent"]) for e in tail.all("progress")]


async def test_only_the_running_attempt_is_shown(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="queued")
    async with live(database_url, redis_url) as served, served.tail(made.device.headers, job=made.job_id) as tail:
        await tail.of("snapshot")
        await say(redis_url, made, attempt=1, percent=1)  # before anybody heard of attempt 1: kept for it
        first = await claim(conn, made.job_id)
        await tail.until(lambda t: percents(t) == [(1, 1)])
        await fail(conn, made.job_id, first, again=True)
        await conn.execute("select ops.retry(%s, 'now')", (made.job_id,))
        second = await claim(conn, made.job_id)
        await tail.until(lambda t: t.seqs(made.job_id)[-1] == 5)
        await say(redis_url, made, attempt=first, percent=99)  # a zombie
        await say(redis_url, made, attempt=second, percent=20)
        await tail.until(lambda t: (2, 20) in percents(t))
        await complete(conn, made.job_id, second)
        await tail.state(made.job_id, "completed")
        await say(redis_url, made, attempt=second, percent=100)  # too late
        await conn.execute("update automation_job set portal_url = null where id = %s", (made.job_id,))
        await tail.until(lambda t: t.seqs(made.job_id)[-1] == 7)
    assert percents(tail) == [(1, 1), (2, 20)]
    assert all(event.id is None for event in tail.all("progress"))


async def test_who_comes_late_sees_the_latest_at_once(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    for percent in (10, 40):
        await say(redis_url, made, attempt=1, percent=percent)
    async with live(database_url, redis_url) as served:
        async with served.tail(made.device.headers) as tail:
            await tail.until(lambda t: percents(t) == [(1, 40)])
        async with served.tail(made.device.headers, job=made.job_id) as tail:
            await tail.until(lambda t: percents(t) == [(1, 40)])


async def test_progress_reaches_only_those_who_may_see_the_job(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    mine = await make_record(conn, state="processing")
    stranger = await make_record(conn, state="processing")
    async with (
        live(database_url, redis_url) as served,
        served.tail(mine.device.headers) as tail,
        served.tail(stranger.device.headers) as other,
    ):
        await tail.of("snapshot")
        await other.of("snapshot")
        # What an entry says about its audience is not believed: it names the stranger's.
        await say(redis_url, mine, attempt=1, percent=30)
        async with Redis.from_url(redis_url) as redis:
            data = await redis.hget(f"{STREAM}:{mine.job_id}", "data")
            assert data is not None
            audience: dict[FieldT, EncodableT] = {
                "project": str(stranger.project.id),
                "device": str(stranger.device.id),
            }
            await redis.xadd(STREAM, audience | {"attempt": 1, "data": data})
        await say(redis_url, stranger, attempt=1, percent=60)
        await other.until(lambda t: percents(t) == [(1, 60)])
    assert set(percents(tail)) == {(1, 30)}
    assert percents(other) == [(1, 60)]


async def test_what_cannot_be_read_is_passed_over(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    poison: list[dict[FieldT, EncodableT]] = [
        {b"\xff": b"\xff"},
        {"attempt": "1"},
        {"attempt": "one", "data": "{}"},
        {"attempt": "1", "data": b"\xff\xfe{"},
        {"attempt": "1", "data": "[" * 5000},
        {"attempt": "9" * 5000, "data": "{}"},
        {"attempt": "1", "data": "x" * 100_000},
    ]
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        async with Redis.from_url(redis_url) as redis:
            for fields in poison:
                await redis.xadd(STREAM, fields)
        await say(redis_url, made, attempt=1, percent=200)
        await say(redis_url, made, attempt=1, percent=-1)
        await say(redis_url, made, attempt=1, percent=50)
        await tail.of("progress")
        assert await served.hub.redis_status() == "ok"
    assert percents(tail) == [(1, 50)]


async def test_a_flushed_redis_goes_on(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        await say(redis_url, made, attempt=1, percent=10)
        await tail.of("progress")
        async with Redis.from_url(redis_url) as redis:
            await redis.flushall()
        await say(redis_url, made, attempt=1, percent=20)
        await tail.of("progress", 2)
    assert percents(tail) == [(1, 10), (1, 20)]


async def test_without_redis_status_goes_on_and_the_stream_says_so(
    database_url: str, conn: Connection, tmp_path: Path
) -> None:
    device = await make_device(conn, await make_project(conn))
    made = await make_record(conn, device=device, state="processing")
    sockets = socket_directory(tmp_path)
    with valkey.server(tmp_path / "one", sockets=sockets) as redis_url:
        running = live(database_url, redis_url)
        served = await running.__aenter__()
        following = served.tail(device.headers)
        tail = await following.__aenter__()
        await tail.healthy(progress="live")
        await say(redis_url, made, attempt=1, percent=10)
        await tail.of("progress")
    try:
        await tail.healthy(progress="degraded", status="listen")
        await complete(conn, made.job_id, 1)
        await tail.state(made.job_id, "completed")
        assert await served.hub.redis_status() == "degraded"
        with valkey.server(tmp_path / "two", sockets=sockets):
            await tail.healthy(progress="live", status="listen")
            again = await make_record(conn, device=device, state="processing")
            await say(redis_url, again, attempt=1, percent=70)
            await tail.until(lambda t: percents(t) == [(1, 10), (1, 70)])
    finally:
        await following.__aexit__(None, None, None)
        await running.__aexit__(None, None, None)


async def test_no_redis_at_all_is_degraded_and_nothing_worse(database_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    async with live(database_url, "") as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        await claim(conn, made.job_id)
        await tail.state(made.job_id, "processing")
    assert tail.events[0].data == {"progress": "degraded", "status": "listen"}
