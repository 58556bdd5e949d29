"""Corrections from the phone: the next revision, judged anew, and never under a run that keys the old one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tasks.store import CONFIRMED_STEPS
from tests.factories import claim, complete, fail, finish, value
from tests.service import Service, ids, listed, multipart, record, token
from tests.unit.pictures import jpeg

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
MOBILE = "/api/mobile"


def pictures() -> dict[str, bytes]:
    return {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}


async def put(served: Service, body: dict[str, Any], match: str | None = None, bearer: str = "") -> httpx.Response:
    headers = served.bearer(bearer or None) | ({} if match is None else {"If-Match": match})
    return await served.http.put(f"{MOBILE}/records/{body['id']}", headers=headers, json=body)


async def complete_record(served: Service) -> tuple[dict[str, Any], Any]:
    """A record with its three photos, whose job is queued: the document and the job's id."""
    body = record(photos=listed(SHOTS))
    answer = await served.http.post(f"{MOBILE}/records", headers=served.bearer(), **multipart(body, pictures()))
    assert (answer.status_code, answer.json()["job_status"]) == (201, "queued"), answer.text
    return body, ids(answer)[1]


async def queued_record(served: Service, conn: Connection) -> tuple[dict[str, Any], Any]:
    """A record of a form that wants no photos, whose job is queued at once: the document and the job's id."""
    await conn.execute(
        "insert into form_def (form_key, version, title, schema) values ('test-form', 1, 'Test', '{}') on conflict do nothing"
    )
    body = record(form="test-form")
    answer = await put(served, body)
    assert (answer.status_code, answer.json()["job_status"]) == (201, "queued"), answer.text
    return body, ids(answer)[1]


def deeper(body: dict[str, Any], depth: float = 2.2) -> dict[str, Any]:
    return body | {"fields": body["fields"] | {"depth_m": depth}}


async def refused(answer: httpx.Response, status: int, code: str, retry: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retry"]) == (status, code, retry), answer.text


async def test_the_crew_mends_what_was_missing_and_the_job_goes_on(served: Service, conn: Connection) -> None:
    body = record(photos=listed(SHOTS))
    lacking = body | {"fields": {"work_order": "WO-48213"}}
    first = await served.http.post(f"{MOBILE}/records", headers=served.bearer(), **multipart(lacking, pictures()))
    assert first.json()["job_status"] == "held"
    item = (await served.http.get(f"{MOBILE}/inbox", headers=served.bearer())).json()["items"][0]
    assert item["record_id"] == body["id"]

    answer = await put(served, body, f'"{item["revision"]}"')
    said = answer.json()
    assert (answer.status_code, said["revision"], said["job_status"]) == (200, 2, "queued"), answer.text
    assert (said["defects"], said["replayed"], said["review_state"]) == ([], False, "edited")
    assert said["automation_job_id"] == first.json()["automation_job_id"]
    assert (await served.http.get(f"{MOBILE}/inbox", headers=served.bearer())).json()["items"] == []

    again = await put(served, body, f'"{item["revision"]}"')
    assert (again.status_code, again.json()["revision"], again.json()["replayed"]) == (200, 2, True)
    statuses = await (await conn.execute("select distinct status, reason from defect")).fetchall()
    assert statuses == [("fixed", "revision 2")]
    revisions = await (
        await conn.execute("select revision, fields ->> 'depth_m' from record_revision order by 1")
    ).fetchall()
    assert revisions == [(1, None), (2, "2.1")]
    acts = await (await conn.execute("select action, before ->> 'revision' from audit_event order by id")).fetchall()
    assert acts == [("record.upload", None), ("record.correct", "1")]


async def test_who_has_not_seen_the_latest_corrects_nothing(served: Service, conn: Connection) -> None:
    body, _ = await queued_record(served, conn)
    etag = (await served.http.get(f"{MOBILE}/records/{body['id']}", headers=served.bearer())).headers["etag"]
    await refused(await put(served, deeper(body)), 409, "record-conflict", "never")
    assert (await put(served, deeper(body), etag)).json()["revision"] == 2
    await refused(await put(served, deeper(body, 2.3), etag), 412, "stale-revision", "fix")
    await refused(await put(served, deeper(body, 2.3), '"7"'), 412, "stale-revision", "fix")
    for match in ("*", '"x"', "", '"1", "2"'):
        await refused(await put(served, deeper(body), match), 400, "malformed-request", "never")
    await refused(await put(served, record(), '"1"'), 404, "record-unknown", "fix")
    stranger = await token(conn)
    await refused(await put(served, deeper(body), '"2"', stranger), 404, "record-unknown", "fix")
    assert await value(conn, "select revision from asbuilt_record") == 2


async def test_of_several_corrections_at_once_one_is_stored(served: Service, conn: Connection) -> None:
    body, _ = await queued_record(served, conn)
    answers = await asyncio.gather(*(put(served, deeper(body, 2.2 + n / 10), '"1"') for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert await value(conn, "select count(*) from record_revision") == 2


async def test_a_photo_is_given_up_for_a_new_one(served: Service, conn: Connection) -> None:
    body, _ = await complete_record(served)
    better = [*listed({"whole": "full_pole", "base": "base"}), *listed({"tag-2": "tag"})]
    said = (await put(served, body | {"photos": better}, '"1"')).json()
    assert (said["revision"], said["job_status"], said["media"]["missing"]) == (2, "awaiting_media", ["tag-2"])
    assert await value(conn, "select queue_name from procrastinate_jobs where status = 'todo'") == "waiting"
    assert await value(conn, "select count(*) from portal_slot where job_id is not null") == 0
    url = f"{MOBILE}/records/{body['id']}/photos/tag-2"
    photo = await served.http.put(url, headers=served.bearer(), content=jpeg(shade=200))
    assert (photo.status_code, photo.json()["job_status"]) == (201, "queued")
    assert {each["name"] for each in photo.json()["photos"]} == {"whole", "base", "tag-2"}
    # The same name for other bytes would make the old ones unfindable for whoever looked at them.
    other = [{"name": "whole", "shot": "full_pole", "sha256": "0" * 64}, *better[1:]]
    await refused(await put(served, body | {"photos": other}, '"2"'), 409, "photo-conflict", "never")


async def test_nothing_is_corrected_under_a_run(served: Service, conn: Connection) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    locked = await put(served, deeper(body), '"1"')
    await refused(locked, 409, "record-locked", "after")
    assert int(locked.headers["retry-after"]) > 0
    # The run was begun and not heard of again: it may still key what it was given.
    await conn.execute("select attach_run(%s, %s::int, 1, 'run-1', 0)", [job, attempt])
    await conn.execute(
        "select settle_failed(%s, %s::int, %s, true, 'attempt', false, 15, null)", [job, attempt, Jsonb({"code": "X"})]
    )
    await finish(conn, job, attempt)
    assert await value(conn, "select state from automation_job") == "retrying"
    await refused(await put(served, deeper(body), '"1"'), 409, "record-locked", "after")
    # Known to be over, it makes way; the next one keys the correction.
    await conn.execute("update automation_job set generation = generation + 1")
    assert (await put(served, deeper(body), '"1"')).json()["job_status"] == "retrying"
    assert await value(conn, "select revision from automation_job") == 2


@pytest.mark.parametrize("outcome", ["lost", "detached"])
async def test_a_run_that_may_have_begun_is_waited_for(served: Service, conn: Connection, outcome: str) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    if outcome == "detached":
        await conn.execute("select settle_detached(%s, %s::int)", [job, attempt])
    else:
        await conn.execute("update automation_attempt set lease_until = now() - interval '1 minute'")
        await conn.execute("select reconcile(60)")
    assert await value(conn, "select outcome from automation_attempt") == outcome
    await refused(await put(served, deeper(body), '"1"'), 409, "record-locked", "after")


async def test_what_the_portal_has_is_not_corrected(served: Service, conn: Connection) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    assert await value(conn, "select record_intent(%s, %s::int)", job, attempt)
    await refused(await put(served, deeper(body), '"1"'), 409, "record-locked", "after")
    assert await complete(conn, job, attempt)
    await refused(await put(served, deeper(body), '"1"'), 409, "record-submitted", "never")


async def test_what_is_run_again_is_corrected_until_the_portal_has_it_again(served: Service, conn: Connection) -> None:
    body, job = await queued_record(served, conn)
    assert await complete(conn, job, await claim(conn, job))
    await conn.execute("select ops.run_again(%s, 'they lost it')", [job])
    answer = await put(served, deeper(body), '"1"')
    assert answer.status_code == 200, answer.text
    assert await value(conn, "select revision from automation_job") == 2
    assert await complete(conn, job, await claim(conn, job), confirmation="NPL-2")
    await refused(await put(served, body, '"2"'), 409, "record-submitted", "never")


async def test_a_failed_job_runs_again_with_the_correction(served: Service, conn: Connection) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    assert await fail(conn, job, attempt) == "failed"
    await finish(conn, job, attempt)
    said = (await put(served, deeper(body), '"1"')).json()
    assert (said["automation_job_id"], said["job_status"], said["revision"]) == (str(job), "queued", 2)
    assert await claim(conn, job) == 2


@pytest.mark.parametrize("corrected", [False, True])
async def test_a_step_that_cannot_be_compared_is_keyed_anew_after_a_correction(
    served: Service, conn: Connection, corrected: bool
) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    for index, (key, digest) in enumerate({"sign_in": "5f1d", "details": ""}.items(), 1):
        await conn.execute(
            "insert into automation_step (job_id, attempt, key, index, total, label, state, ended_at, input_hash, recipe_version)"
            " values (%s, %s, %s, %s, 2, 'Step', 'confirmed', now(), %s, 1)",
            [job, attempt, key, index, digest],
        )
    await fail(conn, job, attempt)
    await finish(conn, job, attempt)
    if corrected:
        assert (await put(served, deeper(body), '"1"')).status_code == 200
    steps = await CONFIRMED_STEPS(conn, job=job, attempt=attempt + 1, recipe_version=1)
    assert [step.key for step in steps] == (["sign_in"] if corrected else ["sign_in", "details"])


async def test_a_question_about_the_old_content_is_withdrawn(served: Service, conn: Connection) -> None:
    body, job = await queued_record(served, conn)
    attempt = await claim(conn, job)
    question = {"kind": "approval", "prompt": "Submit?", "within_s": 100, "detail": {"keyed": {"Depth": "2.1"}}}
    assert await value(conn, "select settle_asked(%s, %s::int, %s, null)", job, attempt, Jsonb(question))
    await finish(conn, job, attempt)
    assert (await put(served, deeper(body), '"1"')).json()["job_status"] == "queued"
    assert await value(conn, "select outcome from automation_input") == "withdrawn"


async def test_a_claim_and_a_correction_at_once_never_leave_a_run_with_the_old_content(
    served: Service, conn: Connection
) -> None:
    for _ in range(6):
        body, job = await queued_record(served, conn)
        answer, attempt = await asyncio.gather(put(served, deeper(body), '"1"'), claim(conn, job))
        keyed = await value(conn, "select revision from automation_job where id = %s", job)
        # Corrected first: the claim reads revision 2. Claimed first: the correction waits for the run.
        assert (answer.status_code, keyed) in {(200, 2), (409, 1)}, answer.text
        assert attempt == 1
