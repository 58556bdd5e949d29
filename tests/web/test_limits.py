"""Limits as clients meet them: 429 and 503 with Retry-After, deadlines for heads and bodies, and nobody else the worse."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.access import create_user
from app.core.fairness import Fairness
from app.core.settings import Settings
from sql import Connection
from tests.service import Service, record, service, token, until, web_settings

POST = "/api/mobile/records"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@asynccontextmanager
async def limited(database_url: str, redis_url: str, folder: Path, **limits: Any) -> AsyncIterator[Service]:
    async with service(web_settings(database_url, redis_url, folder, **limits)) as running:
        yield running


@pytest.fixture
async def house(database_url: str, conn: Connection, redis_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    limits: dict[str, Any] = {
        "uploads_per_s": 0.5,
        "uploads_burst": 3,
        "requests_per_device": 2,
        "failed_auth_per_min": 3,
        "requests_at_once": 4,
        "head_s": 0.5,
        "body_idle_s": 0.4,
    }
    async with limited(database_url, redis_url, tmp_path, **limits) as running:
        yield running


class Line:
    """A connection that sends what it is told, when it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """All that comes until the other side hangs up."""
        async with asyncio.timeout(60):
            return await self._reader.read()

    async def problem(self) -> bytes:
        """The first answer, whose body is one object."""
        async with asyncio.timeout(60):
            return await self._reader.readuntil(b"}")

    async def begins(self) -> bytes:
        """The first head of an answer."""
        async with asyncio.timeout(60):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def dribble(self) -> None:
        """A byte at a time, until the line is cut."""
        with suppress(ConnectionError):
            while not self.writer.is_closing():
                await self.send(b" ")
                await asyncio.sleep(0.05)


@asynccontextmanager
async def line(house: Service) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.rsplit(":", 1)[1]))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def head(bearer: str, *, length: int = 1000) -> bytes:
    return (
        f"PUT {POST}/{uuid4()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def put(house: Service, bearer: str) -> httpx.Response:
    body = record()
    return await house.http.put(f"{POST}/{body['id']}", headers=house.bearer(bearer), json=body)


def told_to_wait(answer: httpx.Response, status: int, code: str) -> int:
    """Seconds."""
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retry"]) == (status, code, "after")
    return int(answer.headers["retry-after"])


async def test_a_device_that_sends_too_often_is_told_when_to_come_again(house: Service, conn: Connection) -> None:
    assert [(await put(house, house.upload)).status_code for _ in range(3)] == [201] * 3
    assert 1 <= told_to_wait(await put(house, house.upload), 429, "too-many-requests") <= 2
    # Reading costs nothing, and another device has its own measure.
    assert (await house.http.get("/api/mobile/limits", headers=house.bearer())).status_code == 200
    assert (await put(house, await token(conn))).status_code == 201

    async def again() -> int:
        return (await put(house, house.upload)).status_code

    assert await until(again, lambda status: status == 201) == 201


async def test_an_upload_in_many_pieces_is_one_upload(house: Service) -> None:
    told = {"Tus-Resumable": "1.0.0", **house.bearer()}
    metadata = f"record_id {b64encode(str(uuid4()).encode()).decode()},name {b64encode(b'tag').decode()}"
    headers = told | {"Upload-Length": "10", "Upload-Metadata": metadata}
    begun = await house.http.post("/api/mobile/files", headers=headers)
    assert begun.status_code == 201
    for n in range(9):
        piece = told | {"Upload-Offset": str(n), "Content-Type": "application/offset+octet-stream"}
        answer = await house.http.patch(begun.headers["location"], headers=piece, content=b"x")
        assert answer.status_code == 204, answer.text


async def test_wrong_secrets_are_counted_for_each_address(house: Service, conn: Connection) -> None:
    wrong = house.bearer(f"abk_aaaaaaaa_{'b' * 43}")
    said = [(await house.http.get("/api/me", headers=wrong)).status_code for _ in range(3)]
    assert said == [401] * 3
    assert told_to_wait(await house.http.get("/api/me", headers=wrong), 429, "too-many-requests") <= 20
    # What cannot be guessed is not refused for the sake of what was wrong.
    assert (await house.http.get("/api/me", headers=house.bearer())).status_code == 200
    elsewhere = wrong | {"X-Forwarded-For": "192.0.2.7"}
    assert (await house.http.get("/api/me", headers=elsewhere)).status_code == 401
    # A password can be guessed: it is not even looked at.
    email = "reviewer@example.com"
    _, password = await create_user(conn, email=email, name="R", project="demo", role="viewer")
    for _ in range(3):
        answer = await house.http.post("/api/session", json={"email": email, "password": "guess"})
        assert answer.status_code == 401
    right = {"email": email, "password": password}
    told_to_wait(await house.http.post("/api/session", json=right), 429, "too-many-requests")
    answer = await house.http.post("/api/session", json=right, headers={"X-Forwarded-For": "192.0.2.7"})
    assert answer.status_code == 200


async def test_requests_at_once_are_bounded_for_a_device_and_in_all(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            limited(database_url, redis_url, tmp_path, requests_per_device=2, requests_waiting=0, requests_at_once=4)
        )
        others = [await token(conn) for _ in range(2)]
        me = "/api/me"

        async def ask(bearer: str) -> httpx.Response:
            return await house.http.get(me, headers=house.bearer(bearer))

        lines = [await stack.enter_async_context(line(house)) for _ in range(4)]
        for n in range(2):
            await lines[n].send(head(house.upload))
        full = await until(lambda: ask(house.upload), lambda answer: answer.status_code == 429)
        assert full.json()["limits"] == {"requests": 2}
        assert told_to_wait(full, 429, "too-many-requests") == 1
        assert (await ask(others[0])).status_code == 200
        for n in range(2):
            await lines[2 + n].send(head(others[n]))
        shed = await until(lambda: ask(others[0]), lambda answer: answer.status_code == 503)
        assert told_to_wait(shed, 503, "overloaded") == 2
        assert shed.json()["instance"] == shed.headers["x-request-id"]
        assert (await house.http.get("/health/live")).status_code == 200
        for each in lines:
            each.writer.close()
        assert (await until(lambda: ask(house.upload), lambda answer: answer.status_code == 200)).status_code == 200


async def test_a_request_too_many_waits_unread_for_its_place(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, Any] = {"requests_per_device": 1, "requests_waiting": 1, "requests_wait_s": 60.0}
    made: list[Fairness] = []

    def fairness(settings: Settings) -> Fairness:
        made.append(Fairness(settings))
        return made[0]

    monkeypatch.setattr("app.main.Fairness", fairness)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(limited(database_url, redis_url, tmp_path, **limits))
        at_work, waiting, given_up = [await stack.enter_async_context(line(house)) for _ in range(3)]

        async def asked() -> int:
            return sum(places.asked for places in made[0]._places.values())

        async def me(bearer: str = "") -> int:
            return (await house.http.get("/api/me", headers=house.bearer(bearer))).status_code

        request = head(house.upload, length=2).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        await at_work.send(request)
        assert await at_work.begins() == CONTINUE
        await waiting.send(request)
        told = asyncio.create_task(waiting.begins())
        await until(asked, lambda count: count == 2)
        # Whoever comes now is refused at once, another device waits for nobody, and nobody wants the body in line.
        assert (await me(), await me(await token(conn))) == (429, 200)
        assert not told.done()

        await at_work.send(b"{}")
        assert (await at_work.problem()).startswith(b"HTTP/1.1 400 ")
        assert await told == CONTINUE
        # Who waited and hung up leaves nothing behind.
        await given_up.send(request)
        await until(asked, lambda count: count == 2)
        given_up.writer.close()
        await waiting.send(b"{}")
        assert (await waiting.problem()).startswith(b"HTTP/1.1 400 ")
        assert await me() == 200
        await until(asked, lambda count: count == 0)


async def test_who_waited_too_long_for_a_place_is_told_to_come_again(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    limits: dict[str, Any] = {"requests_per_device": 1, "requests_waiting": 5, "requests_wait_s": 0.05}
    async with limited(database_url, redis_url, tmp_path, **limits) as house, line(house) as at_work:
        await at_work.send(head(house.upload).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert await at_work.begins() == CONTINUE
        full = await house.http.get("/api/me", headers=house.bearer())
        assert told_to_wait(full, 429, "too-many-requests") == 1
        assert full.json()["limits"] == {"requests": 1}


async def test_who_only_holds_the_line_is_let_go(house: Service) -> None:
    """A head that does not end, one that never begins, a body of one byte at a time, and one after its answer."""
    async with AsyncExitStack() as stack:
        slow_head, silent, dribbler, unwanted = [await stack.enter_async_context(line(house)) for _ in range(4)]
        await slow_head.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-")
        await dribbler.send(head(house.upload))
        await unwanted.send(head("nobody's"))

        async def dribbling(to: Line) -> bytes:
            """The answer, and then byte after byte until the line is cut."""
            task = asyncio.create_task(to.dribble())
            answer = await to.problem()
            with suppress(ConnectionError):
                await to.answer()
            task.cancel()
            return answer

        answers = await asyncio.gather(slow_head.answer(), silent.answer(), dribbling(dribbler), dribbling(unwanted))
    for answer, status in zip(answers, (408, 408, 408, 401), strict=True):
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        assert b'"code":"%s"' % {408: b"idle-timeout", 401: b"unauthorised"}[status] in answer
    assert (await put(house, house.upload)).status_code == 201


async def test_a_full_disk_is_said_before_the_body_is_read(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    async with limited(database_url, redis_url, tmp_path, free_disk_bytes=2**62) as house, line(house) as wire:
        request = head(house.upload).replace(b"application/json", b"multipart/form-data; boundary=b")
        request = request.replace(b"PUT " + POST.encode() + b"/", b"POST " + POST.encode() + b"?")
        await wire.send(request.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        answer = await wire.problem()
        assert answer.startswith(b"HTTP/1.1 507 "), answer
        assert b"retry-after: " in answer.lower()
        # A record without bytes needs no room.
        assert (await put(house, house.upload)).status_code == 201
