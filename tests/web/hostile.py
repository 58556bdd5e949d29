"""One web process for a whole module of hostile requests, and what must be true after each of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import msgspec

from sql import Connection
from tests.service import Service, record

POST = "/api/mobile/records"
JSON = {"Content-Type": "application/json"}
BOUNDARY = "f1e1d"
CENSUS = """
    select (select count(*) from asbuilt_record), (select count(*) from record_revision),
           (select count(*) from automation_job), (select count(*) from procrastinate_jobs),
           (select count(*) from photo), (select count(*) from blob), (select count(*) from defect),
           (select count(*) from job_event), (select count(*) from audit_event)
"""
STORED = """
    select (select count(*) from asbuilt_record where id = %(id)s),
           (select count(*) from record_revision where record_id = %(id)s),
           (select count(*) from automation_job where record_id = %(id)s),
           (select count(*) from procrastinate_jobs as q join automation_job as j on j.queue_job_id = q.id
             where j.record_id = %(id)s),
           (select count(*) from photo where record_id = %(id)s and blob_sha256 is not null)
"""


class House(msgspec.Struct, frozen=True, kw_only=True):
    """The served process and a connection to its database; rows of earlier tests are there."""

    served: Service
    conn: Connection

    async def put(self, body: Any, **headers: str) -> httpx.Response:
        """A record as JSON; bytes go as they are, under an id of their own."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        key = record()["id"] if isinstance(body, bytes) else body["id"]
        return await self.served.http.put(
            f"{POST}/{key}", headers=self.served.bearer() | JSON | headers, content=content
        )

    async def photo(self, key: str, name: str, data: bytes, **headers: str) -> httpx.Response:
        return await self.served.http.put(
            f"{POST}/{key}/photos/{name}", headers=self.served.bearer() | headers, content=data
        )

    async def post(self, content: bytes, content_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> Any:
        token = self.served.bearer()["Authorization"].encode()
        headers = [(b"Authorization", token), (b"Content-Type", content_type.encode("latin-1"))]
        return await self.served.http.post(POST, headers=headers, content=content)

    async def receipt(self, key: str) -> dict[str, Any]:
        answer = await self.served.http.get(f"{POST}/{key}", headers=self.served.bearer())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def stored(self, key: str) -> tuple[int, ...]:
        """Of one record: its rows, revisions, jobs, queue rows, and photos with bytes."""
        return tuple(await (await self.conn.execute(STORED, {"id": key})).fetchone() or ())

    async def one(self, query: str, *values: Any) -> tuple[Any, ...]:
        row = await (await self.conn.execute(query.encode(), values)).fetchone()
        assert row is not None, query
        return tuple(row)

    async def census(self) -> tuple[tuple[int, ...], set[str]]:
        """Every row that an upload may write, counted, and every file there is."""
        rows = await self.one(CENSUS)
        folder = self.served.settings.blobs
        return rows, {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    @asynccontextmanager
    async def untouched(self) -> AsyncIterator[None]:
        """Nothing is written meanwhile, it costs less than a second of our time, and a good upload then works."""
        before, used = await self.census(), time.process_time()
        yield
        assert time.process_time() - used < 1
        async with asyncio.timeout(60):
            # A body that was cut off is noticed a moment later.
            while (now := await self.census()) != before:
                assert now[0] == before[0], "rows were written"
                await asyncio.sleep(0.01)
        good = await self.put(record())
        assert good.status_code == 201, good.text

    async def refused(self, sent: Any, status: int, code: str) -> dict[str, Any]:
        """The answer to a request that stores nothing; `sent` makes it."""
        async with self.untouched():
            answer = await sent
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        return dict(answer.json())


def part(headers: bytes | str, body: bytes = b"") -> bytes:
    """One part of a multipart body, its headers as they are."""
    raw = headers if isinstance(headers, bytes) else headers.encode()
    return b"--" + BOUNDARY.encode() + b"\r\n" + raw + b"\r\n\r\n" + body + b"\r\n"


def document(body: dict[str, Any] | None = None) -> bytes:
    """The part that is the record."""
    return part('Content-Disposition: form-data; name="record"', msgspec.json.encode(body or record()))


def closed(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n"


class Line:
    """A connection on which every byte is ours."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Also to a peer that has hung up already."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def status(self) -> int:
        """Of the next answer, headers read."""
        async with asyncio.timeout(60):
            head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1])

    async def rest(self) -> bytes:
        """Whatever comes until the other end hangs up."""
        async with asyncio.timeout(60):
            with suppress(ConnectionError):
                return await self._reader.read()
        return b""


@asynccontextmanager
async def line(house: House, url: str = "") -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int((url or house.served.url).rsplit(":", 1)[1]))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def head(house: House, target: str = f"POST {POST}", **headers: str) -> bytes:
    """A request's head, with our token."""
    lines = [f"{target} HTTP/1.1", "Host: x", f"Authorization: Bearer {house.served.upload}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
