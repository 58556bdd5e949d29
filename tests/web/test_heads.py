"""HEAD wherever GET is: the same status and headers, and no body."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.core.blobs_local import LocalBlobs
from sql import Connection
from tests.service import Service, listed, multipart, record
from tests.unit.pictures import jpeg
from tests.web.tour import Description, Tour

OF_THE_REQUEST = {"date", "x-request-id", "transfer-encoding"}
"""A head need not say how a body would be sent in pieces (RFC 9110, section 9.3.2)."""


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_REQUEST}


class Both(Tour):
    """Asks for the head before each GET, and compares."""

    async def call(self, method: str, path: str, *, shown: Any = None, expect: int = 0, **sent: Any) -> httpx.Response:
        head = await self.served.http.head(path, **sent) if method == "GET" else None
        answer = await super().call(method, path, shown=shown, expect=expect, **sent)
        if head is not None:
            assert (head.status_code, head.content) == (answer.status_code, b""), path
            if "etag" in answer.headers or "problem" in answer.headers["content-type"]:
                assert told(head) == told(answer), path
            # What tells ages may have grown by a digit.
            assert told(head).keys() == told(answer).keys(), path
        return answer


async def test_every_get_has_its_head(served: Service, conn: Connection) -> None:
    description = Description()
    tour = Both(served, conn, description)
    await tour.walk()
    walked = {call.operation for call in tour.seen}
    reads = [each for method, _, each in description.operations() if method == "get"]
    assert {each["operationId"] for each in reads if description.answers_json(each)} <= walked
    assert (await served.http.head("/api/schema/openapi.json", headers=served.bearer())).status_code == 200
    # The rest of the contract holds: who is asking, what is allowed, and streams, whose head would promise too much.
    assert (await served.http.head("/api/me")).status_code == 401
    assert (await served.http.head("/api/records?limit=0", headers=served.bearer())).status_code == 400
    assert (await served.http.head("/nothing")).status_code == 404
    stream = await served.http.head("/api/events", headers=served.bearer())
    assert (stream.status_code, "HEAD" in stream.headers["allow"]) == (405, False)
    refused = await served.http.request("PATCH", "/api/me", headers=served.bearer())
    assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", "))


async def test_the_head_of_a_file_does_not_read_it_to_its_end(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[int] = []
    stream = LocalBlobs.stream

    async def counted(self: LocalBlobs, sha256: bytes, **span: Any) -> Any:
        async for piece in stream(self, sha256, **span):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(LocalBlobs, "stream", counted)
    photo = jpeg(size=(600, 800)) + b"\0" * 2_000_000
    body = record(photos=listed({"tag": "tag"}))
    sent = multipart(body, {"tag": photo})
    assert (await served.http.post("/api/mobile/records", headers=served.bearer(), **sent)).status_code == 201
    path = f"/api/records/{body['id']}/photos/tag"
    head = await served.http.head(path, headers=served.bearer() | {"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (200, b"")
    assert len(pieces) == 1
    answer = await served.http.get(path, headers=served.bearer())
    assert (told(head), answer.content) == (told(answer), photo)
    assert len(pieces) > 2
    known = {"If-None-Match": head.headers["etag"]}
    assert (await served.http.head(path, headers=served.bearer() | known)).status_code == 304
