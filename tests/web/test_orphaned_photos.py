"""Bytes that a refused upload leaves behind are removed by the web process itself, and what is stored stays."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from app.core.orphans import DAY_S
from sql import Connection
from tests.service import Service, listed, multipart, record, serving, until
from tests.unit.pictures import jpeg

POST = "/api/mobile/records"


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


async def test_a_refused_upload_s_photo_is_moved_aside_after_its_time(served: Service, conn: Connection) -> None:
    stored, refused = jpeg(size=(64, 48)), jpeg(size=(48, 64))
    body = record(photos=listed({"tag": "tag"}))
    good = await served.http.post(POST, headers=served.bearer(), **multipart(body, {"tag": stored}))
    other = await served.http.post(
        POST, headers=served.bearer(), **multipart(body | {"crew": "another"}, {"tag": refused})
    )
    assert (good.status_code, other.status_code) == (201, 409)
    root = served.settings.blobs
    both = await asyncio.to_thread(names, root, "??/??/*")
    assert len(both) == 2
    for path in await asyncio.to_thread(lambda: list(root.glob("??/??/*"))):
        os.utime(path, (0, time.time() - DAY_S))
    await conn.execute("update turn set next_at = now()")
    async with serving(served.settings):
        aside = await until(lambda: asyncio.to_thread(names, root, "retired/*"), bool)
    row = await (await conn.execute("select encode(blob_sha256, 'hex') from photo where name = 'tag'")).fetchone()
    assert row is not None
    assert both == sorted([row[0], aside[0][:64]])
    assert await asyncio.to_thread(names, root, "??/??/*") == [row[0]]
