"""Checks behind the queue, by real workers: they come first, outlive a worker that is killed, and let the job go on."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from sql import Connection
from tests.service import ids, listed, multipart, record, until
from tests.unit.pictures import heic, jpeg
from tests.web.test_deferred_checks import large
from tests.worker.plant import SHOTS, Plant, plant
from tests.worker.processes import worker_process


@pytest.fixture
async def works(
    database_url: str, portal_schema: None, redis_url: str, conn: Connection, tmp_path: Path
) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as works:
        yield works


async def send(works: Plant, data: bytes) -> UUID:
    files = {name: data if name == "tag" else jpeg() for name in SHOTS}
    answer = await works.served.http.post(
        "/api/mobile/records", headers=works.served.bearer(), **multipart(record(photos=listed(SHOTS)), files)
    )
    assert answer.json()["job_status"] == "held", answer.text
    return ids(answer)[1]


async def checking(works: Plant) -> Any:
    return await works.one("select count(*) from procrastinate_jobs where queue_name = 'checks' and status = 'doing'")


async def test_a_worker_looks_and_the_record_is_submitted(works: Plant) -> None:
    job = await send(works, large())
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select status::text from procrastinate_jobs where queue_name = 'checks'") == "succeeded"


async def test_a_worker_killed_while_it_looks_loses_nothing(works: Plant) -> None:
    job = await send(works, large())
    async with worker_process(works.settings) as worker:
        await until(lambda: checking(works), lambda busy: busy == 1)
        worker.send(signal.SIGKILL)
        assert await worker.ended() == -signal.SIGKILL
    assert await works.state(job) == "held"
    async with worker_process(msgspec.structs.replace(works.settings)):
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1


async def test_the_portal_gets_a_jpeg_of_a_heic_photo_which_stays_as_it_was_taken(works: Plant) -> None:
    job = await send(works, taken := heic(thumbnail=False, taken="2026:01:02 10:00:00", offset="+00:00"))
    async with works.worker():
        assert await works.ends(job) == "completed"
    made = await works.one("select rendition_sha256 from photo where name = 'tag'")
    assert await works.one("select count(*) from photo where rendition_sha256 is not null") == 1
    sent = "select media_type, width, height, taken_at from demo_portal.upload where sha256 = %s"
    assert await works.one(sent, made.hex()) == ("image/jpeg", 1600, 1200, "2026:01:02 10:00:00")
    assert await works.one("select blob_sha256 from photo where name = 'tag'") == sha256(taken).digest()
    # Nobody collects it.
    await works.conn.execute("update blob set created_at = now() - interval '1 year'")
    assert await works.one("select count(*) from release_blobs(array[%s]::bytea[], 0)", made) == 0
