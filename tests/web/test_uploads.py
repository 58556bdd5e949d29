"""What becomes of resumable uploads: cuts, crashes, rivals, photos before their record, and what nobody finishes."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from app.intake.uploads.writing import CHECKPOINT
from tests.service import listed, record, serving, token
from tests.unit.pictures import jpeg
from tests.web.tus_device import CHUNK, FILES, RECORDS, Tus, checksum, metadata, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_of_two_patches_at_once_one_counts(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    answers = await asyncio.gather(*(tus.patch(url, 0, photo()) for _ in range(2)))
    # 423 when the photo takes longer to look at than the other waits.
    assert sorted(answer.status_code for answer in answers) in ([204, 409], [204, 423])
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_a_request_that_fell_silent_gives_way_to_the_newer(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    headers = CHUNK | {"Upload-Offset": "0", "Content-Length": str(len(photo()))}
    reader, writer = await tus.raw(url, headers, photo()[:700])
    assert await tus.offset(url) == 700
    assert b" 423 " in await reader.readline()
    writer.close()
    assert (await tus.patch(url, 700, photo()[700:])).status_code == 204
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_also_when_the_newer_comes_to_another_process(tus: Tus) -> None:
    """Two web processes share the spool; the lock of one is seen by the other."""
    url = await tus.create(str(uuid4()), 2000)
    headers = CHUNK | {"Upload-Offset": "0", "Content-Length": "2000"}
    async with serving(tus.served.settings) as other:
        reader, writer = await tus.raw(url, headers, b"x" * 700)
        async with httpx.AsyncClient(base_url=other, timeout=30) as http:
            answer = await http.head(url, headers=tus.headers)
        assert (answer.status_code, answer.headers["upload-offset"]) == (200, "700")
        assert b" 423 " in await reader.readline()
        writer.close()


async def test_a_line_that_stalls_is_told_to_go_on(tus: Tus) -> None:
    """By a status that the clients of tus try again: they take a 408 for the end."""
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    async with serving(msgspec.structs.replace(tus.served.settings, body_idle_s=0.3)) as other:
        slow = Tus(msgspec.structs.replace(tus.served, url=other), tus.conn)
        headers = CHUNK | {"Upload-Offset": "0", "Content-Length": str(len(photo()))}
        reader, writer = await slow.raw(url, headers, photo()[:700])
        async with asyncio.timeout(60):
            assert b" 423 " in await reader.readline()
        writer.close()
    assert await tus.row(url) == ("receiving", 700, 700)
    assert (await tus.patch(url, 700, photo()[700:])).status_code == 204


async def test_a_long_request_is_safe_while_it_goes_on(tus: Tus) -> None:
    """Or a process that is killed in the last second of an hour would cost the hour."""
    url = await tus.create(str(uuid4()), 10 * 2**20)
    headers = CHUNK | {"Upload-Offset": "0", "Content-Length": str(10 * 2**20)}
    _, writer = await tus.raw(url, headers, b"x" * 9 * 2**20)
    async with asyncio.timeout(60):
        while (row := await tus.row(url)) and row[1] < 2 * CHECKPOINT:
            await asyncio.sleep(0.01)
    assert row is not None
    assert row[0] == "receiving"
    assert 2 * CHECKPOINT <= row[1] < 9 * 2**20
    writer.close()


async def test_what_arrived_before_a_cut_is_kept(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    step = len(photo()) // 4
    at = 0
    while at < len(photo()) - step:
        headers = CHUNK | {"Upload-Offset": str(at), "Content-Length": str(len(photo()) - at)}
        _, writer = await tus.raw(url, headers, photo()[at : at + step])
        writer.close()
        await writer.wait_closed()
        at += step
        assert await tus.offset(url) == at
    # Of a piece with a checksum, a part proves nothing.
    headers = CHUNK | {"Upload-Offset": str(at), "Content-Length": str(len(photo()) - at)} | checksum(photo()[at:])
    _, writer = await tus.raw(url, headers, photo()[at:-1])
    writer.close()
    await writer.wait_closed()
    assert await tus.offset(url) == at
    assert (await tus.patch(url, at, photo()[at:], checksum(photo()[at:]))).status_code == 204
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_of_row_and_file_the_smaller_counts(tus: Tus) -> None:
    key = await tus.put_record()
    url = await tus.create(key, len(photo()))
    await tus.patch(url, 0, photo()[:600])
    path: Path = tus.spool / UUID(url.rpartition("/")[2]).hex
    with path.open("ab") as file:
        file.write(b"written, and the process killed before the row knew")
    assert await tus.offset(url) == 600
    assert await tus.row(url) == ("receiving", 600, 600)
    os.truncate(path, 500)
    assert await tus.offset(url) == 500
    assert await tus.row(url) == ("receiving", 500, 500)
    tus.forget(url)
    assert await tus.offset(url) == 0
    assert (await tus.patch(url, 0, photo())).status_code == 204
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]


async def test_a_photo_waits_for_its_record(tus: Tus) -> None:
    body = record(photos=listed({"tag": "tag"}))
    url = await tus.create(body["id"], len(photo()))
    assert (await tus.patch(url, 0, photo())).status_code == 204
    assert await tus.row(url) == ("complete", len(photo()), len(photo()))
    assert await tus.offset(url) == len(photo())
    answer = await tus.served.http.put(f"{RECORDS}/{body['id']}", headers=tus.served.bearer(), json=body)
    assert answer.status_code == 201
    assert answer.json()["media"] == {"expected": 1, "received": 1, "missing": []}
    assert (answer.json()["replayed"], answer.json()["job_status"]) == (False, "held")
    assert await tus.row(url) == ("accepted", len(photo()), None)
    assert await tus.received(body["id"]) == [hashlib.sha256(photo()).hexdigest()]


async def test_a_waiting_file_that_is_no_photo_leaves_the_record_incomplete(tus: Tus) -> None:
    body = record(photos=listed({"tag": "tag"}))
    url = await tus.create(body["id"], 6)
    assert (await tus.patch(url, 0, b"<html>")).status_code == 204
    answer = await tus.served.http.put(f"{RECORDS}/{body['id']}", headers=tus.served.bearer(), json=body)
    assert answer.status_code == 201
    assert answer.json()["media"]["missing"] == ["tag"]
    assert (await tus.ask("HEAD", url)).status_code == 415
    assert await tus.row(url) == ("refused", 6, None)


async def test_bytes_that_can_be_no_photo_are_refused_for_good(tus: Tus) -> None:
    key = await tus.put_record()
    other = jpeg(shade=30)
    rows: list[tuple[bytes, dict[str, str], int, str]] = [
        (b"<html>" * 9, {}, 415, "unsupported-media"),
        (photo(), {"sha256": hashlib.sha256(b"").hexdigest()}, 460, "digest-mismatch"),
        (photo(), {}, 204, ""),
        (other, {}, 409, "photo-conflict"),
    ]
    for data, known, status, code in rows:
        url = await tus.create(key, len(data), **known)
        answer = await tus.patch(url, 0, data)
        assert answer.status_code == status, answer.text
        if code:
            assert answer.json()["code"] == code
            again = await tus.patch(url, len(data), b"")
            assert (again.status_code, again.json()["code"]) == (status, code)
            assert (await tus.ask("HEAD", url)).status_code == status
            assert await tus.row(url) == ("refused", len(data), None)
            assert (await tus.ask("DELETE", url)).status_code == 204
            assert await tus.row(url) is None
    assert await tus.received(key) == [hashlib.sha256(photo()).hexdigest()]
    empty = await tus.ask("POST", FILES, {"Upload-Length": "0"} | metadata(record_id=key, name="tag"))
    assert (empty.status_code, empty.json()["code"]) == (415, "unsupported-media")


async def test_bytes_that_would_come_in_vain_are_refused_at_the_beginning(tus: Tus) -> None:
    key = await tus.put_record()
    rows: list[tuple[int, dict[str, str], int, str]] = [
        (100, {"name": "other"}, 400, "malformed-request"),
        (25 * 2**20 + 1, {"name": "tag"}, 413, "too-large"),
        (100, {"name": "tag", "sha256": hashlib.sha256(b"").hexdigest()}, 409, "photo-conflict"),
    ]
    stored = await tus.create(key, len(photo()))
    await tus.patch(stored, 0, photo())
    for length, known, status, code in rows:
        answer = await tus.ask("POST", FILES, {"Upload-Length": str(length)} | metadata(record_id=key, **known))
        assert (answer.status_code, answer.json()["code"]) == (status, code), known
    assert (await (await tus.conn.execute("select count(*) from upload_session")).fetchone()) == (1,)
    # Before the record nobody knows what the photo is, and a name that it does not list is refused when it comes.
    body = record(photos=listed({"tag": "tag"}))
    url = await tus.create(body["id"], len(photo()), name="other")
    assert (await tus.patch(url, 0, photo())).status_code == 204
    await tus.served.http.put(f"{RECORDS}/{body['id']}", headers=tus.served.bearer(), json=body)
    assert (await tus.ask("HEAD", url)).status_code == 400
    assert await tus.row(url) == ("refused", len(photo()), None)


async def test_only_the_device_itself_finds_its_upload(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 10)
    stranger = Tus(tus.served, tus.conn, await token(tus.conn))
    for method in ("HEAD", "PATCH", "DELETE"):
        assert (await stranger.ask(method, url, CHUNK | {"Upload-Offset": "0"})).status_code == 404
    reader = Tus(tus.served, tus.conn, await token(tus.conn, scopes=("read",)))
    for method, where in (("POST", FILES), ("HEAD", url), ("PATCH", url), ("DELETE", url), ("POST", url)):
        assert (await reader.ask(method, where, CHUNK | {"Upload-Offset": "0"})).status_code == 403
    nobody = Tus(tus.served, tus.conn, "asb_nobody")
    assert (await nobody.ask("HEAD", url)).status_code == 401
    assert await tus.row(url) == ("receiving", 0, None)


async def test_a_device_has_so_many_open_uploads(tus: Tus) -> None:
    url = await tus.create(str(uuid4()), 10)
    await tus.conn.execute(
        "insert into upload_session (device_id, record_id, name, length, expires_at)"
        " select device_id, record_id, name, length, expires_at from upload_session, generate_series(1, 199)"
    )
    headers = {"Upload-Length": "10"} | metadata(record_id=str(uuid4()), name="tag")
    refused = await tus.ask("POST", FILES, headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "60"
    await tus.ask("DELETE", url)
    assert (await tus.ask("POST", FILES, headers)).status_code == 201


async def test_what_nobody_finishes_is_collected(tus: Tus) -> None:
    """Expired sessions with their bytes, bytes without a session, and a photo whose process died before it was one."""
    key = await tus.put_record()
    stranded = await tus.create(key, len(photo()))
    expired, alive = [await tus.create(str(uuid4()), 100) for _ in range(2)]
    for url in (expired, alive):
        await tus.patch(url, 0, b"x" * 40)
    complete, late, dead = (UUID(url.rpartition("/")[2]) for url in (stranded, alive, expired))
    (tus.spool / complete.hex).write_bytes(photo())
    await tus.conn.execute("update upload_session set received = length, state = 'complete' where id = %s", [complete])
    await tus.conn.execute("update upload_session set expires_at = now() where id = %s", [dead])
    for path in (tus.spool / uuid4().hex, tus.spool / f"{uuid4().hex}.wanted", tus.spool / late.hex):
        path.touch()
        os.utime(path, (0, 0))
    settings = msgspec.structs.replace(tus.served.settings, upload_sweep_s=3600.0)
    async with serving(settings), asyncio.timeout(60):
        while await tus.received(key) == [] or len(list(tus.spool.iterdir())) > 1:
            await asyncio.sleep(0.02)
    assert await tus.row(stranded) == ("accepted", len(photo()), None)
    assert await tus.row(expired) is None
    assert await tus.row(alive) == ("receiving", 40, 40)
