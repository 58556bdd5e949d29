"""One act on many jobs: what is done, what is skipped and why, nothing swept in, and nobody waits in a circle."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from psycopg import AsyncConnection

from sql import Connection
from tests.factories import Device, Made, State, fail, finish, make_device, make_project, make_record, value
from tests.service import Service, sign_in

URL = "/api/jobs/bulk"


async def own_device(conn: Connection) -> Device:
    return await make_device(conn, await make_project(conn, f"p-{uuid4().hex[:6]}"))


async def person(served: Service, conn: Connection, device: Device, role: Any = "operator") -> dict[str, str]:
    return await sign_in(served, conn, role=role, project=device.project.code)


async def post(served: Service, headers: dict[str, str], **body: Any) -> httpx.Response:
    return await served.http.post(URL, headers=headers, json=body)


async def many(conn: Connection, device: Device, n: int, *, state: State = "queued") -> list[Made]:
    async with conn.transaction():
        return [await make_record(conn, state=state, device=device) for _ in range(n)]


async def test_each_job_says_what_came_of_it_and_has_its_audit_row(served: Service, conn: Connection) -> None:
    device = await own_device(conn)
    made = {state: await make_record(conn, state=state, device=device) for state in ("failed", "retrying", "completed")}
    foreign = await make_record(conn, state="failed")
    nothing = uuid4()
    jobs = [str(each.job_id) for each in (*made.values(), foreign)] + [str(nothing)]
    answer = await post(
        served, await person(served, conn, device, "reviewer"), action="retry", jobs=jobs, reason="the portal is back"
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["done"], body["skipped"], body["left"], body["next"]) == (2, 3, 0, None)
    came = {item["job_id"]: (item["outcome"], item["code"], item["state"]) for item in body["items"]}
    assert came == {
        str(made["failed"].job_id): ("done", None, "queued"),
        str(made["retrying"].job_id): ("done", None, "queued"),
        str(made["completed"].job_id): ("skipped", "job-not-retryable", "completed"),
        str(foreign.job_id): ("skipped", "job-unknown", None),
        str(nothing): ("skipped", "job-unknown", None),
    }
    audited = await conn.execute("select job_id, left(actor, 5), reason from audit_event where action = 'job.retry'")
    assert {(str(row[0]), *row[1:]) for row in await audited.fetchall()} == {
        (str(made[state].job_id), "user:", "the portal is back") for state in ("failed", "retrying")
    }
    assert await value(conn, "select state from automation_job where id = %s", foreign.job_id) == "failed"


async def test_everything_that_matches_is_held_released_and_cancelled_page_by_page(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lists.bulk.service.MOST", 8)
    monkeypatch.setattr("app.lists.bulk.service.BATCH", 3)
    device = await own_device(conn)
    made = await many(conn, device, 19)
    other = await make_record(conn, state="failed", device=device)
    headers = await person(served, conn, device)
    steps = (("hold", "queued", "held"), ("release", "held", "queued"), ("cancel", "queued", "cancelled"))
    for action, before, after in steps:
        seen: list[str] = []
        left, cursor = 19, None
        for expected in (8, 8, 3):
            answer = await post(
                served, headers, action=action, filter={"state": [before]}, expect=left, cursor=cursor, reason="storm"
            )
            body = answer.json()
            assert (answer.status_code, body["done"], body["skipped"]) == (200, expected, 0), body
            seen += [item["job_id"] for item in body["items"]]
            left, cursor = body["left"], body["next"]
        assert (left, cursor) == (0, None)
        assert sorted(seen) == sorted(str(each.job_id) for each in made)
        states = await conn.execute("select state, count(*) from automation_job group by state order by state")
        assert dict(await states.fetchall()) == {after: 19, "failed": 1}
    assert await value(conn, "select count(*) from portal_slot where job_id is not null") == 0
    assert await value(conn, "select state from automation_job where id = %s", other.job_id) == "failed"


async def test_what_came_between_look_and_act_is_told_and_not_swept_in(served: Service, conn: Connection) -> None:
    device = await own_device(conn)
    await many(conn, device, 3, state="failed")
    headers = await person(served, conn, device)
    wanted = {"action": "retry", "filter": {"state": ["failed"]}}
    refused = await post(served, headers, **wanted, expect=2)
    assert (refused.status_code, refused.json()["code"]) == (409, "selection-grown")
    assert await value(conn, "select count(*) from automation_job where state = 'failed'") == 3
    # Fewer than were seen is no surprise: the others are done already.
    body = (await post(served, headers, **wanted, expect=5)).json()
    assert (body["done"], body["left"]) == (3, 0)


@pytest.mark.parametrize(
    ("action", "role"), [("hold", "reviewer"), ("release", "reviewer"), ("retry", "viewer"), ("cancel", "viewer")]
)
async def test_the_handler_asks_for_the_role(served: Service, conn: Connection, action: str, role: str) -> None:
    device = await own_device(conn)
    made = await make_record(conn, state="failed", device=device)
    headers = await person(served, conn, device, role)
    for body in ({"jobs": [str(made.job_id)]}, {"filter": {}, "expect": 1}):
        answer = await post(served, headers, action=action, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert await value(conn, "select count(*) from audit_event where action like 'job.%%'") == 0


async def test_a_job_of_a_project_where_one_only_looks_is_skipped(served: Service, conn: Connection) -> None:
    here, there = await own_device(conn), await own_device(conn)
    ours, theirs = [await make_record(conn, state="failed", device=device) for device in (here, there)]
    headers = await person(served, conn, here)
    user = await value(
        conn,
        "select user_id from membership join project on project.id = project_id where code = %s",
        here.project.code,
    )
    await conn.execute(
        "insert into membership (user_id, project_id, role) values (%s, %s, 'viewer')", [user, there.project.id]
    )
    headers = {**headers}
    body: dict[str, Any] = {}
    async with asyncio.timeout(60):
        # Who may see what is remembered for some seconds.
        while len(body.get("items", ())) < 2:
            answer = await post(served, headers, action="cancel", jobs=[str(ours.job_id), str(theirs.job_id)])
            body = {"items": [item for item in answer.json()["items"] if item["code"] != "job-unknown"]}
    codes = {item["job_id"]: item["code"] for item in body["items"]}
    assert codes[str(theirs.job_id)] == "forbidden"
    assert await value(conn, "select state from automation_job where id = %s", theirs.job_id) == "failed"


BAD: list[tuple[int, dict[str, Any]]] = [
    (400, {"action": "explode", "jobs": [str(uuid4())]}),
    (400, {"action": "retry"}),
    (400, {"action": "retry", "jobs": []}),
    (400, {"action": "retry", "jobs": [str(uuid4())] * 201}),
    (400, {"action": "retry", "jobs": ["x"]}),
    (400, {"action": "retry", "jobs": [str(uuid4())], "filter": {}, "expect": 1}),
    (400, {"action": "retry", "filter": {}}),
    (400, {"action": "retry", "filter": {}, "expect": -1}),
    (400, {"action": "retry", "filter": {"state": ["lost"]}, "expect": 1}),
    (400, {"action": "retry", "filter": {"sort": "1;"}, "expect": 1}),
    (400, {"action": "retry", "filter": {}, "expect": 1, "cursor": "abc"}),
    (400, {"action": "retry", "filter": {"q": "a\x00b"}, "expect": 1}),
    (404, {"action": "retry", "filter": {"project": "nothing"}, "expect": 1}),
]


async def test_what_cannot_be_meant_is_refused(served: Service, conn: Connection) -> None:
    headers = await sign_in(served, conn)
    for status, body in BAD:
        answer = await post(served, headers, **body)
        assert (answer.status_code, answer.json().get("code")) != (500, "internal"), body
        assert answer.status_code == status, (body, answer.text)


async def test_a_job_that_somebody_is_at_is_passed_over(served: Service, conn: Connection, database_url: str) -> None:
    device = await own_device(conn)
    made = await many(conn, device, 3, state="failed")
    headers = await person(served, conn, device)
    async with await AsyncConnection.connect(database_url) as other:
        await other.execute("select lock_job(%s)", [made[1].job_id])
        body = (await post(served, headers, action="retry", jobs=[str(each.job_id) for each in made])).json()
    assert (body["done"], body["skipped"]) == (2, 1)
    assert [item["code"] for item in body["items"] if item["outcome"] == "skipped"] == ["job-busy"]


@pytest.mark.slow
async def test_two_thousand_jobs_two_people_and_workers_at_once(
    served: Service, conn: Connection, database_url: str
) -> None:
    """Nobody waits in a circle, no job is lost, and each act that is told as done has its audit row."""
    device = await own_device(conn)
    for _ in range(20):
        await many(conn, device, 100)
    people = [await person(served, conn, device) for _ in range(2)]
    done: list[tuple[str, str]] = []
    over = asyncio.Event()

    async def work() -> None:
        async with await AsyncConnection.connect(database_url, autocommit=True) as mine:
            while not over.is_set():
                # As a worker's fetch does: only what is to be done, and in no other queue. Else it would be an edit by hand.
                fetched = await mine.execute(
                    "update procrastinate_jobs set status = 'doing' where id = (select id from procrastinate_jobs"
                    "   where queue_name = 'automation' and status = 'todo' limit 1 for update skip locked)"
                    " returning id, (args ->> 'automation_job_id')::uuid"
                )
                row = await fetched.fetchone()
                if row is None:
                    await asyncio.sleep(0)
                    continue
                queue_row, job = row
                attempt = await value(
                    mine, "select attempt from claim_attempt(%s, %s::bigint, 'w', 45)", job, queue_row
                )
                if attempt is None:
                    continue
                await fail(mine, job, attempt)
                await finish(mine, job, attempt)

    async def everything(headers: dict[str, str], action: str, states: list[str]) -> None:
        left, cursor = 100_000, None
        while True:
            answer = await post(
                served, headers, action=action, filter={"state": states}, expect=left, cursor=cursor, reason="r"
            )
            assert answer.status_code == 200, answer.text
            body = answer.json()
            done.extend((action, item["job_id"]) for item in body["items"] if item["outcome"] == "done")
            left, cursor = body["left"], body["next"]
            if cursor is None:
                return

    workers = [asyncio.create_task(work()) for _ in range(2)]
    try:
        async with asyncio.timeout(300):
            await asyncio.gather(everything(people[0], "hold", ["queued"]), everything(people[1], "retry", ["failed"]))
            await asyncio.gather(
                everything(people[0], "release", ["held"]), everything(people[1], "cancel", ["queued", "held"])
            )
    finally:
        over.set()
        await asyncio.gather(*workers)
    assert await value(conn, "select count(*) from automation_job") == 2000
    audited = await conn.execute(
        "select split_part(action, '.', 2), job_id::text from audit_event where action like 'job.%%'"
    )
    assert sorted(done) == sorted((row[0], row[1]) for row in await audited.fetchall())
    broken = await (await conn.execute("select * from ops.doctor()")).fetchall()
    assert [row for row in broken if "queue" not in str(row)] == [], broken
