"""Who may follow what: foreign things answer as if absent, and a right that ends, ends the stream."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from psycopg import AsyncConnection

from app.core import db
from app.core.access import create_link, create_user, sign_in_by_code, sign_out
from app.core.auth import Doorkeeper
from app.core.errors import Unauthorised
from sql import Connection
from tests.factories import claim, make_device, make_project, make_record, value
from tests.logins import as_role
from tests.service import until
from tests.web.live import QUICK, live

WAITS = "select count(*) from pg_locks where relation = 'membership'::regclass and not granted"


async def session(conn: Connection, project: str, *, role: Any = "viewer") -> str:
    """The secret of a person's session."""
    user, _ = await create_user(
        conn, email=f"{uuid4().hex[:8]}@example.com", name="Person", project=project, role=role, password=False
    )
    return (await sign_in_by_code(conn, await create_link(conn, user))).secret


def cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"asbuilt={secret}"}


async def test_foreign_and_missing_things_are_not_there(database_url: str, redis_url: str, conn: Connection) -> None:
    mine, theirs = await make_record(conn), await make_record(conn)
    person = cookie(await session(conn, mine.project.code))
    async with live(database_url, redis_url) as served:
        for headers in (mine.device.headers, person):
            for scope, code in (
                ({"job": theirs.job_id}, "job-unknown"),
                ({"job": uuid4()}, "job-unknown"),
                ({"record": theirs.record_id}, "record-unknown"),
                ({"record": uuid4()}, "record-unknown"),
                ({"project": theirs.project.code}, "project-unknown"),
                ({"project": theirs.project.id}, "project-unknown"),
                ({"project": "no-such"}, "project-unknown"),
            ):
                answer = await served.get(headers, **scope)
                assert (answer.status_code, answer.json()["code"]) == (404, code), scope
        for scope in ({"job": "x"}, {"record": "1"}, {"job": mine.job_id, "record": mine.record_id}):
            answer = await served.get(mine.device.headers, **scope)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request"), scope
        for headers in ({}, {"Authorization": "Bearer abk_nobody"}, cookie("nobody")):
            assert (await served.get(headers)).status_code == 401
        assert len(served.hub.places) == 0


async def test_a_device_that_may_only_upload_follows_its_own(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    project = await make_project(conn)
    phone = await make_device(conn, project, scopes=("upload",))
    neighbour = await make_device(conn, project, scopes=("upload",))
    own, other = await make_record(conn, device=phone), await make_record(conn, device=neighbour)
    async with live(database_url, redis_url) as served:
        assert (await served.get(phone.headers, project=project.code)).status_code == 404
        assert (await served.get(phone.headers, job=other.job_id)).status_code == 404
        async with (
            served.tail(phone.headers) as tail,
            served.tail(phone.headers, record=own.record_id) as of_record,
            served.tail(cookie(await session(conn, project.code))) as reviewer,
        ):
            for each in (tail, of_record):
                jobs = (await each.of("snapshot"))[0].data["jobs"]
                assert [job["id"] for job in jobs] == [str(own.job_id)]
            assert len((await reviewer.of("snapshot"))[0].data["jobs"]) == 2
            await claim(conn, other.job_id)
            await claim(conn, own.job_id)
            await tail.state(own.job_id, "processing")
            await reviewer.state(own.job_id, "processing")
            last = tail.last_id
        assert tail.seqs(other.job_id) == []
        assert reviewer.seqs(other.job_id) == [2]
        later = await make_record(conn, device=phone)
        await make_record(conn, device=neighbour)
        async with served.tail(phone.headers, last_id=last) as again:
            await again.state(later.job_id, "queued")
            await again.until(lambda t: t.comments > 0)
        assert {event.data["id"] for event in again.all("state")} <= {str(own.job_id), str(later.job_id)}


async def test_a_revoked_token_ends_its_streams(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    neighbour = await make_device(conn, made.project)
    async with (
        live(database_url, redis_url) as served,
        served.tail(made.device.headers) as tail,
        served.tail(made.device.headers, job=made.job_id) as of_job,
        served.tail(neighbour.headers) as other,
    ):
        for each in (tail, of_job, other):
            await each.of("snapshot")
        await conn.execute("update access_token set revoked_at = now() where device_id = %s", (made.device.id,))
        await tail.end()
        await of_job.end()
        assert (await served.get(made.device.headers)).status_code == 401
        await claim(conn, made.job_id)
        await other.state(made.job_id, "processing")


async def test_a_session_or_membership_that_ends_ends_its_streams(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    project = await make_project(conn)
    leaving, staying, moved = [await session(conn, project.code) for _ in range(3)]
    async with (
        live(database_url, redis_url) as served,
        served.tail(cookie(leaving)) as one,
        served.tail(cookie(staying)) as two,
        served.tail(cookie(moved), project=project.code) as three,
    ):
        for each in (one, two, three):
            await each.of("snapshot")
        await sign_out(conn, leaving)
        await one.end()
        await conn.execute(
            "delete from membership where user_id = (select user_id from user_session order by created_at desc limit 1)"
        )
        await three.end()
        assert not two.ended
        made = await make_record(conn, device=await make_device(conn, project))
        await two.state(made.job_id, "queued")


async def test_streams_are_counted(database_url: str, redis_url: str, conn: Connection) -> None:
    project = await make_project(conn)
    greedy, modest, late = [await make_device(conn, project) for _ in range(3)]
    timings = msgspec.structs.replace(QUICK, streams_per_caller=3, streams=4)
    async with live(database_url, redis_url, timings=timings) as served, AsyncExitStack() as stack:
        for headers in [greedy.headers] * 3 + [modest.headers]:
            tail = await stack.enter_async_context(served.tail(headers))
            await tail.of("snapshot")
        for headers, status, code in (
            (greedy.headers, 429, "too-many-requests"),
            (late.headers, 503, "streams-full"),
        ):
            answer = await served.get(headers)
            assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (status, code, "after")
            assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"


async def test_answers_are_neither_cached_nor_buffered(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    async with live(database_url, redis_url) as served, served.raw(device.headers) as answer:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"


async def test_streams_of_one_device_that_come_at_once_share_the_look_up(database_url: str, conn: Connection) -> None:
    """A thousand that came back after a restart were told that the database is not there: they wanted a connection each."""
    device = await make_device(conn, await make_project(conn))
    token = device.headers["Authorization"].removeprefix("Bearer ")
    async with db.pool(as_role("app", database_url), name="asbuilt-web", size=2, wait_s=30) as pool:
        doorkeeper = Doorkeeper(pool)
        callers = await asyncio.gather(*(doorkeeper.by_token(token) for _ in range(10 * pool.most_waiting)))
        assert {caller.id for caller in callers} == {device.id}
        # And one that is refused is refused to all, and not remembered.
        wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
        refused = await asyncio.gather(*(doorkeeper.by_token(wrong) for _ in range(5)), return_exceptions=True)
        assert [type(answer) for answer in refused] == [Unauthorised] * 5


async def test_who_signs_out_while_the_session_is_looked_up_is_not_remembered(
    database_url: str, conn: Connection
) -> None:
    secret = await session(conn, (await make_project(conn)).code)
    async with (
        db.pool(as_role("app", database_url), name="asbuilt-web", size=2, wait_s=30) as pool,
        await AsyncConnection.connect(database_url) as gate,
    ):
        doorkeeper = Doorkeeper(pool)
        await gate.execute("lock table membership in access exclusive mode")
        asked = asyncio.create_task(doorkeeper.by_session(secret))
        await until(lambda: value(conn, WAITS), lambda waiting: waiting == 1)
        await sign_out(conn, secret)
        doorkeeper.forget(secret)
        await gate.rollback()
        await asked
        with pytest.raises(Unauthorised):
            await doorkeeper.by_session(secret)
