"""What stands before any handler: heads without end, and requests that two parsers would read in two ways."""

from __future__ import annotations

import asyncio

import pytest

from tests.service import Service

LINE = b"POST /api/mobile/records HTTP/1.1\r\nHost: x\r\n"
BAD: dict[str, bytes] = {
    "a head of 200 kB": LINE + b"X-Filler: " + b"a" * 200_000 + b"\r\n\r\n",
    "a head that never ends": LINE + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)),
    "two lengths": LINE + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length and chunks": LINE + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "a space before the colon": LINE + b"Content-Length : 3\r\n\r\nabc",
    "bare line feeds": LINE.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "an odd transfer encoding": LINE + b"Transfer-Encoding: xchunked\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD)
async def test_it_is_answered_400_and_the_line_is_cut(served: Service, case: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
    async with asyncio.timeout(60):
        writer.write(BAD[case])
        try:
            await writer.drain()
            answer = await reader.read()
        except ConnectionError:
            answer = b""  # cut while we were still sending
    writer.close()
    assert answer == b"" or b" 400 " in answer.splitlines()[0], answer[:200]
    assert (await served.http.get("/health/live")).status_code == 200


async def test_a_large_body_is_no_large_head(served: Service) -> None:
    answer = await served.http.put(
        "/api/mobile/records/00000000-0000-4000-8000-000000000000",
        headers=served.bearer() | {"Content-Type": "application/json"},
        content=b" " * 200_000,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
