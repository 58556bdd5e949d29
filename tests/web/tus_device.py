"""A device that speaks tus by hand, and looks at what its uploads left in the database and on the disk."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from functools import cache
from typing import Any
from uuid import UUID

import httpx

from sql import Connection
from tests.service import Service, listed, record
from tests.unit.pictures import jpeg

FILES = "/api/mobile/files"
RECORDS = "/api/mobile/records"
CHUNK = {"Content-Type": "application/offset+octet-stream"}
VERSION = {"Tus-Resumable": "1.0.0"}


@cache
def photo() -> bytes:
    return jpeg(shade=90)


def metadata(**pairs: str) -> dict[str, str]:
    encoded = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return {"Upload-Metadata": ",".join(encoded)}


def checksum(data: bytes, algorithm: str = "sha1") -> dict[str, str]:
    return {"Upload-Checksum": f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"}


class Tus:
    """A device that speaks tus by hand."""

    def __init__(self, served: Service, conn: Connection, secret: str = "") -> None:
        self.served = served
        self.conn = conn
        self.headers = served.bearer(secret) | VERSION
        self.spool = served.settings.blobs / "spool"

    async def ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        answer = await self.served.http.request(method, url, headers=self.headers | (headers or {}), content=body)
        assert answer.status_code < 500, answer.text
        assert answer.headers["tus-resumable"] == "1.0.0"
        return answer

    async def put_record(self, **changed: Any) -> str:
        body = record(photos=listed({"tag": "tag"}), **changed)
        answer = await self.served.http.put(f"{RECORDS}/{body['id']}", headers=self.served.bearer(), json=body)
        assert answer.status_code == 201
        return str(body["id"])

    async def create(self, record_id: str, length: int | None = None, **known: str) -> str:
        """A new upload's address."""
        size = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        answer = await self.ask("POST", FILES, size | metadata(record_id=record_id, **{"name": "tag"} | known))
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def patch(
        self, url: str, at: int, data: Any, headers: dict[str, str] | None = None, *, method: str = "PATCH"
    ) -> httpx.Response:
        return await self.ask(method, url, CHUNK | {"Upload-Offset": str(at)} | (headers or {}), data)

    async def offset(self, url: str) -> int:
        answer = await self.ask("HEAD", url)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])

    async def row(self, url: str) -> tuple[Any, ...] | None:
        """State, bytes that count, and bytes on disk."""
        upload = UUID(url.rpartition("/")[2])
        cursor = await self.conn.execute("select state, received from upload_session where id = %s", [upload])
        found = await cursor.fetchone()
        return found and (*found, self.written(url))

    def written(self, url: str) -> int | None:
        """An upload's bytes on disk."""
        path = self.spool / UUID(url.rpartition("/")[2]).hex
        return path.stat().st_size if path.exists() else None

    def forget(self, url: str) -> None:
        """Lose an upload's bytes."""
        (self.spool / UUID(url.rpartition("/")[2]).hex).unlink()

    async def received(self, record_id: str) -> list[str]:
        """The hashes of a record's photos that are here."""
        receipt = await self.served.http.get(f"{RECORDS}/{record_id}", headers=self.served.bearer())
        return [photo["sha256"] for photo in receipt.json()["photos"] if photo["received"]]

    async def raw(self, url: str, headers: dict[str, str], data: bytes) -> tuple[asyncio.StreamReader, Any]:
        """A PATCH of which only `data` is sent, and has been written by the service."""
        had = self.written(url) or 0
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.served.url.rpartition(":")[2]))
        lines = [f"PATCH {url} HTTP/1.1", "Host: asbuilt", *(f"{k}: {v}" for k, v in (self.headers | headers).items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        async with asyncio.timeout(60):
            await writer.drain()
            while (self.written(url) or 0) < had + len(data):
                await asyncio.sleep(0.01)
        return reader, writer
