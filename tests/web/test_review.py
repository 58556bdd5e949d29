"""The office decides on a record: who may, on what they have seen, and what it does to the record's job and its crew."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import msgspec
import psycopg
import pytest

from sql import Connection
from tests.factories import Made, fail, finish, make_device, make_project, make_record, value
from tests.service import Service, record, sign_in, token
from tests.web.test_jobs import demo_device
from tests.web.test_waive import state

SENT_BACK = ("held", "sent_back", "waiting")
IN_LINE = ("queued", None, "automation")


async def decide(
    served: Service, person: dict[str, str], made: Made, decision: str, note: str = "", *, match: str | None = '"1"'
) -> httpx.Response:
    headers = person if match is None else person | {"If-Match": match}
    body = {"decision": decision, "note": note}
    return await served.http.post(f"/api/records/{made.record_id}/review", headers=headers, json=body)


async def reviewer(served: Service, conn: Connection) -> dict[str, str]:
    return served.bearer(await token(conn, scopes=("read", "review")))


async def queued(conn: Connection) -> Made:
    return await make_record(conn, device=await demo_device(conn))


async def test_sent_back_the_job_waits_and_approved_it_goes_on(served: Service, conn: Connection) -> None:
    made = await queued(conn)
    person = await sign_in(served, conn, role="reviewer")
    looked = await served.http.get(f"/api/records/{made.record_id}", headers=person)
    assert looked.headers["etag"].startswith('"1.')
    answer = await decide(served, person, made, "rejected", " The wrong pole. ", match=looked.headers["etag"])
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["state"], said["note"], said["version"]) == ("rejected", "The wrong pole.", 2)
    assert said["by"].startswith("user:") and answer.headers["etag"] == '"2"'
    assert await state(conn, made) == SENT_BACK
    assert (await decide(served, person, made, "approved", match='"2"')).status_code == 200
    assert await state(conn, made) == IN_LINE
    detail = (await served.http.get(f"/api/records/{made.record_id}", headers=person)).json()
    assert (detail["review_state"], detail["review"]["state"], detail["review"]["version"]) == ("approved",) * 2 + (3,)
    acts = [(act["kind"], act["data"]["reason"]) for act in detail["timeline"] if act["kind"].startswith("record.")]
    assert acts == [("record.rejected", "The wrong pole."), ("record.approved", "")]
    before, after = await _audit(conn, made)
    assert (before["state"], after["state"]) == ("received", "rejected")


async def _audit(conn: Connection, made: Made) -> tuple[Any, Any]:
    query = "select before, after from audit_event where record_id = %s and action = 'record.rejected'"
    before, after = await (await conn.execute(query, [made.record_id])).fetchone() or (None, None)
    return before, after


async def test_of_two_reviewers_at_once_one_decides(served: Service, conn: Connection) -> None:
    made = await queued(conn)
    person = await reviewer(served, conn)
    answers = await asyncio.gather(
        *(
            decide(served, person, made, each, "look again")
            for each in ("approved", "rejected", "has_issues", "approved")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    refused = next(answer.json() for answer in answers if answer.status_code == 412)
    assert (refused["code"], refused["retry"]) == ("stale-revision", "fix")
    count = "select count(*) from audit_event where record_id = %s and action like 'record.%%' and action <> 'record.upload'"
    assert await value(conn, count, made.record_id) == 1
    stored = await value(conn, "select review_state from asbuilt_record where id = %s", made.record_id)
    assert stored == next(answer.json()["state"] for answer in answers if answer.status_code == 200)


@pytest.mark.parametrize(
    ("decision", "note", "match", "status", "code"),
    [
        ("rejected", "  ", '"1"', 422, "reason-missing"),
        ("has_issues", "", '"1"', 422, "reason-missing"),
        ("approved", "", None, 428, "match-missing"),
        ("approved", "", "*", 400, "malformed-request"),
        ("approved", "", '"999999999999"', 400, "malformed-request"),
        ("approved", "", '"7"', 412, "stale-revision"),
        ("received", "no decision", '"1"', 400, "malformed-request"),
        ("rejected", "x" * 2001, '"1"', 400, "malformed-request"),
        ("rejected", "a\x00b", '"1"', 400, "malformed-request"),
    ],
)
async def test_what_is_no_decision_changes_nothing(
    served: Service, conn: Connection, decision: str, note: str, match: str | None, status: int, code: str
) -> None:
    made = await queued(conn)
    answer = await decide(served, await reviewer(served, conn), made, decision, note, match=match)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await state(conn, made) == IN_LINE
    assert await value(conn, "select version from asbuilt_record where id = %s", made.record_id) == 1


async def test_nobody_approves_over_an_open_blocker(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="held", device=await demo_device(conn))
    person = await reviewer(served, conn)
    answer = await decide(served, person, made, "approved")
    assert (answer.status_code, answer.json()["code"]) == (409, "blocker-open")
    assert (await decide(served, person, made, "rejected", "outside the site")).status_code == 200
    assert (await state(conn, made))[:2] == ("held", "blocker")


async def test_who_may_not(served: Service, conn: Connection) -> None:
    made = await queued(conn)
    viewer = await sign_in(served, conn, role="viewer")
    stranger = (await make_device(conn, await make_project(conn), scopes=("read", "review"))).headers
    own = made.device.headers
    for headers, status, code in (
        (viewer, 403, "forbidden"),
        (own, 403, "forbidden"),
        (stranger, 404, "record-unknown"),
        ({}, 401, "unauthorised"),
    ):
        answer = await decide(served, headers, made, "rejected", "no")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await state(conn, made) == IN_LINE


async def test_the_crew_finds_it_in_its_inbox_and_its_correction_lets_the_job_go_on(
    served: Service, conn: Connection
) -> None:
    body = record()
    sent = (await served.http.put(f"/api/mobile/records/{body['id']}", headers=served.bearer(), json=body)).json()
    await conn.execute("update defect set severity = 'info' where record_id = %s", [body["id"]])
    await conn.execute("select ops.review(%s, 'rejected', 'The height is wrong.')", [body["id"]])
    inbox = (await served.http.get("/api/mobile/inbox", headers=served.bearer())).json()
    item = next(each for each in inbox["items"] if each["record_id"] == sent["record_id"])
    assert (item["review_state"], item["review_note"]) == ("rejected", "The height is wrong.")
    body["fields"]["pole_height_ft"] = 40
    fixed = await served.http.put(
        f"/api/mobile/records/{body['id']}", headers=served.bearer() | {"If-Match": '"1"'}, json=body
    )
    assert fixed.status_code == 200, fixed.text
    query = "select review_state, version from asbuilt_record where id = %s"
    row = await (await conn.execute(query, [body["id"]])).fetchone()
    assert row == ("edited", 3)
    # What it waits for now is what its new content is found to have, not the office.
    reason = await value(conn, "select wait_reason from automation_job where record_id = %s", body["id"])
    assert reason != "sent_back"


async def turned_away(conn: Connection, made: Made) -> bool:
    """A worker fetches the job and asks for its attempt; whether there is none for it."""
    fetch = (
        "update procrastinate_jobs set status = 'doing' from automation_job as j"
        " where j.id = %s and procrastinate_jobs.id = j.queue_job_id returning procrastinate_jobs.id"
    )
    row = await value(conn, fetch, made.job_id)
    attempt = await value(conn, "select attempt from claim_attempt(%s, %s::bigint, 'worker-1', 45)", made.job_id, row)
    await conn.execute("update procrastinate_jobs set status = 'succeeded' where id = %s", [row])
    return attempt is None


async def test_a_run_under_way_goes_on_and_the_next_one_does_not_start(conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    await conn.execute("select ops.review(%s, 'rejected', 'no')", [made.record_id])
    assert await value(conn, "select state from automation_job where id = %s", made.job_id) == "processing"
    assert await fail(conn, made.job_id, made.attempt, again=True) == "retrying"
    await finish(conn, made.job_id, made.attempt)
    assert await turned_away(conn, made)
    assert await state(conn, made) == SENT_BACK
    assert await value(conn, "select count(*) from portal_slot where job_id = %s", made.job_id) == 0
    assert await flaws(conn) == []


async def flaws(conn: Connection) -> list[str]:
    rows = await (await conn.execute("select sentence from ops.doctor(60) where job_id is not null")).fetchall()
    return [row[0] for row in rows]


async def test_a_project_may_want_an_approval_first(served: Service, conn: Connection) -> None:
    early = await queued(conn)
    require = "select ops.require_review('demo', %s, 'a new crew')"
    assert await value(conn, require, True) == 0
    body = record(form="test-form", form_version=1, fields={}, photos=[])
    sent = await served.http.put(f"/api/mobile/records/{body['id']}", headers=served.bearer(), json=body)
    assert (sent.status_code, sent.json()["job_status"]) == (201, "held"), sent.text
    late = msgspec.structs.replace(
        early, record_id=UUID(sent.json()["record_id"]), job_id=UUID(sent.json()["automation_job_id"])
    )
    assert await state(conn, late) == ("held", "review", "waiting")
    assert await turned_away(conn, early)
    assert await state(conn, early) == ("held", "review", "waiting")
    with pytest.raises(psycopg.Error, match="not on hold") as refused:
        await conn.execute("select ops.release(%s, 'go')", [late.job_id])
    assert "ops.review" in (refused.value.diag.message_hint or "")
    await conn.execute("select ops.review(%s, 'approved', '')", [late.record_id])
    assert await state(conn, late) == IN_LINE
    assert await value(conn, require, False) == 1
    assert await state(conn, early) == IN_LINE
    assert await flaws(conn) == []


async def test_a_decision_by_plain_sql_is_told_by_the_doctor(conn: Connection) -> None:
    made = await make_record(conn)
    await conn.execute("select ops.review(%s, 'has_issues', 'look')", [made.record_id])
    await conn.execute("update asbuilt_record set review_state = 'approved' where id = %s", [made.record_id])
    hint = await value(conn, "select hint from ops.doctor(60) where job_id = %s", made.job_id)
    assert hint.startswith("select ops.review(")
    await conn.execute(hint)
    assert await state(conn, made) == IN_LINE
