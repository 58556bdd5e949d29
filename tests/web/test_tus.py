"""tus 1.0, row by row over real HTTP: the exact status, the headers, and what the database and the disk hold after it."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import pytest

from tests.web.tus_device import CHUNK, FILES, Tus, checksum, metadata, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_options_is_open_and_tells_what_is_spoken(tus: Tus) -> None:
    for url in (FILES, f"{FILES}/{uuid4()}"):
        answer = await tus.served.http.options(url)
        assert answer.status_code == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-max-size"] == str(50 * 2**20)
        assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"
        assert set(answer.headers["tus-extension"].split(",")) == {
            "creation",
            "creation-with-upload",
            "creation-defer-length",
            "checksum",
            "expiration",
            "termination",
        }


async def test_pieces_become_the_photo_and_the_job_is_queued(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()), sha256=hashlib.sha256(photo()).hexdigest())
    assert await tus.row(url) == ("receiving", 0, None)
    third = len(photo()) // 3
    for start, end in ((0, third), (third, 2 * third), (2 * third, len(photo()))):
        answer = await tus.patch(url, start, photo()[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end)), answer.text
        if end < len(photo()):
            assert answer.headers["upload-expires"].endswith(" GMT")
            assert await tus.row(url) == ("receiving", end, end)
    assert await tus.row(url) == ("accepted", len(photo()), None)
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]
    query = "select state, wait_reason from automation_job where record_id = %s"
    job = await (await tus.conn.execute(query, [key])).fetchone()
    assert job == ("held", "blocker"), "the other required shots are not on the record"
    # A lost answer: the phone looks, and sees that all is there.
    assert await tus.offset(url) == len(photo())
    assert (await tus.patch(url, len(photo()), b"")).status_code == 204


async def test_creation_brings_bytes_along(tus: Tus) -> None:
    key = await tus.put_record()
    headers = CHUNK | {"Upload-Length": str(len(photo()))} | metadata(record_id=key, filename="tag")
    half = await tus.ask("POST", FILES, headers, photo()[:1000])
    assert (half.status_code, half.headers["upload-offset"]) == (201, "1000")
    whole = await tus.ask("POST", FILES, headers | checksum(photo()), photo())
    assert (whole.status_code, whole.headers["upload-offset"]) == (201, str(len(photo())))
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]
    other = await tus.ask("POST", FILES, headers | {"Content-Type": "image/jpeg"}, photo())
    assert (other.status_code, other.json()["code"]) == (415, "unsupported-media")


async def test_head_tells_what_was_declared(tus: Tus) -> None:
    key = str(uuid4())
    known = metadata(record_id=key, name="tag")
    created = await tus.ask("POST", FILES, {"Upload-Length": "10"} | known)
    answer = await tus.ask("HEAD", created.headers["location"])
    assert answer.status_code == 200
    assert answer.headers["upload-offset"] == "0"
    assert answer.headers["upload-length"] == "10"
    assert answer.headers["upload-metadata"] == known["Upload-Metadata"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["upload-expires"] == created.headers["upload-expires"]
    unknown = await tus.ask("HEAD", f"{FILES}/{uuid4()}")
    assert (unknown.status_code, unknown.headers["cache-control"]) == (404, "no-store")


async def test_the_length_may_come_later_and_once(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key)
    deferred = await tus.ask("HEAD", url)
    assert (deferred.headers["upload-defer-length"], "upload-length" in deferred.headers) == ("1", False)
    await tus.patch(url, 0, photo()[:1000])
    assert (await tus.patch(url, 1000, b"", {"Upload-Length": "999"})).status_code == 400
    assert (await tus.patch(url, 1000, b"", {"Upload-Length": str(51 * 2**20)})).status_code == 413
    assert (await tus.patch(url, 1000, photo()[1000:2000], {"Upload-Length": str(len(photo()))})).status_code == 204
    assert (await tus.ask("HEAD", url)).headers["upload-length"] == str(len(photo()))
    assert (await tus.patch(url, 2000, b"", {"Upload-Length": "2000"})).status_code == 400
    assert (await tus.patch(url, 2000, photo()[2000:])).status_code == 204
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_another_version_is_refused_by_every_method(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 10)
    for method, where in (("POST", FILES), ("HEAD", url), ("PATCH", url), ("DELETE", url), ("POST", url)):
        for version in ("0.2.2", ""):
            answer = await tus.ask(method, where, CHUNK | {"Tus-Resumable": version, "Upload-Offset": "0"}, b"")
            assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")
    assert await tus.row(url) == ("receiving", 0, None)


async def test_a_patch_that_does_not_fit_changes_nothing(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 100)
    await tus.patch(url, 0, b"x" * 40)

    async def endless() -> Any:
        for _ in range(7):
            yield b"z" * 10

    rows: list[tuple[dict[str, str], Any, int, str]] = [
        ({"Upload-Offset": "39"}, b"y", 409, "offset-conflict"),
        ({"Upload-Offset": "41"}, b"y", 409, "offset-conflict"),
        ({"Upload-Offset": "100"}, b"", 409, "offset-conflict"),
        ({"Upload-Offset": "-1"}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": "4e1"}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": ""}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": "40", "Content-Type": "application/octet-stream"}, b"y", 415, "unsupported-media"),
        ({"Upload-Offset": "40", "Content-Encoding": "gzip"}, b"y", 415, "unsupported-media"),
        ({"Upload-Offset": "40"}, b"y" * 61, 413, "too-large"),
        ({"Upload-Offset": "40"}, endless(), 413, "too-large"),
        ({"Upload-Offset": "40", "Upload-Checksum": "crc32 AAAA"}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": "40", "Upload-Checksum": "sha1 AAAA"}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": "40", "Upload-Checksum": "sha1 ?"}, b"y", 400, "malformed-request"),
        ({"Upload-Offset": "40"} | checksum(b"z"), b"y", 460, "digest-mismatch"),
        ({"Upload-Offset": "40"} | checksum(b"z", "sha256"), b"y" * 60, 460, "digest-mismatch"),
    ]
    for headers, body, status, code in rows:
        answer = await tus.ask("PATCH", url, CHUNK | headers, body)
        assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status), headers
        assert await tus.row(url) == ("receiving", 40, 40), headers
    del tus.headers["Tus-Resumable"]
    assert (await tus.patch(url, 40, b"y")).status_code == 412


async def test_what_cannot_be_begun_leaves_nothing(tus: Tus) -> None:
    good = metadata(record_id=str(uuid4()), name="tag")
    pair = good["Upload-Metadata"]
    length = {"Upload-Length": "10"}
    rows: list[tuple[dict[str, str], int, str]] = [
        (good, 400, "malformed-request"),
        (good | length | {"Upload-Defer-Length": "1"}, 400, "malformed-request"),
        (good | {"Upload-Defer-Length": "2"}, 400, "malformed-request"),
        (good | {"Upload-Length": "-1"}, 400, "malformed-request"),
        (good | {"Upload-Length": "ten"}, 400, "malformed-request"),
        (good | {"Upload-Length": "9" * 400}, 400, "malformed-request"),
        (good | {"Upload-Length": str(50 * 2**20 + 1)}, 413, "too-large"),
        (length, 400, "malformed-request"),
        (length | {"Upload-Metadata": "a,b"}, 400, "malformed-request"),
        (length | {"Upload-Metadata": f"{pair},{pair}"}, 400, "malformed-request"),
        (length | {"Upload-Metadata": f"{pair},,"}, 400, "malformed-request"),
        (length | {"Upload-Metadata": f"{pair},sha256 !!!"}, 400, "malformed-request"),
        (length | {"Upload-Metadata": f"{pair},note /w=="}, 400, "malformed-request"),
        (length | {"Upload-Metadata": f"{pair},note {'A' * 9000}"}, 400, "malformed-request"),
        (length | metadata(name="tag"), 400, "malformed-request"),
        (length | metadata(record_id="7", name="tag"), 400, "malformed-request"),
        (length | metadata(record_id=str(uuid4())), 400, "malformed-request"),
        (length | metadata(record_id=str(uuid4()), name="../tag"), 400, "malformed-request"),
        (length | metadata(record_id=str(uuid4()), name="a\0b"), 400, "malformed-request"),
        (length | metadata(record_id=str(uuid4()), name="tag", sha256="ab"), 400, "malformed-request"),
    ]
    for headers, status, code in rows:
        answer = await tus.ask("POST", FILES, headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), headers
    assert await (await tus.conn.execute("select count(*) from upload_session")).fetchone() == (0,)
    assert list(tus.spool.iterdir()) == []


async def test_checksums_that_hold_are_taken(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    await tus.patch(url, 0, photo()[:500], checksum(photo()[:500]))
    answer = await tus.patch(url, 500, photo()[500:], checksum(photo()[500:], "sha256"))
    assert answer.status_code == 204
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_an_upload_that_was_given_up_is_gone(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 100)
    await tus.patch(url, 0, b"x" * 40)
    answer = await tus.ask("DELETE", url)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("HEAD", "PATCH", "DELETE"):
        gone = await tus.ask(method, url, CHUNK | {"Upload-Offset": "40"})
        assert gone.status_code == 404
    assert await tus.row(url) is None
    assert list(tus.spool.iterdir()) == []


async def test_an_upload_whose_time_is_over_is_gone(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 100)
    await tus.patch(url, 0, b"x" * 40)
    await tus.conn.execute("update upload_session set expires_at = now()")
    for method in ("HEAD", "PATCH", "DELETE"):
        gone = await tus.ask(method, url, CHUNK | {"Upload-Offset": "40"})
        assert gone.status_code == 410
    assert (await tus.patch(url, 40, b"")).json()["code"] == "upload-expired"


async def test_post_stands_for_the_other_methods(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 100)
    patched = await tus.patch(url, 0, b"x" * 40, {"X-HTTP-Method-Override": "PATCH"}, method="POST")
    assert (patched.status_code, patched.headers["upload-offset"]) == (204, "40")
    looked = await tus.ask("POST", url, {"X-HTTP-Method-Override": "HEAD"})
    assert (looked.status_code, looked.headers["upload-offset"]) == (200, "40")
    assert (await tus.ask("POST", url, {"X-HTTP-Method-Override": "PUT"})).status_code == 405
    assert (await tus.ask("POST", url)).status_code == 405
    assert (await tus.ask("POST", url, {"X-HTTP-Method-Override": "delete"})).status_code == 204
    assert await tus.row(url) is None
