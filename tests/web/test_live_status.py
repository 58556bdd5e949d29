"""Changes of jobs reach every stream they concern, whoever makes them; what is rolled back reaches none."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import uuid4

import msgspec

from app.local.postgres import find
from sql import Connection
from tests.factories import claim, complete, make_device, make_project, make_record
from tests.web.live import QUICK, live


async def test_commits_are_told_and_rollbacks_are_not(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    async with live(database_url, redis_url) as served, served.tail(device.headers) as tail:
        assert (await tail.of("snapshot"))[0].data == {"jobs": [], "reason": "connect"}
        made = await make_record(conn, device=device)
        async with conn.transaction(force_rollback=True):
            await claim(conn, made.job_id)
        attempt = await claim(conn, made.job_id)
        await complete(conn, made.job_id, attempt)
        event = await tail.state(made.job_id, "completed")
    told = tail.all("state")
    assert [(e.data["seq"], e.data["state"]) for e in told] == [(1, "queued"), (2, "processing"), (3, "completed")]
    assert event.data["confirmation"] == "NPL-1"
    assert event.data["record_id"] == str(made.record_id)
    assert event.data["project"] == device.project.code


async def test_a_change_made_in_psql_is_seen_in_utc(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="failed")
    async with live(database_url, redis_url) as served, served.tail(made.device.headers, job=made.job_id) as tail:
        await tail.of("snapshot")
        script = f"set timezone = 'Asia/Kolkata'; select ops.retry('{made.job_id}', 'portal is back');"
        psql = await asyncio.create_subprocess_exec(find({}).program("psql"), "-XqAt", database_url, "-c", script)
        assert await psql.wait() == 0
        event = await tail.state(made.job_id, "queued")
    assert event.data["changed_at"].endswith("Z")
    assert datetime.fromisoformat(event.data["changed_at"]).tzinfo is not None


async def test_the_stream_begins_with_retry_health_and_snapshot(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    made = await make_record(conn, state="held")
    async with live(database_url, redis_url) as served:
        async with served.tail(made.device.headers) as tail:
            await tail.healthy(progress="live", status="listen")
        async with served.tail(made.device.headers, record=made.record_id) as tail:
            snapshot = (await tail.of("snapshot"))[0]
            await tail.until(lambda t: t.comments >= 2)
    assert tail.retry == "2000"
    assert [event.name for event in tail.events] == ["health", "snapshot"]
    assert tail.events[0].data == {"progress": "live", "status": "listen"}
    assert tail.events[0].id is None
    assert [(job["id"], job["state"]) for job in snapshot.data["jobs"]] == [(str(made.job_id), "held")]
    epoch, _, xmin = (snapshot.id or "").partition(":")
    assert len(epoch) == 36
    assert int(xmin) > 0


async def test_each_scope_gets_its_own_and_nothing_else(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    one, two = await make_record(conn, device=device), await make_record(conn, device=device)
    other = await make_record(conn)
    async with (
        live(database_url, redis_url) as served,
        served.tail(device.headers, job=one.job_id) as of_job,
        served.tail(device.headers, record=one.record_id) as of_record,
        served.tail(device.headers, project=device.project.code) as of_project,
        served.tail(device.headers, project=device.project.id) as of_project_id,
        served.tail(device.headers) as of_all,
    ):
        tails = [of_job, of_record, of_project, of_project_id, of_all]
        for tail in tails:
            await tail.of("snapshot")
        for made in (other, two, one):
            await claim(conn, made.job_id)
        for tail in tails:
            await tail.state(one.job_id, "processing")
    # `one` changed last: what is not here by now was not sent.
    for tail in (of_job, of_record):
        assert [e.data["id"] for e in tail.all("state")] == [str(one.job_id)]
    for tail in (of_project, of_project_id, of_all):
        assert [e.data["id"] for e in tail.all("state")] == [str(two.job_id), str(one.job_id)]


async def test_a_view_too_large_for_a_notification_arrives_whole(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    made = await make_record(conn, state="processing")
    url = "http://portal.example/" + "x" * 9000
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        await conn.execute("update automation_job set portal_url = %s where id = %s", (url, made.job_id))
        await complete(conn, made.job_id, made.attempt)
        await tail.state(made.job_id, "completed")
    assert tail.seqs(made.job_id) == [3, 4]
    assert tail.all("state")[0].data["portal_url"] == url


async def test_snapshots_hold_the_running_jobs_and_end_somewhere(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    running = await make_record(conn, device=device, state="processing")
    for _ in range(520):
        await make_record(conn, device=device)
    async with live(database_url, redis_url) as served:
        for scope in ({"project": device.project.code}, {}):
            async with served.tail(device.headers, **scope) as tail:
                jobs = (await tail.of("snapshot"))[0].data["jobs"]
            assert len(jobs) == 500
            assert jobs[0]["id"] == str(running.job_id)


async def test_notifications_that_are_none_of_ours_change_nothing(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    made = await make_record(conn)
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        for payload in ("", "{", '{"job": 1}', f'{{"job":"{uuid4()}"}}', "\x01" * 100):
            await conn.execute("select pg_notify('asbuilt_job', %s)", (payload,))
        await claim(conn, made.job_id)
        await tail.state(made.job_id, "processing")
        assert await served.hub.notify_status() == "listen"


async def test_comments_tell_the_databases_time_and_how_far_the_stream_reaches(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    async def clock() -> float:
        row = await (await conn.execute("select extract(epoch from clock_timestamp())::float8")).fetchone()
        assert row
        return float(row[0])

    device = await make_device(conn, await make_project(conn))
    made = await make_record(conn, device=device)
    async with live(database_url, redis_url) as served:
        begun = await clock()
        async with served.tail(device.headers) as tail:
            await tail.of("snapshot")
            await tail.until(lambda t: bool(t.said))
            first, seen = tail.said[0], await clock()
            # A heartbeat whose `as_of` is later than this change has told it: on the wire it comes after it.
            await claim(conn, made.job_id)
            changed = await clock()
            await tail.until(lambda t: t.said[-1].get("as_of", 0) > changed)
            assert tail.newest()[str(made.job_id)] == (2, "processing")
    assert begun - 0.1 < first["arrived"] <= first["as_of"] <= first["now"] < seen + 0.1
    assert tail.said[-1]["now"] >= tail.said[-1]["as_of"]


async def test_how_far_a_stream_reaches_is_not_said_while_it_cannot_be_known(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    timings = msgspec.structs.replace(QUICK, read_s=0.5)
    async with live(database_url, redis_url, timings=timings) as served, served.tail(device.headers) as tail:
        await tail.of("snapshot")
        await tail.until(lambda t: t.comments > 0)
        async with conn.transaction():
            # Snapshots can't be read now, and the stream has lost its place.
            await conn.execute("lock table automation_job in access exclusive mode")
            for sub in served.hub.places:
                sub.lose("gap")
            before = tail.comments
            await tail.until(lambda t: t.comments > before + 1)
            assert "as_of" not in tail.said[-1]
        await tail.until(lambda t: "as_of" in t.said[-1])
