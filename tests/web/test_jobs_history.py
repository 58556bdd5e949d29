"""A person's cancel, and the attempts of a job with what operators alone may read."""

from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tasks.attempt_log import AttemptLog
from tests.factories import State, claim, finish, make_record
from tests.service import Service, sign_in
from tests.web.test_jobs import demo_device


@pytest.mark.parametrize("state", ["awaiting_media", "held", "queued", "retrying", "needs_input"])
async def test_a_waiting_job_is_cancelled_at_once(served: Service, conn: Connection, state: State) -> None:
    made = await make_record(conn, state=state, device=await demo_device(conn))
    person = await sign_in(served, conn, role="reviewer")
    answer = await served.http.post(f"/api/jobs/{made.job_id}/cancel", headers=person, json={"reason": "wrong pole"})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["state"], answer.json()["wait_reason"]) == ("cancelled", None)
    acts = await (await conn.execute("select left(actor, 5), action, reason from audit_event order by id")).fetchall()
    assert acts[-1] == ("user:", "job.cancel", "wrong pole")
    live = await conn.execute("select count(*) from procrastinate_jobs where status = 'todo'")
    assert await live.fetchone() == (0,)


async def test_a_running_job_is_asked_to_stop(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="processing", device=await demo_device(conn))
    person = await sign_in(served, conn)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/cancel", headers=person, json={"reason": "wrong pole"})
    assert (answer.status_code, answer.json()["state"]) == (202, "processing")
    asked = await conn.execute("select cancel_requested_at is not null from automation_job")
    assert await asked.fetchone() == (True,)


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
async def test_what_has_ended_cannot_be_cancelled(served: Service, conn: Connection, state: State) -> None:
    made = await make_record(conn, state=state, device=await demo_device(conn))
    person = await sign_in(served, conn)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/cancel", headers=person, json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "job-not-cancellable")
    assert state in answer.json()["detail"]


async def test_a_viewer_and_the_phone_itself_may_not_cancel(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, device=device)
    for headers in (await sign_in(served, conn, role="viewer"), device.headers):
        answer = await served.http.post(f"/api/jobs/{made.job_id}/cancel", headers=headers, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    state = await conn.execute("select state from automation_job")
    assert await state.fetchone() == ("queued",)


async def test_attempts_are_whole_for_operators_and_without_their_log_for_others(
    served: Service, conn: Connection
) -> None:
    """A traceback and a log tell of the machine; they are the operators'."""
    made = await make_record(conn, device=await demo_device(conn))
    attempt = await claim(conn, made.job_id)
    await conn.execute(
        "insert into automation_step values (%s, 1, 'job', 2, 5, 'Job', 'confirmed', '{}', now(), now())", [made.job_id]
    )
    full = AttemptLog()
    for n in range(2000):
        full.add(f"2026-11-20T15:04:05.000Z info step.began {n} {'é' * 40}")
    await conn.execute("update automation_attempt set log = %s", [full.text()])
    error = {"code": "INTERNAL", "class": "bug", "message": "it broke", "step": "job", "traceback": "Traceback: …"}
    await conn.execute(
        "select settle_failed(%s, %s::int, %s, true, 'attempt', true, 0.001, 0)", [made.job_id, attempt, Jsonb(error)]
    )
    await finish(conn, made.job_id, attempt)
    await claim(conn, made.job_id)
    for role in ("operator", "reviewer", "viewer"):
        person = await sign_in(served, conn, role=role)
        answer = await served.http.get(f"/api/jobs/{made.job_id}/attempts", headers=person)
        assert answer.status_code == 200, answer.text
        second, first = answer.json()["items"]
        assert (second["attempt"], second["ended_at"], second["outcome"]) == (2, None, None)
        assert (first["attempt"], first["worker"], first["outcome"]) == (1, "worker-1", "failed")
        assert first["error"] == {key: error[key] for key in ("code", "class", "message", "step")}
        assert [(step["key"], step["state"], step["screenshot"]) for step in first["steps"]] == [
            ("job", "confirmed", None)
        ]
        if role == "operator":
            assert first["traceback"] == "Traceback: …"
            assert first["log"] == full.text().split("\n")
            assert first["log"][-1].startswith("2026-11-20T15:04:05.000Z info step.began 1999 ")
            assert second["log"] == []
        else:
            assert (first["traceback"], first["log"]) == (None, None)


async def test_the_views_of_operators_tell_the_same_story(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="failed", device=await demo_device(conn))
    person = await sign_in(served, conn)
    await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=person, json={"reason": "portal is back"})
    story = await conn.execute("select kind, state, reason from ops.timeline where job_id = %s", [made.job_id])
    assert sorted(await story.fetchall(), key=str) == [
        ("created", "queued", None),
        ("job.retry", "queued", "portal is back"),
        ("record.upload", None, None),
        ("state", "failed", None),
        ("state", "processing", None),
        ("state", "queued", None),
    ]
    attempts = await conn.execute("select attempt, outcome, error_code, queue_row from ops.attempts")
    assert await attempts.fetchall() == [(1, "failed", "STREAM_LOST", 1)]


async def test_every_public_column_explains_itself_where_its_name_does_not(conn: Connection) -> None:
    silent = await conn.execute(
        "select c.relname from pg_class as c where c.relnamespace = 'ops'::regnamespace and c.relkind = 'v'"
        " and obj_description(c.oid) is null union all "
        "select p.proname from pg_proc as p where p.pronamespace = 'ops'::regnamespace and obj_description(p.oid) is null"
    )
    assert await silent.fetchall() == []
