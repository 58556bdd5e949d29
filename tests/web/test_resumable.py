"""Resumable uploads by the IETF's draft, row by row over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.service import listed, record, token
from tests.unit.pictures import jpeg
from tests.web.tus_device import RECORDS, Tus, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/mobile/uploads"
LIMIT = f"max-size={50 * 2**20}, max-age="
PROBLEMS = "https://iana.org/assignments/http-problem-types#"


def sha256(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


class Device(Tus):
    """A device that speaks the draft by hand."""

    async def ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        own = {key: value for key, value in self.headers.items() if key != "Tus-Resumable"}
        answer = await self.served.http.request(method, url, headers=own | (headers or {}), content=body)
        assert answer.status_code < 500, answer.text
        return answer

    async def begin(self, key: str, body: bytes = b"", *, complete: str = "?0", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", f"{RECORDS}/{key}/photos/tag", {"Upload-Complete": complete} | named, body)

    async def begun(self, key: str, **headers: str) -> str:
        answer = await self.begin(key, b"", **headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def add(self, url: str, at: int, data: Any, *, complete: str = "?0", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        own = {"Content-Type": "application/partial-upload", "Upload-Offset": str(at), "Upload-Complete": complete}
        return await self.ask("PATCH", url, own | named, data)


@pytest.fixture
def device(tus: Tus) -> Device:
    return Device(tus.served, tus.conn)


def stands(answer: httpx.Response) -> tuple[int, str | None, str | None, str | None]:
    """Status, offset, completeness and length."""
    headers = answer.headers
    return (
        answer.status_code,
        headers.get("upload-offset"),
        headers.get("upload-complete"),
        headers.get("upload-length"),
    )


async def test_options_is_open_and_tells_the_limits(device: Device) -> None:
    for url in (f"{RECORDS}/{uuid4()}/photos/tag", f"{PATH}/{uuid4()}"):
        answer = await device.served.http.options(url, headers={"Upload-Complete": "?1"})
        assert answer.status_code == 204
        assert answer.headers["accept-patch"] == "application/partial-upload"
        assert answer.headers["upload-limit"] == f"{LIMIT}604800"


async def test_a_careful_creation_then_parts_then_the_receipt(device: Device) -> None:
    key = await device.put_record()
    created = await device.begin(key, Upload_Length=str(len(photo())), Repr_Digest=sha256(photo()))
    assert stands(created) == (201, "0", "?0", str(len(photo())))
    assert created.headers["upload-limit"].startswith(LIMIT)
    url = created.headers["location"]
    part = await device.add(url, 0, photo()[:1000], Content_Digest=sha256(photo()[:1000]))
    assert stands(part) == (204, "1000", "?0", str(len(photo())))
    looked = await device.ask("HEAD", url)
    assert stands(looked) == (204, "1000", "?0", str(len(photo())))
    assert looked.headers["cache-control"] == "no-store"
    assert looked.headers["upload-limit"].startswith(LIMIT)
    assert stands(await device.ask("GET", url)) == stands(looked)
    assert (await device.add(url, 1000, b"")).status_code == 204
    last = await device.add(url, 1000, photo()[1000:], complete="?1")
    assert stands(last) == (201, str(len(photo())), "?1", str(len(photo())))
    assert last.json()["media"] == {"expected": 1, "received": 1, "missing": []}
    assert stands(await device.ask("HEAD", url)) == (204, str(len(photo())), "?1", str(len(photo())))
    assert await device.row(url) == ("accepted", len(photo()), None)
    assert await device.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_the_whole_photo_at_once(device: Device) -> None:
    key = await device.put_record()
    answer = await device.begin(key, photo(), complete="?1", Content_Digest=sha256(photo()))
    assert stands(answer) == (201, str(len(photo())), "?1", str(len(photo())))
    assert answer.json()["photos"][0]["sha256"] == hashlib.sha256(photo()).hexdigest()
    url = answer.headers["location"]
    assert stands(await device.ask("HEAD", url)) == (204, str(len(photo())), "?1", str(len(photo())))
    assert (await device.ask("DELETE", url)).status_code == 204
    assert await device.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_before_its_record_it_waits(device: Device) -> None:
    body = record(photos=listed({"tag": "tag"}))
    answer = await device.begin(body["id"], photo(), complete="?1")
    assert stands(answer) == (201, str(len(photo())), "?1", str(len(photo())))
    assert answer.json() == {"record_id": body["id"], "name": "tag", "size": len(photo()), "waits_for_record": True}
    stored = await device.served.http.put(f"{RECORDS}/{body['id']}", headers=device.served.bearer(), json=body)
    assert stored.json()["media"]["missing"] == []
    empty = await device.begin(str(uuid4()), complete="?1", Upload_Length="0")
    assert stands(empty) == (201, "0", "?1", "0")


async def test_a_length_may_be_unknown_until_the_end(device: Device) -> None:
    key = await device.put_record()
    url = await device.begun(key)
    assert stands(await device.ask("HEAD", url)) == (204, "0", "?0", None)
    await device.add(url, 0, photo()[:700])

    async def chunked() -> Any:
        yield photo()[700:]

    assert stands(await device.add(url, 700, chunked(), complete="?1"))[0] == 201
    assert stands(await device.ask("HEAD", url)) == (204, str(len(photo())), "?1", str(len(photo())))
    assert await device.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_all_bytes_are_not_the_end_until_the_client_says_so(device: Device) -> None:
    key = await device.put_record()
    url = await device.begun(key, Upload_Length=str(len(photo())))
    assert stands(await device.add(url, 0, photo()))[:3] == (204, str(len(photo())), "?0")
    assert await device.row(url) == ("receiving", len(photo()), len(photo()))
    assert await device.received(key) == []
    assert stands(await device.add(url, len(photo()), b"", complete="?1"))[:3] == (201, str(len(photo())), "?1")
    assert await device.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_another_offset_is_told_the_right_one(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    await device.add(url, 0, b"x" * 40)
    for at in (0, 39, 41, 99):
        answer = await device.add(url, at, b"y")
        assert stands(answer)[:3] == (409, "40", "?0")
        problem = answer.json()
        assert (problem["type"], problem["code"]) == (PROBLEMS + "mismatching-upload-offset", "offset-conflict")
        assert (problem["expected-offset"], problem["provided-offset"]) == (40, at)
    assert await device.row(url) == ("receiving", 40, 40)


async def test_a_patch_that_cannot_be_understood_changes_nothing(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    await device.add(url, 0, b"x" * 40)
    rows: list[tuple[dict[str, str], int, str]] = [
        ({"Upload_Offset": "abc"}, 400, "malformed-request"),
        ({"Upload_Offset": "-40"}, 400, "malformed-request"),
        ({"Upload_Offset": "40.0"}, 400, "malformed-request"),
        ({"complete": "true"}, 400, "malformed-request"),
        ({"complete": ""}, 400, "malformed-request"),
        ({"Content_Type": "text/plain"}, 415, "unsupported-media"),
        ({"Content_Type": "application/offset+octet-stream"}, 415, "unsupported-media"),
        ({"Upload_Length": "50"}, 400, "inconsistent-upload-length"),
        ({"complete": "?1"}, 400, "inconsistent-upload-length"),
        ({"complete": "?1", "Upload_Length": "100"}, 400, "inconsistent-upload-length"),
        ({"Content_Digest": sha256(b"z")}, 400, "digest-mismatch"),
        ({"Content_Digest": "sha-256=:AAAA:"}, 400, "malformed-request"),
        ({"Content_Digest": "sha-256=AAAA"}, 400, "malformed-request"),
        ({"Content_Encoding": "gzip"}, 415, "unsupported-media"),
    ]
    for headers, status, code in rows:
        answer = await device.add(url, 40, b"y", **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), headers
        assert answer.headers["upload-complete"] == "?0"
        assert await device.row(url) == ("receiving", 40, 40), headers
    # Parameters of a structured field, and digests that nobody here can compute, mean nothing.
    assert (await device.add(url, 40, b"y", Upload_Offset="40;a=1", Content_Digest="md5=:AAAA:")).status_code == 204


async def test_more_than_was_announced_ends_the_upload(device: Device) -> None:
    async def endless() -> Any:
        for _ in range(30):
            yield b"z" * 10

    for body in (b"z" * 101, endless()):
        url = await device.begun(str(uuid4()), Upload_Length="100")
        answer = await device.add(url, 0, body)
        assert (answer.status_code, answer.json()["type"]) == (400, PROBLEMS + "inconsistent-upload-length")
        assert answer.headers["upload-complete"] == "?0"
        assert (await device.ask("HEAD", url)).status_code == 404
        assert await device.row(url) is None
    exact = await device.begun(str(uuid4()), Upload_Length="50")
    assert (await device.add(exact, 0, b"x" * 50)).status_code == 204
    assert (await device.add(exact, 50, b"x")).status_code == 400
    assert (await device.ask("HEAD", exact)).status_code == 404
    assert list(device.spool.iterdir()) == []


async def test_a_complete_upload_takes_no_more(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="10")
    await device.add(url, 0, b"x" * 10, complete="?1")
    empty = await device.add(url, 10, b"", complete="?1")
    assert (empty.status_code, empty.json()["type"]) == (400, PROBLEMS + "completed-upload")
    more = await device.add(url, 10, b"x")
    assert (more.status_code, more.json()["type"]) == (400, PROBLEMS + "inconsistent-upload-length")
    assert await device.row(url) == ("complete", 10, 10)


async def test_what_cannot_be_begun_leaves_nothing(device: Device) -> None:
    key = str(uuid4())
    most = 50 * 2**20
    rows: list[tuple[dict[str, str], bytes, int, str]] = [
        ({"complete": "true"}, b"x", 400, "malformed-request"),
        ({"complete": "?1", "Upload_Length": "100"}, b"12345", 400, "inconsistent-upload-length"),
        ({"complete": "?0", "Upload_Length": "4"}, b"12345", 400, "inconsistent-upload-length"),
        ({"complete": "?1", "Content_Digest": sha256(b"other")}, b"12345", 400, "digest-mismatch"),
        ({"complete": "?0", "Repr_Digest": "sha-256=:AAAA:"}, b"", 400, "malformed-request"),
        ({"complete": "?0", "Upload_Length": str(most + 1)}, b"", 413, "too-large"),
        ({"complete": "?1", "Upload_Length": str(most + 1)}, b"x", 400, "inconsistent-upload-length"),
    ]
    for headers, data, status, code in rows:
        answer = await device.begin(key, data, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), headers
        assert answer.headers["upload-complete"] == "?0"
        assert answer.headers["upload-limit"].startswith(LIMIT)
    part = await device.ask("PUT", f"{RECORDS}/{key}/photos/tag", {"Upload-Complete": "?0"}, photo()[:100])
    assert (part.status_code, part.json()["code"]) == (400, "malformed-request")
    assert await (await device.conn.execute("select count(*) from upload_session")).fetchone() == (0,)
    assert list(device.spool.iterdir()) == []


async def test_what_is_refused_was_transferred_all_the_same(device: Device) -> None:
    """So says Upload-Complete: to go on with the upload would not help."""
    key = await device.put_record()
    url = await device.begun(key)
    answer = await device.add(url, 0, b"<html>" * 9, complete="?1")
    assert (answer.status_code, answer.headers["upload-complete"]) == (415, "?1")
    again = await device.ask("HEAD", url)
    assert (again.status_code, again.headers["upload-complete"]) == (415, "?1")
    damaged = await device.begun(key, Repr_Digest=sha256(b"other"))
    answer = await device.add(damaged, 0, photo(), complete="?1")
    assert (answer.status_code, answer.json()["code"], answer.headers["upload-complete"]) == (
        400,
        "digest-mismatch",
        "?1",
    )
    assert await device.received(key) == []
    assert (await device.begin(key, photo(), complete="?1")).status_code == 201
    conflict = await device.begin(key, jpeg(shade=33), complete="?1")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "photo-conflict")


async def test_a_cancelled_upload_is_gone(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    await device.add(url, 0, b"x" * 40)
    assert (await device.ask("DELETE", url)).status_code == 204
    for answer in (await device.ask("HEAD", url), await device.add(url, 40, b"x"), await device.ask("DELETE", url)):
        assert answer.status_code == 404
    assert (await device.ask("DELETE", f"{PATH}/no-such-upload")).status_code == 404
    assert list(device.spool.iterdir()) == []


async def test_asking_brings_nothing_along(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    for headers in ({"Upload-Offset": "0"}, {"Upload-Complete": "?0"}):
        assert (await device.ask("HEAD", url, headers)).status_code == 400


async def test_of_two_appends_at_once_one_counts(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    answers = await asyncio.gather(*(device.add(url, 0, b"x" * 32) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    looked, added = await asyncio.gather(device.ask("HEAD", url), device.add(url, 32, b"x" * 32))
    assert looked.headers["upload-offset"] in ("32", "64")
    assert added.status_code == 204
    gone, _ = await asyncio.gather(device.ask("DELETE", url), device.add(url, 64, b"x" * 16))
    assert gone.status_code == 204
    assert (await device.ask("HEAD", url)).status_code == 404


async def test_a_cut_keeps_what_came_and_is_not_the_end(device: Device) -> None:
    key = await device.put_record()
    url = await device.begun(key)
    headers = {"Content-Type": "application/partial-upload", "Upload-Offset": "0", "Upload-Complete": "?1"}
    _, writer = await device.raw(url, headers | {"Content-Length": str(len(photo()))}, photo()[:5000])
    writer.close()
    assert stands(await device.ask("HEAD", url)) == (204, "5000", "?0", str(len(photo())))
    assert (await device.add(url, 5000, photo()[5000:], complete="?1")).status_code == 201
    assert await device.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_only_the_device_itself_finds_its_upload(device: Device) -> None:
    url = await device.begun(str(uuid4()), Upload_Length="100")
    stranger = Device(device.served, device.conn, await token(device.conn))
    reader = Device(device.served, device.conn, await token(device.conn, scopes=("read",)))
    for method in ("HEAD", "GET", "DELETE"):
        assert (await stranger.ask(method, url)).status_code == 404
        assert (await reader.ask(method, url)).status_code == 403
    assert (await stranger.add(url, 0, b"x")).status_code == 404
    assert (await reader.add(url, 0, b"x")).status_code == 403
    assert (await reader.begin(str(uuid4()))).status_code == 403
    assert await device.row(url) == ("receiving", 0, 0)
