"""Photos in a bucket: the same promises as in a directory, with a server that can be gone, frozen or wrong."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.core import db
from app.core.blobs import shelf
from app.core.doctor import report
from app.core.errors import StorageUnavailable
from app.core.orphans import Orphans
from app.core.renditions import Renditions
from app.core.storage import open_blobs
from sql import Connection
from tests.bucket import Bucket
from tests.service import Service, listed, multipart, record, service, sign_in, until, web_settings
from tests.unit.pictures import jpeg

pytestmark = pytest.mark.slow

DAY_S = 86_400.0
SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
POST = "/api/mobile/records"
ROWS = "select (select count(*) from asbuilt_record), (select count(*) from photo where blob_sha256 is not null), (select count(*) from blob)"


@cache
def photos() -> dict[str, bytes]:
    return {name: jpeg(shade=40 + 40 * n, lat=(44, 27, 29), lon=(93, 9, 41)) for n, name in enumerate(SHOTS)}


def keys() -> set[str]:
    return {shelf(hashlib.sha256(data).digest()) for data in photos().values()}


@pytest.fixture
async def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    made = Bucket(tmp_path / "bucket")
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def kept(
    bucket: Bucket, database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> AsyncIterator[Service]:
    """A web process whose photos are in the bucket."""
    settings = web_settings(database_url, redis_url, tmp_path, bucket=bucket.env["ASBUILT_BLOBS"])
    async with service(settings) as running:
        yield running


async def rows(conn: Connection) -> Any:
    return await (await conn.execute(ROWS)).fetchone()


async def send(kept: Service, body: dict[str, Any]) -> httpx.Response:
    return await kept.http.post(POST, headers=kept.bearer(), **multipart(body, photos()))


def left(kept: Service) -> list[Path]:
    """What is still here of photos that are kept there."""
    return [path for path in kept.settings.blobs.rglob("*") if path.is_file() and path.parent.name != "renditions"]


async def test_photos_are_stored_shown_and_sent_again(kept: Service, conn: Connection, bucket: Bucket) -> None:
    body = record(photos=listed(SHOTS))
    answers = [await send(kept, body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert (set(bucket.objects()), left(kept), await rows(conn)) == (keys(), [], (1, 3, 3))
    assert sorted(bucket.objects().values()) == sorted(photos().values())
    person, data = await sign_in(kept, conn, role="viewer"), photos()["whole"]
    path = f"/api/records/{body['id']}/photos/whole"
    whole = await kept.http.get(path, headers=person)
    part = await kept.http.get(path, headers={**person, "Range": "bytes=100-299"})
    shown = await kept.http.get(f"{path}?w=320", headers=person)
    assert (whole.content, part.status_code, part.content) == (data, 206, data[100:300])
    assert (shown.status_code, b"Exif" in shown.content, left(kept)) == (200, False, [])
    service_token = {"Authorization": f"Bearer {kept.settings.automation_token}"}
    for name, status in ((hashlib.sha256(data).hexdigest(), 200), ("0" * 64, 404)):
        fetched = await kept.http.get(f"/api/automation/files/{name}", headers=service_token)
        assert fetched.status_code == status
    ready = (await kept.http.get("/health/ready")).json()
    assert ready["parts"]["blobs"]["status"] == "ok"


async def test_the_doctor_looks_into_the_bucket(kept: Service, bucket: Bucket) -> None:
    assert (await send(kept, record(photos=listed(SHOTS)))).status_code == 201

    async def said(*, deep: bool = False) -> list[str]:
        out = StringIO()
        await report(kept.settings, deep=deep, out=out)
        return [line.split(maxsplit=2)[2].strip() for line in out.getvalue().splitlines() if " blobs " in line]

    assert [await said(), await said(deep=True)] == [["3 files are whole"], ["3 files are read and whole"]]
    victim = min(keys())
    data = bucket.objects()[victim]
    bucket.damage(victim, bytes(len(data)))
    assert await said() == ["3 files are whole"]
    assert await said(deep=True) == [f"{bucket.env['ASBUILT_BLOBS']}/{victim} does not hold what its name says"]
    await bucket.stop()
    assert await said() == ["s3://photos/asbuilt does not answer"]


async def test_bytes_that_are_not_what_was_kept_are_not_used(kept: Service, conn: Connection, bucket: Bucket) -> None:
    body = record(photos=listed(SHOTS))
    assert (await send(kept, body)).status_code == 201
    sha256 = hashlib.sha256(photos()["whole"]).digest()
    bucket.damage(shelf(sha256), bytes(len(photos()["whole"])))
    with pytest.raises(StorageUnavailable):
        await open_blobs(kept.settings).read(sha256)
    shown = await kept.http.get(
        f"/api/records/{body['id']}/photos/whole?w=320", headers=await sign_in(kept, conn, role="viewer")
    )
    assert (shown.status_code, shown.json()["code"], left(kept)) == (503, "storage-unavailable", [])


async def test_a_bucket_that_is_gone_costs_a_retry_and_no_row(kept: Service, conn: Connection, bucket: Bucket) -> None:
    body = record(photos=listed(SHOTS))
    await bucket.stop()
    answer = await send(kept, body)
    assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (503, "storage-unavailable", "after")
    assert "retry-after" in answer.headers
    ready = await kept.http.get("/health/ready")
    assert (ready.status_code, ready.json()["parts"]["blobs"]["status"]) == (503, "down")
    assert (await rows(conn), left(kept)) == ((0, 0, 0), [])
    small = await kept.http.post(POST, headers=kept.bearer(), **multipart(record(photos=[]), {}))
    assert small.status_code == 201, "a record without photos needs no bucket"
    await bucket.start()
    assert (await send(kept, body)).status_code == 201
    assert (set(bucket.objects()), await rows(conn)) == (keys(), (2, 3, 3))
    assert (await kept.http.get("/health/ready")).json()["parts"]["blobs"]["status"] == "ok"


async def test_a_bucket_that_hangs_is_given_up_before_the_phone_gives_up(
    kept: Service, conn: Connection, bucket: Bucket
) -> None:
    body = record(photos=listed(SHOTS))
    bucket.freeze(frozen=True)
    began = time.monotonic()
    answer = await kept.http.post(POST, headers=kept.bearer(), timeout=120, **multipart(body, photos()))
    took_s = time.monotonic() - began
    bucket.freeze(frozen=False)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert took_s < 58, "phones wait a minute"
    assert (await rows(conn))[0] == 0
    again = await until(lambda: send(kept, body), lambda answer: answer.status_code != 503)
    assert (again.status_code, await rows(conn)) == (201, (1, 3, 3))


async def test_a_wrong_key_or_bucket_is_said_and_loses_nothing(
    kept: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = msgspec.structs.replace(kept.settings, bucket="s3://nowhere")
    for settings, key in ((nowhere, "S3RVER"), (kept.settings, "NOBODY")):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        store = open_blobs(settings)
        for act in (store.check, lambda store=store: store.put(b"a photo")):
            with pytest.raises(StorageUnavailable):
                await act()
    assert left(kept) == []


async def test_the_collector_takes_from_the_bucket_what_no_row_refers_to(
    kept: Service, conn: Connection, bucket: Bucket, database_url: str
) -> None:
    assert (await send(kept, record(photos=listed(SHOTS)))).status_code == 201
    store = open_blobs(kept.settings)
    orphan, needed = await store.put(b"an orphan"), await store.put(b"needed after all")
    for key in bucket.objects():
        bucket.age(key, 2 * DAY_S)
    async with db.pool(database_url, name="asbuilt-web", size=2) as pool:

        def collector(after_s: float) -> Orphans:
            return Orphans(pool=pool, blobs=store, renditions=Renditions(store, _never), after_s=after_s)

        assert await collector(DAY_S).collect() == 0
        assert keys() < set(bucket.objects())
        moved = {key.split("/")[1] for key in bucket.objects() if key.startswith("retired/")}
        assert moved == {orphan.hex(), needed.hex()}
        assert (await store.read(needed), await store.size(orphan)) == (b"needed after all", 9)
        await conn.execute(
            "insert into photo (record_id, name, shot_key, blob_sha256, received_at)"
            " select id, 'late', 'tag', keep_blob(%s, 16, 'image/jpeg'), now() from asbuilt_record",
            [needed],
        )
        # Once more, with nothing to wait for aside: what has got a row is put back, the other one goes.
        assert await collector(0.001).collect() == 1
    assert set(bucket.objects()) == keys() | {shelf(needed)}
    assert (await store.read(needed), await store.size(orphan)) == (b"needed after all", None)


async def _never(source: Path, to: Path, width: int) -> bool:
    raise AssertionError("not asked for")
