"""The same again, almost the same again, and what has no business here (hard cases 1 to 4, 9 to 11, 18, 19, 23 and 24)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import httpx
import msgspec
import pytest

from tests.service import ids, listed, multipart, record, token
from tests.unit import pictures
from tests.unit.pictures import jpeg
from tests.web.hostile import POST, House, closed, document, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
FILES = {name: jpeg(size=(1200, 900), shade=30 + 60 * n) for n, name in enumerate(SHOTS)}
WHOLE = (1, 1, 1, 1, 3)


async def send(house: House, body: dict[str, Any], files: dict[str, bytes] = FILES) -> httpx.Response:
    return await house.served.http.post(POST, headers=house.served.bearer(), **multipart(body, files))


async def test_sixteen_packages_at_once_are_one(house: House) -> None:
    body = record(photos=listed(SHOTS))
    answers = await asyncio.gather(*(send(house, body) for _ in range(16)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in-progress"}
    assert len({ids(answer) for answer in answers if answer.is_success}) == 1
    assert await house.stored(body["id"]) == WHOLE
    assert list((house.served.settings.blobs / "incoming").iterdir()) == []


async def test_the_same_in_another_wrapping_is_the_same(house: House) -> None:
    body = record(photos=listed(SHOTS))
    first = await send(house, body)
    turned = dict(reversed(list(body.items()))) | {"fields": dict(reversed(list(body["fields"].items())))}
    spaced = msgspec.json.format(msgspec.json.encode(turned), indent=3)
    pieces = [part(f'Content-Disposition: form-data; name="{name}"', data) for name, data in FILES.items()]
    pieces.append(part('Content-Disposition: form-data; name="record"', spaced))
    again = await house.post(closed(*pieces))
    assert (first.status_code, again.status_code) == (201, 200), again.text
    assert again.headers["idempotency-replayed"] == "true"
    same = {key: value for key, value in first.json().items() if key != "replayed"}
    assert {key: again.json()[key] for key in same} == same
    assert await house.stored(body["id"]) == WHOLE


async def test_another_content_is_told_which_one_is_stored_and_changes_nothing(house: House) -> None:
    body = record()
    first = await house.put(body)
    kept = await house.one("select fields, encode(fingerprint, 'hex') from asbuilt_record where id = %s", body["id"])
    for changed in ({"asset": "P-1"}, {"fields": body["fields"] | {"notes": "x"}}, {"crew": None}):
        problem = await house.refused(house.put(body | changed), 409, "record-conflict")
        assert problem["retry"] == "never"
        assert kept[1] in problem["detail"]
    now = await house.one("select fields, encode(fingerprint, 'hex') from asbuilt_record where id = %s", body["id"])
    assert now == kept
    assert ids(await house.put(body)) == ids(first)


async def test_another_device_is_told_nothing_of_what_is_stored(house: House) -> None:
    body = record()
    await house.put(body)
    colleague = {"Authorization": f"Bearer {await token(house.conn)}"}
    for sent in (body, body | {"asset": "P-1"}):
        problem = await house.refused(house.put(sent, **colleague), 409, "record-conflict")
        assert problem["detail"] == "another content is stored under this record id"


@pytest.mark.parametrize("header", ["Repr-Digest", "Content-Digest", "X-Content-SHA256"])
async def test_damaged_bytes_are_not_stored(house: House, header: str) -> None:
    body = record(photos=listed(SHOTS))
    await house.put(body)
    digest = hashlib.sha256(FILES["tag"])
    plain = header == "X-Content-SHA256"
    said = digest.hexdigest() if plain else f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    damaged = FILES["tag"][:-1] + b"?"
    problem = await house.refused(house.photo(body["id"], "tag", damaged, **{header: said}), 400, "digest-mismatch")
    assert problem["retry"] == "same"
    assert (await house.photo(body["id"], "tag", FILES["tag"], **{header: said})).status_code == 201


@pytest.mark.parametrize("said", ["zz", "ab", "0" * 65, "ë"])
async def test_a_digest_that_is_none_is_malformed(house: House, said: str) -> None:
    body = record(photos=listed(SHOTS))
    await house.put(body)
    url = f"{POST}/{body['id']}/photos/tag"
    token_ = house.served.bearer()["Authorization"].encode()
    for name, value in ((b"X-Content-SHA256", said), (b"Repr-Digest", f"sha-256=:{said}:")):
        headers = [(b"Authorization", token_), (name, value.encode("latin-1"))]
        sent = house.served.http.put(url, headers=headers, content=FILES["tag"])
        await house.refused(sent, 400, "malformed-request")


async def test_bytes_that_the_record_did_not_announce_are_damaged(house: House) -> None:
    announced = [{"name": "tag", "shot": "tag", "sha256": hashlib.sha256(FILES["tag"]).hexdigest()}]
    body = record(photos=announced)
    await house.refused(send(house, body, {"tag": FILES["base"]}), 400, "digest-mismatch")
    assert (await house.put(body)).status_code == 201
    await house.refused(house.photo(body["id"], "tag", FILES["base"]), 400, "digest-mismatch")
    assert (await house.photo(body["id"], "tag", FILES["tag"])).status_code == 201


async def test_the_first_bytes_under_a_name_are_kept(house: House) -> None:
    body = record(photos=listed(SHOTS))
    await send(house, body)
    await house.refused(house.photo(body["id"], "tag", FILES["base"]), 409, "photo-conflict")
    again = await send(house, body, FILES | {"tag": FILES["base"]})
    assert (again.status_code, again.json()["code"]) == (409, "photo-conflict")
    kept = {photo["name"]: photo["sha256"] for photo in (await house.receipt(body["id"]))["photos"]}
    assert kept["tag"] == hashlib.sha256(FILES["tag"]).hexdigest()


LIES: dict[str, bytes] = {
    "a web page": b"<!doctype html><script>alert(1)</script>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a PDF": b"%PDF-1.7\n%...",
    "a GIF": b"GIF89a" + bytes(100),
    "a program": b"\x7fELF" + bytes(100),
    "a zip": b"PK\x03\x04" + bytes(100),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "nothing": b"",
    "two bytes": b"\xff\xd8",
    "a bomb of 169 megapixels": pictures.png_header(13_000, 13_000),
    "a bomb of 1.6 gigapixels": pictures.png_header(40_000, 40_000),
    "the largest head": pictures.png_header(65_535, 65_535),
    "an animation": pictures.animation("WEBP"),
    "an animation of 10,000 frames": pictures.long_animation(10_000),
}


@pytest.mark.parametrize("case", LIES)
async def test_what_is_no_photo_costs_the_photo_and_not_the_record(house: House, case: str) -> None:
    body = record(photos=listed(SHOTS))
    answer = await send(house, body, FILES | {"tag": LIES[case]})
    assert answer.status_code == 201, answer.text
    found = [(d["severity"], d["photo"]) for d in answer.json()["defects"] if d["rule"] == "photo-unreadable"]
    assert found == [("blocker", "tag")]
    assert (answer.json()["job_status"], answer.json()["media"]["missing"]) == ("held", [])
    kept = {photo["name"]: photo for photo in (await house.receipt(body["id"]))["photos"]}["tag"]
    assert kept["received"] and kept["sha256"] is None and kept["rejected_reason"]
    digest = hashlib.sha256(LIES[case]).digest()
    assert await house.one("select count(*) from blob where sha256 = %s", digest) == (0,)
    assert not list(house.served.settings.blobs.rglob(digest.hex()))


@pytest.mark.parametrize("case", LIES)
async def test_what_is_no_photo_is_refused_alone(house: House, case: str) -> None:
    body = record(photos=listed(SHOTS))
    await house.put(body)
    await house.refused(house.photo(body["id"], "tag", LIES[case]), 415, "unsupported-media")
    assert (await house.photo(body["id"], "tag", FILES["tag"])).status_code == 201


async def test_half_a_photo_is_kept_and_found_unreadable(house: House) -> None:
    body = record(photos=listed(SHOTS))
    half = FILES["tag"][: len(FILES["tag"]) // 2]
    answer = await send(house, body, FILES | {"tag": half})
    assert answer.status_code == 201
    assert [d["photo"] for d in answer.json()["defects"] if d["rule"] == "photo-unreadable"] == ["tag"]
    assert await house.stored(body["id"]) == WHOLE


async def test_a_photo_that_is_a_page_as_well_is_a_photo(house: House) -> None:
    both = FILES["tag"] + b"<html><script>alert(1)</script></html>"
    body = record(photos=listed(SHOTS))
    answer = await send(house, body, FILES | {"tag": both})
    assert answer.status_code == 201
    assert "photo-unreadable" not in answer.text
    row = await house.one("select type from blob where sha256 = %s", hashlib.sha256(both).digest())
    assert row == ("image/jpeg",)


async def test_exif_that_leads_in_circles_is_left_at_that(house: House) -> None:
    body = record(photos=listed(SHOTS))
    answer = await send(house, body, FILES | {"tag": pictures.exif_loop()})
    assert answer.status_code == 201, answer.text
    assert "photo-unreadable" not in answer.text
    row = await house.one("select lat, taken_at, checks from photo where record_id = %s and name = 'tag'", body["id"])
    assert row == (None, None, "done")


async def test_forms_and_projects_that_take_no_more(house: House) -> None:
    """What is closed takes nothing new, and still answers for what it has."""
    await house.conn.execute(
        "insert into project (code, name) values ('elsewhere', 'Elsewhere') on conflict do nothing"
    )
    stranger = {"Authorization": f"Bearer {await token(house.conn, project='elsewhere')}"}
    known = record()
    await house.put(known)
    await house.refused(house.put(record(project="nowhere")), 404, "project-unknown")
    foreign = await house.put(record(project="elsewhere"))
    absent = await house.put(record(project="nowhere"))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "project-unknown")
    blank = {"instance": "", "detail": ""}
    assert foreign.json() | blank == absent.json() | blank
    await house.refused(house.put(known, **stranger), 404, "project-unknown")
    await house.refused(house.put(record(form="unknown-form")), 404, "form-unknown")
    await house.refused(house.put(record(form_version=99)), 404, "form-unknown")


@pytest.mark.parametrize(("state", "status"), [("open", 201), ("closing", 201), ("closed", 409), ("draft", 404)])
async def test_a_form_of_each_state(house: House, state: str, status: int) -> None:
    version = {"open": 2, "closing": 3, "closed": 4, "draft": 5}[state]
    await house.conn.execute(
        "insert into form_def (form_key, version, title, state, schema, shots, measures, rules)"
        " select form_key, %s, title, %s, schema, shots, measures, rules from form_def"
        "  where form_key = 'pole-replacement' and version = 1",
        [version, state],
    )
    body = record(form_version=version)
    answer = await house.put(body)
    assert answer.status_code == status, answer.text
    assert await house.stored(body["id"]) == ((1, 1, 1, 1, 0) if status == 201 else (0,) * 5)
    if state == "closed":
        assert (answer.json()["code"], answer.json()["retry"]) == ("form-closed", "fix")
    if status == 201:
        await house.conn.execute("update form_def set state = 'closed' where version = %s", [version])
        again = await house.put(body)
        assert (again.status_code, ids(again)) == (200, ids(answer))


async def test_a_deleted_record_stays_deleted(house: House) -> None:
    body = record(photos=listed(SHOTS))
    await send(house, body)
    await house.conn.execute("update asbuilt_record set deleted_at = now() where id = %s", [body["id"]])
    problem = await house.refused(house.put(body), 409, "record-conflict")
    assert "deleted" in problem["detail"]
    await house.refused(send(house, body), 409, "record-conflict")
    alone = await house.photo(body["id"], "tag", FILES["tag"])
    assert (alone.status_code, alone.json()["code"]) == (404, "record-unknown")
    assert await house.one("select deleted_at is not null from asbuilt_record where id = %s", body["id"]) == (True,)
    await document_is_gone(house, body["id"])


async def document_is_gone(house: House, key: str) -> None:
    answer = await house.served.http.get(f"{POST}/{key}", headers=house.served.bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "record-unknown")
    assert (await house.post(closed(document()))).status_code == 201
