"""The error contract (RFC 9457): whoever refuses a request, a handler, the router or the parser, says it in the same way."""

from __future__ import annotations

import asyncio
from typing import Any

from sql import Connection
from tests.service import Service, token

JSON = {"Content-Type": "application/json"}
REFUSED: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "no such address": ("GET", "/nothing", {}, 404, "not-found"),
    "no such problem": ("GET", "/problems/nothing", {}, 404, "not-found"),
    "no uuid": ("GET", "/api/jobs/7", {}, 404, "not-found"),
    "no such method": ("PATCH", "/api/me", {}, 405, "method-not-allowed"),
    "no token": ("GET", "/api/me", {"headers": {"Authorization": ""}}, 401, "unauthorised"),
    "a host with a space": ("GET", "/api/me", {"headers": {"Host": "a b"}}, 400, "malformed-request"),
    "a time that is none": ("GET", "/api/records?received_from=x", {}, 400, "malformed-request"),
    "a state that is none": ("GET", "/api/records?project=demo&state=lost", {}, 400, "malformed-request"),
    "a limit that is no number": ("GET", "/api/records?project=demo&limit=x", {}, 400, "malformed-request"),
    "half a document": ("POST", "/api/session", {"content": b"{", "headers": JSON}, 400, "malformed-request"),
    "a wrong member": ("POST", "/api/session", {"json": {"code": 1}}, 400, "malformed-request"),
    "a thousand brackets": (
        "POST",
        "/api/session",
        {"content": b"[" * 99_999, "headers": JSON},
        400,
        "malformed-request",
    ),
    "2 MB of JSON": ("POST", "/api/session", {"content": b" " * 2_000_000, "headers": JSON}, 413, "too-large"),
    "NUL in a reason": ("POST", "/api/portals/npl/pause", {"json": {"reason": "a\0b"}}, 400, "malformed-request"),
    "NUL in a search": ("GET", "/api/records?project=demo&q=a%00b", {}, 400, "malformed-request"),
    "NUL in a name": (
        "GET",
        "/api/records/00000000-0000-4000-8000-000000000000/photos/a%00b",
        {},
        400,
        "malformed-request",
    ),
    "a method of its own": ("BREW", "/api/me", {}, 400, "malformed-request"),
}


async def test_every_refusal_keeps_the_contract(served: Service, conn: Connection) -> None:
    operator = served.bearer(await token(conn, scopes=("operate",)))
    for case, (method, path, sent, status, code) in REFUSED.items():
        given = {**sent, "headers": operator | sent.get("headers", {})}
        answer = await served.http.request(method, path, **given)
        assert answer.status_code == status, (case, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", case
        problem = answer.json()
        assert (problem["code"], problem["status"], problem["type"]) == (code, status, f"/problems/{code}"), case
        assert problem["instance"] == answer.headers["x-request-id"] != "", case
        assert problem["retry"] in {"never", "same", "after", "fix"}, case
        assert ("limits" in problem) == (status == 413), case
        assert ("allow" in answer.headers) == (status == 405), case
        page = await served.http.get(problem["type"])
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), case


async def test_findings_point_into_the_document(served: Service) -> None:
    answer = await served.http.post("/api/session", json={"code": 1})
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/code", "invalid")]


async def test_the_parser_itself_keeps_the_contract(served: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
    writer.write(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    async with asyncio.timeout(60):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/problem+json" in head
    assert b'"code":"malformed-request"' in body
