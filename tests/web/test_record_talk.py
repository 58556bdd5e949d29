"""Comments and revisions of a record: who reads and writes them, what they hold, and that open pages hear of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sql import Connection
from tests.factories import make_device, make_project, make_record, value
from tests.service import Service, listed, record, sign_in, token
from tests.web.live import live
from tests.web.test_jobs import demo_device

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}


async def reviewer(served: Service, conn: Connection) -> dict[str, str]:
    return served.bearer(await token(conn, scopes=("read", "review")))


async def test_comments_by_pages_and_who_may(served: Service, conn: Connection) -> None:
    made = await make_record(conn, device=await demo_device(conn))
    url = f"/api/records/{made.record_id}/comments"
    person, viewer = await reviewer(served, conn), await sign_in(served, conn, role="viewer")
    for n in range(5):
        answer = await served.http.post(url, headers=person, json={"text": f" <b>{n}</b> \n"})
        assert (answer.status_code, answer.json()["text"]) == (201, f"<b>{n}</b>")
    first = (await served.http.get(url, headers=viewer, params={"limit": 3})).json()
    then = (await served.http.get(url, headers=viewer, params={"limit": 3, "cursor": first["next"]})).json()
    assert [each["text"] for each in first["items"] + then["items"]] == [f"<b>{n}</b>" for n in (4, 3, 2, 1, 0)]
    assert then["next"] is None and {each["author"][:7] for each in first["items"]} == {"device:"}
    stranger = (await make_device(conn, await make_project(conn), scopes=("read", "review"))).headers
    body = {"text": "hello"}
    for headers, method, status, code in (
        (viewer, "POST", 403, "forbidden"),
        (made.device.headers, "POST", 403, "forbidden"),
        (stranger, "POST", 404, "record-unknown"),
        (stranger, "GET", 404, "record-unknown"),
    ):
        answer = await served.http.request(method, url, headers=headers, json=body if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await served.http.get(url, headers=made.device.headers)).status_code == 200
    assert await value(conn, "select count(*) from comment") == 5


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * 2001, "a\x00b", None, 7])
async def test_what_is_no_comment(served: Service, conn: Connection, text: Any) -> None:
    made = await make_record(conn, device=await demo_device(conn))
    url = f"/api/records/{made.record_id}/comments"
    answer = await served.http.post(url, headers=await reviewer(served, conn), json={"text": text})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
    assert await value(conn, "select count(*) from comment") == 0


async def test_revisions_and_what_they_differ_in(served: Service, conn: Connection) -> None:
    bearer, person = served.bearer(), await reviewer(served, conn)
    body = record(photos=listed(SHOTS))
    url = f"/api/mobile/records/{body['id']}"
    assert (await served.http.put(url, headers=bearer, json=body)).status_code == 201
    await conn.execute("select ops.review(%s, 'has_issues', 'The height is wrong.')", [body["id"]])
    body["fields"] |= {"pole_height_ft": 40, "a/b": 1}
    del body["fields"]["district"]
    body["position"]["lat"] = 44.4584
    body["photos"] = listed({"whole": "full_pole", "tag2": "tag"})
    answer = await served.http.put(url, headers=bearer | {"If-Match": '"1"'}, json=body)
    assert answer.status_code == 200, answer.text
    told = f"/api/records/{body['id']}"
    items = (await served.http.get(f"{told}/revisions", headers=person)).json()["items"]
    assert [(each["revision"], each["reason"], each["whole"]) for each in items] == [
        (1, "", True),
        (2, "The height is wrong.", True),
    ]
    diff = (await served.http.get(f"{told}/diff?from=1&to=2", headers=person)).json()
    seen = {each["pointer"]: (each["kind"], each["before"], each["after"]) for each in diff["changes"]}
    assert seen == {
        "/fields/pole_height_ft": ("changed", 45, 40),
        "/fields/district": ("removed", "North", None),
        "/fields/a~1b": ("added", None, 1),
        "/position/lat": ("changed", 44.4583, 44.4584),
    }
    assert [(each["kind"], each["name"], each["before"]) for each in diff["photos"]] == [
        ("removed", "base", "base"),
        ("replaced", "tag2", "tag"),
    ]
    back = (await served.http.get(f"{told}/diff?from=2&to=1", headers=person)).json()
    assert {each["kind"] for each in back["changes"] if each["pointer"] == "/fields/a~1b"} == {"removed"}
    for query, status, code in (
        ("from=1&to=3", 404, "revision-unknown"),
        ("from=0&to=2", 404, "revision-unknown"),
        ("from=1&to=99999999999", 404, "revision-unknown"),
        ("from=one&to=2", 400, "malformed-request"),
        ("from=1", 400, "malformed-request"),
    ):
        refused = await served.http.get(f"{told}/diff?{query}", headers=person)
        assert (refused.status_code, refused.json()["code"]) == (status, code), query
    stranger = (await make_device(conn, await make_project(conn), scopes=("read",))).headers
    for path in ("revisions", "diff?from=1&to=2"):
        assert (await served.http.get(f"{told}/{path}", headers=stranger)).json()["code"] == "record-unknown"


async def test_a_revision_of_which_only_the_fields_were_kept(served: Service, conn: Connection) -> None:
    made = await make_record(conn, device=await demo_device(conn))
    await conn.execute("update record_revision set content = '{}'")
    await conn.execute(
        "insert into record_revision (record_id, revision, fields, by) values (%s, 2, '{\"a\": 1}', 'x')",
        [made.record_id],
    )
    url = f"/api/records/{made.record_id}/diff?from=1&to=2"
    diff = (await served.http.get(url, headers=await reviewer(served, conn))).json()
    assert (diff["whole"], [each["pointer"] for each in diff["changes"]], diff["photos"]) == (False, ["/fields/a"], [])


CHANGES = (
    "select ops.comment(%s, 'a word')",
    "update asbuilt_record set review_state = 'approved' where id = %s",
    "update defect set message = 'other' where record_id = %s",
    "update photo set rejected_reason = 'no photo', received_at = now() where record_id = %s",
    "delete from comment where record_id = %s",
)


async def test_open_pages_hear_of_every_change_by_plain_sql(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    made = await make_record(conn, state="awaiting_media")
    await conn.execute(
        'select add_defects(%s, 1, \'[{"rule": "r", "severity": "info", "message": "m"}]\')', [made.record_id]
    )
    other = await make_record(conn)
    async with (
        live(database_url, redis_url) as served,
        served.tail(made.device.headers, record=made.record_id) as of_record,
        served.tail(made.device.headers) as everything,
        served.tail(other.device.headers) as stranger,
    ):
        for tail in (of_record, everything, stranger):
            await tail.of("snapshot")
        for count, change in enumerate(CHANGES, 1):
            await conn.execute(change, [made.record_id])
            for tail in (of_record, everything):
                assert (await tail.of("record", count))[-1].data == {"record_id": str(made.record_id)}
                assert tail.all("record")[-1].id is None
        await conn.execute("select ops.comment(%s, 'theirs')", [other.record_id])
        assert [each.data["record_id"] for each in await stranger.of("record")] == [str(other.record_id)]
        assert len(everything.all("record")) == len(CHANGES)


async def test_a_comment_in_psql_is_held_to_the_same(conn: Connection) -> None:
    made = await make_record(conn)
    for text, code in ((" ", "AB422"), ("x" * 2001, "AB422")):
        with pytest.raises(psycopg.Error) as refused:
            await conn.execute("select ops.comment(%s, %s)", [made.record_id, text])
        assert refused.value.sqlstate == code
    with pytest.raises(psycopg.Error, match="no record"):
        await conn.execute("select ops.comment(gen_random_uuid(), 'hello')")
