"""`POST /api/jobs/{id}/run-again`: an operator's act with a reason, on the number that was seen."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any
from uuid import uuid4

import pytest

from app.core.auth import Role
from sql import Connection
from tests.factories import claim, complete, finish, make_record
from tests.service import Service, sign_in
from tests.web.test_jobs import demo_device

WHY = {"reason": "the customer deleted the entry"}


async def test_an_operator_submits_once_more_and_the_former_number_stays_in_sight(
    served: Service, conn: Connection
) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    operator = await sign_in(served, conn)
    before = (await served.http.get(f"/api/jobs/{made.job_id}", headers=operator)).json()
    assert (before["times"], before["former"]) == (1, [])
    answer = await served.http.post(
        f"/api/jobs/{made.job_id}/run-again", headers=operator, json=WHY | {"confirmation": before["confirmation"]}
    )
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["state"], job["times"], job["confirmation"]) == ("queued", 2, None)
    assert job["external_ref"] == f"{before['external_ref']}-2"
    attempt = await claim(conn, made.job_id)
    assert await complete(conn, made.job_id, attempt, confirmation="NPL-2")
    await finish(conn, made.job_id, attempt)
    job = (await served.http.get(f"/api/jobs/{made.job_id}", headers=operator)).json()
    assert (job["state"], job["confirmation"]) == ("completed", "NPL-2")
    assert [(one["external_ref"], one["confirmation"]) for one in job["former"]] == [
        (before["external_ref"], before["confirmation"])
    ]
    table = (await served.http.get("/api/exports/records.csv", headers=operator)).text
    [line] = csv.DictReader(io.StringIO(table.lstrip("\ufeff")))
    assert [line[name] for name in ("external_ref", "job_external_ref", "job_confirmation")] == [
        before["external_ref"], job["external_ref"], "NPL-2",
    ]  # fmt: skip
    record = (await served.http.get(f"/api/records/{made.record_id}", headers=operator)).json()
    acts = [entry for entry in record["timeline"] if entry["kind"] == "job.run_again"]
    assert [act["actor"][:5] for act in acts] == ["user:"]


@pytest.mark.parametrize(("state", "code"), [("failed", "job-not-completed"), ("queued", "job-not-completed")])
async def test_what_is_not_completed_is_not_run_again(served: Service, conn: Connection, state: Any, code: str) -> None:
    made = await make_record(conn, state=state, device=await demo_device(conn))
    operator = await sign_in(served, conn)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/run-again", headers=operator, json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert state in answer.json()["detail"]


async def test_two_people_at_once_submit_once_and_a_late_page_not_at_all(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    operator = await sign_in(served, conn)
    path, seen = f"/api/jobs/{made.job_id}/run-again", WHY | {"confirmation": "NPL-1"}
    post = [served.http.post(path, headers=operator, json=seen) for _ in range(2)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*post)) == [202, 409]
    attempt = await claim(conn, made.job_id)
    assert await complete(conn, made.job_id, attempt, confirmation="NPL-2")
    late = await served.http.post(path, headers=operator, json=seen)
    assert (late.status_code, late.json()["code"]) == (409, "job-not-completed")
    assert "NPL-2" in late.json()["detail"]
    row = await (await conn.execute("select times, state from automation_job")).fetchone()
    assert row == (2, "completed")


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
async def test_only_an_operator_may(served: Service, conn: Connection, role: Role) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    person = await sign_in(served, conn, role=role)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/run-again", headers=person, json=WHY)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    row = await (await conn.execute("select state, times from automation_job")).fetchone()
    assert row == ("completed", 1)


async def test_another_projects_job_is_absent(served: Service, conn: Connection) -> None:
    await demo_device(conn)
    theirs = await make_record(conn, state="completed")
    operator = await sign_in(served, conn)
    answers = []
    for job in (uuid4(), theirs.job_id):
        answer = await served.http.post(f"/api/jobs/{job}/run-again", headers=operator, json=WHY)
        answers.append((answer.status_code, answer.json()["code"]))
    assert answers == [(404, "job-unknown")] * 2


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": 1}, WHY | {"number": "NPL-1"}])
async def test_it_says_why(served: Service, conn: Connection, body: dict[str, Any]) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    operator = await sign_in(served, conn)
    answer = await served.http.post(f"/api/jobs/{made.job_id}/run-again", headers=operator, json=body)
    assert answer.status_code in (400, 422), answer.text
    row = await (await conn.execute("select times from automation_job")).fetchone()
    assert row == (1,)
