"""A thousand clients that only hold their lines, heads and bodies, beside a crew that uploads (bad input 23)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from app.local.seed import seed
from sql import Connection
from tests.factories import value
from tests.faults.timings import slack
from tests.service import record, web_settings
from tests.web.hostile import JSON, POST
from tests.web.test_hostile_memory import GROWTH, peak
from tests.worker.processes import web_process

EACH = 500
PATIENCE_S = 6.0
LIMITS = {"head_s": PATIENCE_S, "body_idle_s": PATIENCE_S}


async def dribble(port: int, start: bytes) -> tuple[bytes, float]:
    """A byte a second until the line is cut; what was said to it, and after how many seconds it was over."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def on() -> None:
        with suppress(ConnectionError):
            writer.write(start)
            while not writer.is_closing():
                await writer.drain()
                await asyncio.sleep(1)
                writer.write(b"x")

    sending = asyncio.create_task(on())
    said = b""
    try:
        async with asyncio.timeout(60):
            with suppress(ConnectionError):
                while more := await reader.read(4096):
                    said += more
    finally:
        sending.cancel()
        writer.close()
    return said, time.monotonic() - began


def body(token: str) -> bytes:
    lines = (f"PUT {POST}/{uuid4()} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "Content-Type: application/json", "Content-Length: 1000", "", '{"a": "']).encode()


@pytest.mark.slow
async def test_a_thousand_that_hold_their_lines_cost_the_others_nothing(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    token = (await seed(database_url, portal_url="http://portal.example")).upload_token
    bearer = {"Authorization": f"Bearer {token}"}
    settings = web_settings(database_url, redis_url, tmp_path, automation_url="http://127.0.0.1:9", **LIMITS)
    async with web_process(settings) as web, httpx.AsyncClient(base_url=web.ready, timeout=60, headers=bearer) as http:
        port = int(web.ready.rsplit(":", 1)[1])

        async def upload() -> float:
            good = record()
            began = time.monotonic()
            sent = await http.put(f"{POST}/{good['id']}", headers=JSON, content=msgspec.json.encode(good))
            assert sent.status_code == 201, sent.text
            return time.monotonic() - began

        await upload()
        before = peak(web.pid)
        starts = [b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-", body(token)] * EACH
        holding = [asyncio.create_task(dribble(port, start)) for start in starts]
        took = []
        while not all(task.done() for task in holding):
            took.append(await upload())
            await asyncio.sleep(0.02)
        over = await asyncio.gather(*holding)
        assert peak(web.pid) - before < GROWTH
        assert await value(conn, "select count(*) from asbuilt_record") == len(took) + 1
        assert "http.internal" not in web.said
    assert Counter(said.partition(b"\r\n")[0] for said, _ in over) == {b"HTTP/1.1 408 Request Timeout": 2 * EACH}
    assert all(b'"code":"idle-timeout"' in said for said, _ in over)
    # Both deadlines, the rest of a body that nobody wants any more, and some time to be answered.
    assert max(seconds for _, seconds in over) < 30
    took.sort()
    assert took[int(len(took) * 0.99)] < slack(), took[-10:]
    assert len(took) > 20
