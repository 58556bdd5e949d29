"""Uploads over real HTTP: one record, one job, all the bytes, whatever the client repeats or sends wrong."""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from sql import Connection
from tests.service import Service, ids, listed, multipart, record, token
from tests.unit.pictures import jpeg

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
POST = "/api/mobile/records"


@cache
def photos() -> dict[str, bytes]:
    return {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}


async def count(conn: Connection, table: str) -> int:
    return int((await (await conn.execute(f"select count(*) from {table}")).fetchone() or [0])[0])


async def counts(conn: Connection) -> dict[str, int]:
    tables = ("asbuilt_record", "record_revision", "automation_job", "procrastinate_jobs", "photo", "blob")
    return {table: await count(conn, table) for table in tables}


async def test_a_record_with_its_photos_is_stored_whole_and_queued(served: Service, conn: Connection) -> None:
    body = record(photos=listed(SHOTS))
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(body, photos()))
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["job_status"] == "queued"
    assert said["media"] == {"expected": 3, "received": 3, "missing": []}
    assert said["defects"] == []
    assert said["replayed"] is False
    assert await counts(conn) == {
        "asbuilt_record": 1,
        "record_revision": 1,
        "automation_job": 1,
        "procrastinate_jobs": 1,
        "photo": 3,
        "blob": 3,
    }
    for data in photos().values():
        name = hashlib.sha256(data).hexdigest()
        assert (served.settings.blobs / name[:2] / name[2:4] / name).read_bytes() == data
    assert list((served.settings.blobs / "incoming").iterdir()) == []
    row = await (await conn.execute("select queue_name, task_name, status::text from procrastinate_jobs")).fetchone()
    assert row == ("automation", "automation", "todo")


async def test_the_same_again_is_a_replay(served: Service, conn: Connection) -> None:
    body = record(photos=listed(SHOTS))
    first = await served.http.post(POST, headers=served.bearer(), **multipart(body, photos()))
    shuffled = dict(reversed(body.items()))
    again = await served.http.post(POST, headers=served.bearer(), **multipart(shuffled, photos()))
    assert (first.status_code, again.status_code) == (201, 200)
    assert ids(first) == ids(again)
    assert again.json()["replayed"] is True
    assert again.headers["idempotency-replayed"] == "true"
    assert (await counts(conn))["automation_job"] == 1


async def test_another_field_under_the_same_id_is_a_conflict(served: Service, conn: Connection) -> None:
    body = record()
    await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=body)
    changed = record(id=body["id"], fields=body["fields"] | {"depth_m": 2.2})
    answer = await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=changed)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["retry"]) == ("record-conflict", "never")
    assert problem["instance"] == answer.headers["x-request-id"]
    assert (await counts(conn))["record_revision"] == 1


async def test_sixteen_at_once_are_one_record(served: Service, conn: Connection) -> None:
    body = record()

    async def put() -> int:
        answer = await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=body)
        return answer.status_code

    statuses = await asyncio.gather(*(put() for _ in range(16)))
    assert sorted(statuses) == [200] * 15 + [201]
    stored = await counts(conn)
    assert (stored["asbuilt_record"], stored["automation_job"], stored["procrastinate_jobs"]) == (1, 1, 1)


async def test_many_at_once_are_one_record_each(served: Service, conn: Connection) -> None:
    """Two at once may meet in any of the record's unique columns; once that was an error of ours."""

    async def put(body: dict[str, Any]) -> int:
        answer = await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=body)
        return answer.status_code

    for _ in range(20):
        body = record()
        assert sorted(await asyncio.gather(*(put(body) for _ in range(6)))) == [200] * 5 + [201]
    assert await count(conn, "automation_job") == 20


async def test_a_reference_that_another_record_has_is_not_given_again(served: Service, conn: Connection) -> None:
    first, second = record(), record()
    await served.http.put(f"{POST}/{first['id']}", headers=served.bearer(), json=first)
    await conn.execute("update asbuilt_record set external_ref = external_ref(%s::uuid)", [second["id"]])
    answer = await served.http.put(f"{POST}/{second['id']}", headers=served.bearer(), json=second)
    assert answer.status_code == 201
    references = await (await conn.execute("select count(distinct external_ref) from asbuilt_record")).fetchone()
    assert references == (2,)


async def test_photos_may_follow_in_any_order_and_the_last_one_queues_the_job(
    served: Service, conn: Connection
) -> None:
    body = record(photos=listed(SHOTS))
    url = f"{POST}/{body['id']}"
    first = await served.http.put(url, headers=served.bearer(), json=body)
    assert first.json()["job_status"] == "awaiting_media"
    assert await (await conn.execute("select queue_name from procrastinate_jobs")).fetchone() == ("waiting",)
    states = []
    for name, data in reversed(photos().items()):
        new = await served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=data)
        again = await served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=data)
        assert (new.status_code, again.status_code) == (201, 200), new.text
        states.append(new.json()["job_status"])
    assert states == ["awaiting_media", "awaiting_media", "queued"]
    assert await (await conn.execute("select queue_name, priority from procrastinate_jobs")).fetchall() == [
        ("automation", 0)
    ]
    receipt = (await served.http.get(url, headers=served.bearer())).json()
    assert receipt["media"]["missing"] == []
    assert {p["name"]: p["sha256"] for p in receipt["photos"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in photos().items()
    }


async def test_two_last_photos_at_once_queue_the_job_once(served: Service, conn: Connection) -> None:
    for _ in range(5):
        body = record(photos=listed({"a": "full_pole", "b": "tag", "c": "base"}))
        url = f"{POST}/{body['id']}"
        await served.http.put(url, headers=served.bearer(), json=body)
        put = [
            served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=jpeg(shade=50 + 30 * n))
            for n, name in enumerate("abc")
        ]
        answers = await asyncio.gather(*put)
        assert [answer.status_code for answer in answers] == [201, 201, 201]
        assert "queued" in [answer.json()["job_status"] for answer in answers]
        job = ids(answers[0])[1]
        row = await (
            await conn.execute("select state, queue_job_id is not null from automation_job where id = %s", [job])
        ).fetchone()
        assert row == ("queued", True)


async def test_photos_sent_with_a_replay_are_taken(served: Service) -> None:
    body = record(photos=listed(SHOTS))
    first = await served.http.post(POST, headers=served.bearer(), **multipart(body, {}))
    assert first.json()["job_status"] == "awaiting_media"
    again = await served.http.post(POST, headers=served.bearer(), **multipart(body, photos()))
    assert again.status_code == 200
    assert again.json()["job_status"] == "queued"


async def test_other_bytes_under_a_stored_name_are_a_conflict(served: Service) -> None:
    body = record(photos=listed(SHOTS))
    url = f"{POST}/{body['id']}"
    await served.http.put(url, headers=served.bearer(), json=body)
    await served.http.put(f"{url}/photos/tag", headers=served.bearer(), content=jpeg(shade=1))
    answer = await served.http.put(f"{url}/photos/tag", headers=served.bearer(), content=jpeg(shade=2))
    assert (answer.status_code, answer.json()["code"]) == (409, "photo-conflict")


async def test_a_damaged_photo_is_sent_again(served: Service, conn: Connection) -> None:
    body = record(photos=listed(SHOTS))
    url = f"{POST}/{body['id']}"
    await served.http.put(url, headers=served.bearer(), json=body)
    data = jpeg()
    wrong = {"X-Content-SHA256": hashlib.sha256(b"other").hexdigest()}
    answer = await served.http.put(f"{url}/photos/tag", headers=served.bearer() | wrong, content=data)
    assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (400, "digest-mismatch", "same")
    right = {"X-Content-SHA256": hashlib.sha256(data).hexdigest()}
    answer = await served.http.put(f"{url}/photos/tag", headers=served.bearer() | right, content=data)
    assert answer.status_code == 201


async def test_a_text_file_named_jpg_is_a_defect_in_a_record_and_refused_alone(
    served: Service, conn: Connection
) -> None:
    body = record(photos=listed(SHOTS))
    files = photos() | {"tag": b"this is no picture"}
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(body, files))
    assert answer.status_code == 201
    said = answer.json()
    assert said["job_status"] == "held"
    unreadable = [d for d in said["defects"] if d["rule"] == "photo-unreadable"]
    assert [(d["severity"], d["photo"]) for d in unreadable] == [("blocker", "tag")]
    assert await count(conn, "blob") == 2
    late = record(photos=listed(SHOTS))
    await served.http.put(f"{POST}/{late['id']}", headers=served.bearer(), json=late)
    alone = await served.http.put(
        f"{POST}/{late['id']}/photos/tag", headers=served.bearer(), content=b"this is no picture"
    )
    assert (alone.status_code, alone.json()["code"]) == (415, "unsupported-media")


async def test_missing_fields_hold_the_job_and_keep_the_record(served: Service) -> None:
    body = record(fields={"work_order": "WO-48213"})
    answer = await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=body)
    assert answer.status_code == 201
    said = answer.json()
    assert said["job_status"] == "held"
    assert {d["severity"] for d in said["defects"] if d["rule"] == "required-field-missing"} == {"blocker"}


async def test_a_photo_before_its_record_is_told_to_wait(served: Service) -> None:
    answer = await served.http.put(f"{POST}/{uuid4()}/photos/tag", headers=served.bearer(), content=jpeg())
    assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (404, "record-unknown", "after")


NAMED = str(uuid4())
BAD: dict[str, tuple[Any, int, str]] = {
    "malformed JSON": (b'{"id": ', 400, "malformed-request"),
    "an array": (b"[]", 400, "malformed-request"),
    "NUL": (msgspec.json.encode(record(id=NAMED, asset="a\0b")), 400, "malformed-request"),
    "deep": (b'{"fields": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "malformed-request"),
    "unknown project": (msgspec.json.encode(record(id=NAMED, project="other")), 404, "project-unknown"),
    "unknown form": (msgspec.json.encode(record(id=NAMED, form="other")), 404, "form-unknown"),
    "too large": (msgspec.json.encode(record(asset="x" * 300_000)), 413, "too-large"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_input_is_answered_by_the_contract_and_stores_nothing(
    served: Service, conn: Connection, case: str
) -> None:
    content, status, code = BAD[case]
    answer = await served.http.put(
        f"{POST}/{NAMED}", headers=served.bearer() | {"Content-Type": "application/json"}, content=content
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await count(conn, "asbuilt_record") == 0
    good = record()
    assert (await served.http.put(f"{POST}/{good['id']}", headers=served.bearer(), json=good)).status_code == 201


@pytest.mark.parametrize("token_text", ["", "Bearer", "Bearer abk_aaaaaaaa_" + "b" * 43, "Basic xyz"])
async def test_without_a_good_token_nothing_is_said(served: Service, token_text: str) -> None:
    body = record()
    headers = {"Authorization": token_text} if token_text else {}
    answer = await served.http.put(f"{POST}/{body['id']}", headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (401, "unauthorised", "fix")


async def test_a_declared_3_gb_is_refused_before_a_byte_is_read(served: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
    writer.write(
        f"POST {POST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.upload}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {3 * 2**30}\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    async with asyncio.timeout(60):
        status = await reader.readline()
    assert b" 413 " in status
    writer.close()


async def test_a_wrong_method_and_a_wrong_type(served: Service) -> None:
    assert (await served.http.delete(f"{POST}/{uuid4()}", headers=served.bearer())).status_code == 405
    answer = await served.http.post(POST, headers=served.bearer(), json=record())
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media")


async def test_a_device_of_another_project_sees_nothing(served: Service, conn: Connection) -> None:
    await conn.execute("insert into project (code, name) values ('other', 'Other')")
    body = record()
    await served.http.put(f"{POST}/{body['id']}", headers=served.bearer(), json=body)
    stranger = served.bearer(await token(conn, project="other", scopes=("upload", "operate")))
    url = f"{POST}/{body['id']}"
    assert (await served.http.get(url, headers=stranger)).status_code == 404
    assert (await served.http.put(url, headers=stranger, json=body)).json()["code"] == "project-unknown"
    assert (await served.http.put(f"{url}/photos/tag", headers=stranger, content=jpeg())).status_code == 404


async def test_a_reading_token_may_not_upload(served: Service, conn: Connection) -> None:
    body = record()
    reader = served.bearer(await token(conn, scopes=("read",)))
    answer = await served.http.put(f"{POST}/{body['id']}", headers=reader, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
