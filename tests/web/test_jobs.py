"""The jobs API: the four routes, what they show of a running attempt, and a person's retry."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.core.cache import Audience, Progress, ProgressCache
from app.jobs.states import LOOKS, JobState
from sql import Connection
from tests.factories import Device, Project, State, claim, make_device, make_record, value
from tests.service import Service, sign_in


async def demo_device(conn: Connection, *scopes: str) -> Device:
    project = Project(id=await value(conn, "select id from project where code = 'demo'"), code="demo")
    await conn.execute(
        "insert into form_def (form_key, version, title, schema) values ('test-form', 1, 'Test', '{}') on conflict do nothing"
    )
    return await make_device(conn, project, scopes=scopes or ("upload", "read"))


@pytest.mark.parametrize("state", list(JobState))
async def test_every_state_is_shown_and_has_its_look(served: Service, conn: Connection, state: JobState) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state=state, device=device)
    answer = await served.http.get(f"/api/jobs/{made.job_id}", headers=device.headers)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert (view["state"], view["id"], view["record_id"]) == (state, str(made.job_id), str(made.record_id))
    assert LOOKS[state].terminal == (view["finished_at"] is not None)
    listed = await served.http.get(f"/api/jobs/record/{made.record_id}", headers=device.headers)
    assert [item["id"] for item in listed.json()["items"]] == [str(made.job_id)]


async def test_progress_comes_from_the_cache_for_the_running_attempt_only(
    served: Service, conn: Connection, redis_url: str
) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="processing", device=device)
    async with Redis.from_url(redis_url, decode_responses=True, protocol=2) as redis:
        cache = ProgressCache(redis)
        for attempt, percent in ((made.attempt, 40), (made.attempt + 1, 90)):
            told = Progress(
                job_id=made.job_id, record_id=made.record_id, attempt=attempt, percent=percent, step="job",
                step_index=2, step_total=5, label="Job", at=datetime.now(UTC).isoformat(),
            )  # fmt: skip
            assert await cache.publish(told, Audience(project_id=device.project.id, device_id=device.id))
            shown = (await served.http.get(f"/api/jobs/{made.job_id}", headers=device.headers)).json()["progress"]
            assert (shown and shown["percent"]) == (40 if attempt == made.attempt else None)


async def test_without_the_cache_the_checkpoint_is_shown(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="processing", device=device)
    await conn.execute(
        "update automation_attempt set progress = jsonb_build_object('job_id', %s::text, 'record_id', %s::text, 'attempt', 1,"
        " 'percent', 30, 'step', 'job', 'step_index', 2, 'step_total', 5, 'label', 'Job', 'at', 'now') where job_id = %s",
        [made.job_id, made.record_id, made.job_id],
    )
    assert (await served.http.get(f"/api/jobs/{made.job_id}", headers=device.headers)).json()["progress"][
        "percent"
    ] == 30


async def test_a_project_is_read_page_by_page(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = [str((await make_record(conn, device=device)).job_id) for _ in range(5)]
    await make_record(conn, state="failed", device=device)
    seen: list[str] = []
    cursor = ""
    while True:
        answer = await served.http.get(
            "/api/jobs/project/demo", headers=device.headers, params={"limit": 2, "state": "queued", "cursor": cursor}
        )
        seen += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    by_id = await served.http.get(f"/api/jobs/project/{device.project.id}", headers=device.headers)
    assert len(by_id.json()["items"]) == 6


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 10**9}, {"cursor": "x"}, {"state": "odd"}])
async def test_a_bad_page_is_refused(served: Service, conn: Connection, query: dict[str, str]) -> None:
    device = await demo_device(conn)
    answer = await served.http.get("/api/jobs/project/demo", headers=device.headers, params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


async def test_a_person_retries_with_a_fresh_budget_and_it_is_on_record(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="failed", device=device)
    person = await sign_in(served, conn, role="reviewer")
    answer = await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=person, json={"reason": "portal is back"})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["state"], answer.json()["failures"]) == ("queued", 0)
    queue = await (await conn.execute("select queue_name, status::text from procrastinate_jobs order by id")).fetchall()
    assert queue[-1] == ("automation", "todo")
    acts = await (await conn.execute("select left(actor, 5), action, reason from audit_event order by id")).fetchall()
    assert acts[-1] == ("user:", "job.retry", "portal is back")


async def test_a_program_may_retry_without_saying_why_and_the_record_says_so(served: Service, conn: Connection) -> None:
    device = await demo_device(conn, "read", "operate")
    bodies: tuple[dict[str, Any], ...] = ({}, {"json": {}}, {"json": {"reason": " \n"}})
    for body in bodies:
        made = await make_record(conn, state="failed", device=device)
        answer = await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=device.headers, **body)
        assert answer.status_code == 202, answer.text
        act = "select reason from audit_event where action = 'job.retry' and job_id = %s"
        assert await value(conn, act, made.job_id) == "no reason given"


@pytest.mark.parametrize("state", ["awaiting_media", "held", "queued", "processing", "needs_input", "completed"])
async def test_other_states_cannot_be_retried(served: Service, conn: Connection, state: State) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state=state, device=device)
    person = await sign_in(served, conn)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=person, json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "job-not-retryable")


async def test_two_retries_at_once_are_one(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="failed", device=device)
    person = await sign_in(served, conn)
    post = [served.http.post(f"/api/jobs/{made.job_id}/retry", headers=person, json={}) for _ in range(2)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*post)) == [202, 409]


async def test_a_viewer_may_look_and_not_retry(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="failed", device=device)
    viewer = await sign_in(served, conn, role="viewer")
    assert (await served.http.get(f"/api/jobs/{made.job_id}", headers=viewer)).status_code == 200
    answer = await served.http.post(f"/api/jobs/{made.job_id}/retry", headers=viewer, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    row = await (await conn.execute("select state, queue_job_id from automation_job")).fetchone()
    assert row == ("failed", None)


FOREIGN = [
    ("GET", "/api/jobs/{job}"), ("GET", "/api/jobs/record/{record}"), ("GET", "/api/jobs/project/{project}"),
    ("POST", "/api/jobs/{job}/retry"), ("GET", "/api/jobs/{job}/artifacts/{job}"), ("GET", "/api/records/{record}"),
    ("POST", "/api/jobs/{job}/cancel"), ("GET", "/api/jobs/{job}/attempts"),
    ("GET", "/api/records?project={project}"), ("GET", "/api/stats?project={project}"),
    ("GET", "/api/records/{record}/photos/pole"), ("GET", "/api/mobile/records/{record}"),
    ("GET", "/api/events?job={job}"), ("GET", "/api/events?record={record}"), ("GET", "/api/events?project={project}"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), FOREIGN)
async def test_what_belongs_to_others_answers_as_if_absent(
    served: Service, conn: Connection, method: str, path: str
) -> None:
    theirs = await make_record(conn, state="failed")
    ours = await demo_device(conn, "upload", "operate")
    absent = {"job": uuid4(), "record": uuid4(), "project": "nothing"}
    foreign = {"job": theirs.job_id, "record": theirs.record_id, "project": theirs.project.code}
    answers = []
    for names in (absent, foreign):
        answer = await served.http.request(
            method, path.format(**names), headers=ours.headers, json={} if method == "POST" else None
        )
        answers.append((answer.status_code, {**answer.json(), "instance": ""}))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


async def test_a_claimed_job_shows_its_attempt(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, device=device)
    attempt = await claim(conn, made.job_id)
    record = (await served.http.get(f"/api/records/{made.record_id}", headers=device.headers)).json()
    assert [(a["attempt"], a["worker"], a["ended_at"]) for a in record["attempts"]] == [(attempt, "worker-1", None)]
    assert [(e["seq"], e["state"]) for e in record["timeline"]] == [(1, "queued"), (2, "processing")]
