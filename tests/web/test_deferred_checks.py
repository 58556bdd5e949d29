"""Photos whose checks an upload cannot wait for: the job is held until a worker has looked at them, and then goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from PIL import Image

from app.core import db
from app.core.storage import open_blobs
from app.intake.checking import Checker
from sql import Connection
from tests.factories import value
from tests.logins import as_role
from tests.service import Service, listed, multipart, record, service, web_settings
from tests.unit.pictures import heic, jpeg

POST = "/api/mobile/records"
SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}


@cache
def large() -> bytes:
    """A PNG of 17 million pixels: more than is decoded in a request."""
    picture = Image.effect_noise((41, 42), 60).resize((4100, 4150), Image.Resampling.NEAREST)
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


@pytest.fixture
async def checker(served: Service) -> AsyncIterator[Checker]:
    async with db.pool(
        as_role("worker", served.settings.database_url), name="asbuilt-worker", size=2, deadline_s=30
    ) as pool:
        checker = Checker(pool, open_blobs(served.settings))
        yield checker
        await checker.aclose()


async def send(served: Service, files: dict[str, bytes]) -> dict[str, Any]:
    answer = await served.http.post(
        POST, headers=served.bearer(), **multipart(record(photos=listed({n: SHOTS[n] for n in files})), files)
    )
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def job(conn: Connection) -> tuple[str, str | None, str]:
    row = await conn.execute(
        "select j.state, j.wait_reason, q.queue_name from automation_job as j join procrastinate_jobs as q on q.id = j.queue_job_id"
    )
    state, reason, queue = await row.fetchone() or ("", None, "")
    return state, reason, queue


async def checks(conn: Connection) -> list[tuple[str, str]]:
    """The queue rows that bring records to be checked, and how they stand."""
    rows = await conn.execute(
        "select q.task_name, q.status::text from record_check as c join procrastinate_jobs as q on q.id = c.queue_job_id"
        " where q.queue_name = 'checks' and q.args = jsonb_build_object('record_id', c.record_id)"
    )
    return await rows.fetchall()


def files(**changed: bytes) -> dict[str, bytes]:
    return {name: jpeg() for name in SHOTS} | changed


async def test_the_last_check_lets_the_job_go_on(served: Service, conn: Connection, checker: Checker) -> None:
    said = await send(served, files(tag=large(), base=heic(thumbnail=False)))
    assert (said["job_status"], said["defects"]) == ("held", [])
    assert await job(conn) == ("held", "checks_pending", "waiting")
    assert await checks(conn) == [("check_photos", "todo")]
    held = await served.http.get(f"{POST}/{said['record_id']}", headers=served.bearer())
    assert held.json()["job_status"] == "held"
    await checker.check(UUID(said["record_id"]))
    assert await job(conn) == ("queued", None, "automation")
    rows = await conn.execute("select name, checks, width, dhash is not null from photo order by name")
    assert await rows.fetchall() == [
        ("base", "done", 1600, True),
        ("tag", "done", 4100, True),
        ("whole", "done", 1600, True),
    ]
    assert await checks(conn) == []
    # Twice is once.
    await checker.check(UUID(said["record_id"]))
    assert await job(conn) == ("queued", None, "automation")


async def test_a_heic_with_a_thumbnail_is_judged_at_once(served: Service, conn: Connection) -> None:
    said = await send(served, files(tag=heic(thumbnail=True, taken="2025:11:19 10:00:00", offset="+00:00")))
    assert said["job_status"] == "queued"
    assert [(d["rule"], d["photo"]) for d in said["defects"]] == [("photo-time-mismatch", "tag")]
    assert await checks(conn) == []
    assert await value(conn, "select dhash is not null and checks = 'done' from photo where name = 'tag'")
    picture = await served.http.get(f"/api/records/{said['record_id']}/photos/tag?w=320", headers=served.bearer())
    assert picture.headers["content-type"] == "image/jpeg"
    with Image.open(BytesIO(picture.content)) as shown:
        assert shown.size == (320, 240)
        assert not shown.getexif()


async def test_what_is_found_then_holds_the_job_on(served: Service, conn: Connection, checker: Checker) -> None:
    cut = large()[: len(large()) // 2]
    said = await send(served, files(tag=cut))
    assert (said["job_status"], said["defects"]) == ("held", [])
    await checker.check(UUID(said["record_id"]))
    assert await job(conn) == ("held", "blocker", "waiting")
    defects = await conn.execute("select rule, severity, photo, status from defect")
    assert await defects.fetchall() == [("photo-unreadable", "blocker", "tag", "open")]
    await conn.execute("select ops.waive(id, 'seen on site') from defect")
    assert await job(conn) == ("queued", None, "automation")


async def test_a_waived_blocker_still_waits_for_the_checks(served: Service, conn: Connection, checker: Checker) -> None:
    photos = {"whole": large(), "tag": jpeg()}
    said = await send(served, photos)
    assert await job(conn) == ("held", "blocker", "waiting")
    await conn.execute("select ops.waive(id, 'no base on a rock') from defect where severity = 'blocker'")
    assert await job(conn) == ("held", "checks_pending", "waiting")
    await checker.check(UUID(said["record_id"]))
    assert await job(conn) == ("queued", None, "automation")


async def test_late_photos_are_checked_late(served: Service, conn: Connection, checker: Checker) -> None:
    body = record(photos=listed(SHOTS))
    url = f"{POST}/{body['id']}"
    await served.http.put(url, headers=served.bearer(), json=body)
    states = []
    for name, data in files(whole=large(), base=large()).items():
        answer = await served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=data)
        states.append(answer.json()["job_status"])
    assert states == ["awaiting_media", "awaiting_media", "held"]
    assert await checks(conn) == [("check_photos", "todo")]
    await asyncio.gather(*(checker.check(UUID(body["id"])) for _ in range(3)))
    assert await job(conn) == ("queued", None, "automation")
    # The same bytes for two shots were told when they came.
    assert await value(conn, "select count(*) from defect where rule = 'photo-duplicate-in-record'") == 1


async def test_checked_before_its_last_photo_it_waits_for_that(
    served: Service, conn: Connection, checker: Checker
) -> None:
    body = record(photos=listed(SHOTS))
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(body, {"tag": large()}))
    assert answer.json()["job_status"] == "awaiting_media"
    await checker.check(UUID(body["id"]))
    assert await job(conn) == ("awaiting_media", "media", "waiting")
    for name in ("whole", "base"):
        await served.http.put(f"{POST}/{body['id']}/photos/{name}", headers=served.bearer(), content=jpeg())
    assert await job(conn) == ("queued", None, "automation")


@pytest.mark.parametrize(
    ("left", "again"),
    [
        ("status = 'todo'", False),
        ("status = 'cancelled'", True),
        ("status = 'failed'", True),
        ("status = 'doing', worker_id = null", True),
    ],
)
async def test_checks_of_a_lost_worker_are_taken_up_again(
    served: Service, conn: Connection, left: str, again: bool
) -> None:
    await send(served, {"tag": large()})
    row = await value(conn, "select queue_job_id from record_check")
    if "doing" in left:
        await conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", [row])
    elif "todo" not in left:
        await conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", [row])
        await conn.execute(f"update procrastinate_jobs set {left} where id = %s", [row])
    await conn.execute("update record_check set at = at - interval '1 minute'")
    kinds = await (await conn.execute("select kind from reconcile(45)")).fetchall()
    assert (("unchecked",) in kinds) is again
    assert (await value(conn, "select queue_job_id from record_check") != row) is again
    assert await checks(conn) == [("check_photos", "todo")]
    assert await (await conn.execute("select kind from reconcile(45)")).fetchall() == []


async def test_deferred_photos_that_nobody_brings_are_brought(served: Service, conn: Connection) -> None:
    await send(served, files(tag=large()))
    await conn.execute("delete from record_check")
    await conn.execute("delete from procrastinate_jobs where queue_name = 'checks'")
    assert await (await conn.execute("select kind from reconcile(45)")).fetchall() == [("unchecked",)]
    assert await checks(conn) == [("check_photos", "todo")]


async def test_a_held_job_cannot_be_released_past_its_checks(served: Service, conn: Connection) -> None:
    said = await send(served, files(tag=large()))
    await conn.execute("select ops.hold(%s, 'x'), ops.release(%s, 'y')", [said["automation_job_id"]] * 2)
    assert await job(conn) == ("held", "checks_pending", "waiting")


async def test_what_does_not_fit_into_the_budget_is_checked_later(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    settings = web_settings(database_url, redis_url, tmp_path, check_photos_s=0.0)
    async with service(settings) as served:
        said = await send(served, files(tag=jpeg(shade=5)))
        assert (said["job_status"], said["defects"]) == ("held", [])
        async with db.pool(as_role("worker", database_url), name="asbuilt-worker", size=2, deadline_s=30) as pool:
            checker = Checker(pool, open_blobs(settings))
            await checker.check(UUID(said["record_id"]))
            await checker.aclose()
        receipt = await served.http.get(f"{POST}/{said['record_id']}", headers=served.bearer())
    assert receipt.json()["job_status"] == "queued"
    assert [(d["rule"], d["photo"]) for d in receipt.json()["defects"]] == [("photo-dark", "tag")]
    assert msgspec.json.encode(receipt.json()["media"])
