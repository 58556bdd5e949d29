"""A disk that is full, really: the upload that meets it is told to come again, and nothing of it is left (failure mode 14)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.faults.clients import document
from tests.faults.cluster import Cluster, cluster
from tests.faults.disks import Disk, small_disk
from tests.faults.processes import SERVE, Proc

MIB = 2**20
ROWS = "select (select count(*) from asbuilt_record), (select count(*) from photo where blob_sha256 is not null), (select count(*) from blob)"
SHOTS = ("first", "second", "third")


def picture() -> bytes:
    """About a mebibyte of JPEG."""
    out = BytesIO()
    Image.frombytes("RGB", (1100, 800), os.urandom(1100 * 800 * 3)).save(out, "JPEG", quality=95)
    return out.getvalue()


def multipart(body: bytes, photos: dict[str, bytes]) -> list[tuple[str, tuple[str | None, bytes, str]]]:
    """The parts of one POST."""
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = [("record", (None, body, "application/json"))]
    return parts + [(name, (f"{name}.jpg", data, "image/jpeg")) for name, data in photos.items()]


def listing(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "shot": "pole"} for name in names]


@asynccontextmanager
async def web_on_a_small_disk(**changes: str) -> AsyncIterator[tuple[Cluster, Disk, httpx.AsyncClient]]:
    """A web process whose blobs are on a disk of twelve mebibytes."""
    async with cluster(api=False, workers=0) as c:
        place = c.folder / "blobs"
        web = Proc("api", SERVE, env=c.env(**changes), folder=c.folder, prefix=small_disk(place, mib=12))
        c.loose.append(web)
        await web.start()
        async with httpx.AsyncClient(
            base_url=c.url, headers={"Authorization": f"Bearer {c.token}"}, timeout=60, trust_env=False
        ) as http:
            yield c, Disk(web.pid, place), http


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 507, answer.text
    assert (answer.json()["code"], answer.json()["retry"]) == ("storage-full", "after")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "reserve",
    [pytest.param(0, id="no byte is free"), pytest.param(2 * MIB, id="the reserve is touched", marks=pytest.mark.slow)],
)
async def test_a_disk_full_in_the_middle_of_an_upload(reserve: int) -> None:
    """Photo 2 of 3 finds no room. Nothing is stored, nothing is left, and the same request goes through later."""
    photos = {shot: picture() for shot in SHOTS}
    parts = multipart(document(uuid4(), photos=listing(*SHOTS)), photos)
    async with web_on_a_small_disk(ASBUILT_FREE_DISK_BYTES=str(reserve)) as (c, disk, http):
        disk.fill(leave=reserve + MIB * 3 // 2)
        before = disk.free()
        refused(await http.post("/api/mobile/records", files=parts))
        assert (await c.one(ROWS), disk.files(), disk.free()) == ((0, 0, 0), set(), before)
        alone = await http.post("/api/mobile/records", files=multipart(document(uuid4()), {}))
        assert alone.status_code == 201, "a record without photos needs no disk"
        disk.empty()
        answer = await http.post("/api/mobile/records", files=parts)
        assert answer.status_code == 201, answer.text
        names = [hashlib.sha256(data).hexdigest() for data in photos.values()]
        assert disk.files() == {f"{name[:2]}/{name[2:4]}/{name}" for name in names}
        assert await c.one(ROWS) == (2, 3, 3)
        await others_meet_it(disk, http)
        await one_that_resumes_meets_it(disk, http)


async def others_meet_it(disk: Disk, http: httpx.AsyncClient) -> None:
    """A photo by itself, and a look at one, on a disk without a free byte; and with some again."""
    late, record = picture(), f"/api/records/{(key := uuid4())}"
    put, photo = f"/api/mobile/records/{key}", f"/api/mobile/records/{key}/photos/late"
    stored = await http.put(
        put, content=document(key, photos=listing("late")), headers={"Content-Type": "application/json"}
    )
    assert stored.status_code == 201
    before = disk.files()
    disk.fill(leave=0)
    refused(await http.put(photo, content=late))
    assert disk.files() == before
    disk.empty()
    assert [(await http.put(photo, content=late)).status_code for _ in range(2)] == [201, 200]
    disk.fill(leave=0)
    refused(await http.get(f"{record}/photos/late?w=2048"))
    assert (await http.get(f"{record}/photos/late")).content == late
    disk.empty()
    assert (await http.get(f"{record}/photos/late?w=2048")).status_code == 200


async def one_that_resumes_meets_it(disk: Disk, http: httpx.AsyncClient) -> None:
    """What there was room for is kept, and the rest follows when there is room again."""
    data, key = picture(), uuid4()
    record = document(key, photos=listing("late"))
    stored = await http.put(f"/api/mobile/records/{key}", content=record, headers={"Content-Type": "application/json"})
    assert stored.status_code == 201
    before = disk.files()
    begun = await http.post(f"/api/mobile/records/{key}/photos/late", headers={"Upload-Complete": "?0"})
    upload, at = begun.headers["location"], 0
    for leave in (0, MIB // 2):
        disk.fill(leave=leave)
        refused(await http.patch(upload, headers=piece(at), content=data[at:]))
        at = int((await http.head(upload)).headers["upload-offset"])
        disk.empty()
    assert 0 < at < len(data)
    answer = await http.patch(upload, headers=piece(at), content=data[at:])
    assert (answer.status_code, answer.headers["upload-complete"]) == (201, "?1")
    name = hashlib.sha256(data).hexdigest()
    assert disk.files() - before == {f"{name[:2]}/{name[2:4]}/{name}"}


def piece(at: int) -> dict[str, str]:
    return {"Upload-Offset": str(at), "Upload-Complete": "?1", "Content-Type": "application/partial-upload"}
