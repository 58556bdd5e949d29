"""What the largest and the meanest requests cost a web process of its own in memory: next to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.local.seed import seed
from sql import Connection
from tests.service import listed, multipart, record, web_settings
from tests.unit import pictures
from tests.web.hostile import JSON, POST
from tests.worker.processes import web_process

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
GOOD = {name: pictures.jpeg(shade=40 + 60 * n) for n, name in enumerate(SHOTS)}
MIB = 2**20
GROWTH = 100 * MIB


def package(tag: bytes) -> dict[str, Any]:
    return {"method": "POST", "url": POST} | multipart(record(photos=listed(SHOTS)), GOOD | {"tag": tag})


def document(raw: bytes) -> dict[str, Any]:
    return {"method": "PUT", "url": f"{POST}/{record()['id']}", "content": raw, "headers": JSON}


MEAN: dict[str, tuple[Callable[[], dict[str, Any]], int]] = {
    "a text of 10 MB": (lambda: document(b'{"a": "' + b"x" * 10 * MIB + b'"}'), 413),
    "100,000 deep": (lambda: document(b'{"a":' * 40_000), 400),
    "60 parts of nothing": (lambda: package(b""), 201),
    "a photo of 25 MB": (lambda: package(b"\xff\xd8\xff" + bytes(25 * MIB - 3)), 201),
    "120 MB": (lambda: {"method": "POST", "url": POST} | multipart(record(), {"x": bytes(24 * MIB)}), 400),
    "169 megapixels": (lambda: package(pictures.png_header(13_000, 13_000)), 201),
    "1.6 gigapixels": (lambda: package(pictures.png_header(40_000, 40_000)), 201),
    "a profile that unpacks to 100 MB": (lambda: package(pictures.png_bomb(b"iCCP")), 201),
    "a text that unpacks to 100 MB": (lambda: package(pictures.png_bomb(b"zTXt")), 201),
    "an international one": (lambda: package(pictures.png_bomb(b"iTXt")), 201),
    "an animation": (lambda: package(pictures.animation("WEBP")), 201),
    "an animation of 10,000 frames": (lambda: package(pictures.long_animation(10_000)), 201),
    "49 megapixels of noise": (lambda: package(pictures.noise(7000, 7000)), 201),
}


def peak(pid: int) -> int:
    """Bytes of memory that the process has ever had at once (VmHWM)."""
    said = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(said.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.slow
async def test_it_stays_small_and_answers_the_next_one(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    token = (await seed(database_url, portal_url="http://portal.example")).upload_token
    bearer = {"Authorization": f"Bearer {token}"}
    settings = web_settings(database_url, redis_url, tmp_path, automation_url="http://127.0.0.1:9")
    async with web_process(settings) as web, httpx.AsyncClient(base_url=web.ready, timeout=60, headers=bearer) as http:
        await asyncio.gather(*(http.request(**package(GOOD["tag"])) for _ in range(4)))
        before = peak(web.pid)
        for case, (make, status) in MEAN.items():
            answer = await http.request(**make())
            assert answer.status_code == status, (case, answer.text)
            grown = peak(web.pid) - before
            assert grown < GROWTH, f"{case}: {grown / MIB:.0f} MiB more"
            good = record()
            sent = await http.put(f"{POST}/{good['id']}", headers=JSON, content=msgspec.json.encode(good))
            assert sent.status_code == 201, case
        assert "http.internal" not in web.said
