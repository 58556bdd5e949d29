"""A person lets a defect stand: who may, what is kept, and that the last open blocker releases the job."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Made, make_device, make_project, make_record, value
from tests.service import Service, sign_in, token
from tests.web.test_jobs import demo_device

TWO: list[dict[str, Any]] = [
    {"rule": "required-photo-missing", "severity": "blocker", "field": "shots/tag", "message": "the tag is missing"},
    {"rule": "outside-site", "severity": "major", "field": "position", "message": "far away", "evidence": {"m": 7}},
]


async def held(
    conn: Connection, *, found: list[dict[str, Any]] = TWO, alone: bool = False
) -> tuple[Made, dict[str, str]]:
    """A held record, of project demo unless `alone`, with one blocker more, and its defects by rule."""
    made = await make_record(conn, state="held", device=None if alone else await demo_device(conn))
    await conn.execute("select add_defects(%s, 1, %s)", [made.record_id, Jsonb(found)])
    rows = await (await conn.execute("select rule, id from defect where record_id = %s", [made.record_id])).fetchall()
    return made, {rule: str(defect) for rule, defect in rows}


async def state(conn: Connection, made: Made) -> tuple[str, str | None, str]:
    row = await conn.execute(
        "select j.state, j.wait_reason, q.queue_name from automation_job as j join procrastinate_jobs as q"
        " on q.id = j.queue_job_id where j.id = %s",
        [made.job_id],
    )
    name, reason, queue = await row.fetchone() or ("", None, "")
    return name, reason, queue


def url(made: Made, defect: str) -> str:
    return f"/api/records/{made.record_id}/defects/{defect}/waive"


async def test_the_last_open_blocker_releases_the_job(served: Service, conn: Connection) -> None:
    made, defects = await held(conn)
    person = await sign_in(served, conn, role="reviewer")
    for rule, then in (
        ("outside-site", ("held", "blocker", "waiting")),
        ("position.outside", ("held", "blocker", "waiting")),
        ("required-photo-missing", ("queued", None, "automation")),
    ):
        answer = await served.http.post(url(made, defects[rule]), headers=person, json={"reason": f" {rule} is fine "})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["rule"], said["status"], said["reason"]) == (rule, "waived", f"{rule} is fine")
        assert said["by"].startswith("user:") and said["by"].endswith("@example.com")
        assert await state(conn, made) == then
    detail = (await served.http.get(f"/api/records/{made.record_id}", headers=person)).json()
    assert {d["status"] for d in detail["defect_list"]} == {"waived"}
    assert detail["defects"] == {"blocker": 0, "major": 0, "minor": 0, "info": 0}
    acts = [entry for entry in detail["timeline"] if entry["kind"] == "defect.waive"]
    assert acts[0]["data"]["reason"] == "outside-site is fine"
    assert {act["actor"] for act in acts} == {said["by"]}
    audit = await (
        await conn.execute(
            "select before ->> 'status', after ->> 'status' from audit_event where action = 'defect.waive'"
        )
    ).fetchall()
    assert audit == [("open", "waived")] * 3


async def test_two_last_blockers_at_once_release_it_once(served: Service, conn: Connection) -> None:
    made, defects = await held(conn)
    person = served.bearer(await token(conn, scopes=("read", "review")))
    answers = await asyncio.gather(
        *(
            served.http.post(url(made, defects[rule]), headers=person, json={"reason": "fine"})
            for rule in ("position.outside", "required-photo-missing")
            for _ in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"defect-not-open"}
    assert (await state(conn, made))[:2] == ("queued", None)
    assert await value(conn, "select count(*) from audit_event where action = 'defect.waive'") == 2


async def test_every_page_hears_of_it(served: Service, conn: Connection) -> None:
    made, defects = await held(conn)
    before = await value(conn, "select max(seq) from job_event where job_id = %s", made.job_id)
    person = served.bearer(await token(conn, scopes=("read", "review")))
    await served.http.post(url(made, defects["outside-site"]), headers=person, json={"reason": "fine"})
    assert await value(conn, "select max(seq) from job_event where job_id = %s", made.job_id) == before + 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "   "}, 422, "reason-missing"),
        ({"reason": ""}, 400, "malformed-request"),
        ({}, 400, "malformed-request"),
        ({"reason": "x" * 501}, 400, "malformed-request"),
        ({"reason": "fine", "by": "somebody else"}, 400, "malformed-request"),
    ],
)
async def test_a_waiver_says_why(
    served: Service, conn: Connection, body: dict[str, str], status: int, code: str
) -> None:
    made, defects = await held(conn)
    person = served.bearer(await token(conn, scopes=("read", "review")))
    answer = await served.http.post(url(made, defects["outside-site"]), headers=person, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await value(conn, "select count(*) from defect where status <> 'open'") == 0


async def test_who_may_not(served: Service, conn: Connection) -> None:
    made, defects = await held(conn)
    other, others = await held(conn)
    where, why = url(made, defects["outside-site"]), {"reason": "fine"}
    viewer = await sign_in(served, conn, role="viewer")
    assert (await served.http.post(where, headers=viewer, json=why)).status_code == 403
    stranger = (await make_device(conn, await make_project(conn), scopes=("read", "review"))).headers
    reviewer = served.bearer(await token(conn, scopes=("read", "review")))
    for headers, address in (
        (stranger, where),
        (reviewer, url(made, others["outside-site"])),
        (reviewer, url(made, made.job_id.hex)),
    ):
        answer = await served.http.post(address, headers=headers, json=why)
        assert (answer.status_code, answer.json()["code"]) == (404, "defect-unknown")
    assert await value(conn, "select count(*) from defect where status <> 'open'") == 0
    assert other.state == "held"


async def test_in_psql_it_is_the_same_act(conn: Connection) -> None:
    made, defects = await held(conn, alone=True)
    for defect in list(defects.values())[:-1]:
        await conn.execute("select ops.waive(%s, 'seen on site')", [defect])
    with pytest.raises(psycopg.Error, match="says why") as refused:
        await conn.execute("select ops.waive(%s, ' ')", [list(defects.values())[-1]])
    assert refused.value.sqlstate == "AB422"
    await conn.execute("select ops.waive(%s, 'seen on site')", [list(defects.values())[-1]])
    assert (await state(conn, made))[:2] == ("queued", None)


async def test_photos_that_are_missing_still_are(conn: Connection) -> None:
    made = await make_record(conn, state="awaiting_media")
    await conn.execute("select add_defects(%s, 1, %s)", [made.record_id, Jsonb(TWO[:1])])
    await conn.execute("select ops.waive((select id from defect), 'fine')")
    assert await value(conn, "select state from automation_job") == "awaiting_media"
    # Put on hold meanwhile, it waits for its photos again when it is released.
    await conn.execute("select ops.hold(%s, 'x'), ops.release(%s, 'y')", [made.job_id, made.job_id])
    assert await value(conn, "select wait_reason from automation_job") == "media"


async def test_a_revision_closes_what_it_mended(conn: Connection) -> None:
    found: list[dict[str, Any]] = [
        *TWO,
        {"rule": "photo-dark", "severity": "minor", "photo": "tag", "message": "dark"},
        {"rule": "unit-slip", "severity": "minor", "field": "a", "message": "m", "evidence": {"value": 1}},
        {"rule": "unit-slip", "severity": "minor", "field": "b", "message": "m", "evidence": {"value": 1}},
    ]
    made, _ = await held(conn, found=found, alone=True)
    await conn.execute("select ops.waive(id, 'known') from defect where rule = 'unit-slip'")
    again = [
        {**found[1], "message": "farther away", "evidence": {"m": 9}},
        found[3],
        {**found[4], "evidence": {"value": 2}},
        {"rule": "value-invalid", "severity": "major", "field": "c", "message": "new"},
    ]
    async with conn.transaction():
        await conn.execute("select set_config('asbuilt.actor', 'device:crew', true)")
        await conn.execute("select revise_defects(%s, 2, %s)", [made.record_id, Jsonb(again)])
    rows = await conn.execute(
        "select rule, coalesce(field, photo, ''), revision, status, by, message from defect order by 1, 2"
    )
    assert await rows.fetchall() == [
        ("outside-site", "position", 2, "open", None, "farther away"),
        ("photo-dark", "tag", 2, "open", None, "dark"),
        ("position.outside", "", 1, "fixed", "device:crew", "the position is outside the site"),
        ("required-photo-missing", "shots/tag", 1, "fixed", "device:crew", "the tag is missing"),
        ("unit-slip", "a", 2, "waived", conn.info.user, "m"),
        ("unit-slip", "b", 2, "open", None, "m"),
        ("value-invalid", "c", 2, "open", None, "new"),
    ]
