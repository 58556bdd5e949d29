"""Bodies that are too long, cut off, or not as long as they say (hard cases 7, 12 and 13; bad inputs 20 to 22)."""

from __future__ import annotations

import gzip
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from app.core.protocol import MAX_UNWANTED
from tests.service import listed, multipart, record, serving
from tests.unit.pictures import jpeg
from tests.web.hostile import BOUNDARY, JSON, POST, House, closed, document, head, line

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
STEP = 64 * 1024


async def pieces(size: int, *, of: bytes = b"x" * STEP) -> AsyncIterator[bytes]:
    """A body without a length."""
    for start in range(0, size, len(of)):
        yield of[: size - start]


@pytest.mark.parametrize("size", [3 * 2**30, 120 * 2**20 + 1])
async def test_a_length_over_the_limit_is_refused_before_the_body(house: House, size: int) -> None:
    async with house.untouched(), line(house) as wire:
        await wire.send(head(house, Content_Type=MULTIPART, Content_Length=str(size), Expect="100-continue"))
        assert await wire.status() == 413


async def test_a_length_within_the_limit_is_told_to_go_on(house: House) -> None:
    content = closed(document())
    async with line(house) as wire:
        length = str(len(content))
        await wire.send(head(house, Content_Type=MULTIPART, Content_Length=length, Expect="100-continue"))
        assert await wire.status() == 100
        await wire.send(content)
        assert await wire.status() == 201


@pytest.mark.parametrize("length", ["-1", "1e9", "0x10", "9" * 30, "٣"])
async def test_a_length_that_is_no_number_of_bytes(house: House, length: str) -> None:
    async with house.untouched(), line(house) as wire:
        await wire.send(head(house, Content_Type=MULTIPART, Content_Length=length))
        assert await wire.status() in (400, 413)


@pytest.mark.parametrize("over", [1, STEP])
async def test_chunks_over_the_limit_are_read_on_so_that_the_answer_is(house: House, over: int) -> None:
    """A phone that sends without reading would see a reset, and come again for ever."""
    key = record()["id"]
    limit = house.served.settings.record_bytes
    headers = house.served.bearer() | JSON
    for size in (limit + over, 2 * limit):
        sent = house.served.http.put(f"{POST}/{key}", headers=headers, content=pieces(size))
        problem = await house.refused(sent, 413, "too-large")
        assert problem["limits"] == {"record_bytes": limit}


async def test_a_photo_over_the_limit_leaves_no_file(house: House) -> None:
    body = record(photos=listed(SHOTS))
    assert (await house.put(body)).status_code == 201
    limit = house.served.settings.photo_bytes
    url = f"{POST}/{body['id']}/photos/tag"
    declared = house.served.http.put(url, headers=house.served.bearer(), content=b"x" * (limit + 1))
    await house.refused(declared, 413, "too-large")
    async with house.untouched():
        answer = await house.served.http.put(url, headers=house.served.bearer(), content=pieces(limit + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_the_largest_photo_of_a_package_is_bounded_too(house: House) -> None:
    body = record(photos=listed({"tag": "tag"}))
    parts = multipart(body, {"tag": b"\xff\xd8\xff" + b"x" * house.served.settings.photo_bytes})
    async with house.untouched():
        answer = await house.served.http.post(POST, headers=house.served.bearer(), **parts)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert answer.json()["limits"] == {"photo_bytes": house.served.settings.photo_bytes}


async def test_a_connection_cut_at_any_64_kb_leaves_nothing_and_wakes_nobody(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    files = {name: jpeg(shade=30 + 60 * n) for n, name in enumerate(SHOTS)}
    body = record(photos=listed(SHOTS))
    request = house.served.http.build_request("POST", POST, headers=house.served.bearer(), **multipart(body, files))
    whole, kind = request.read(), request.headers["content-type"]
    assert len(whole) > 3 * STEP
    with caplog.at_level(logging.WARNING):
        for end in range(0, len(whole), STEP):
            async with house.untouched(), line(house) as wire:
                await wire.send(head(house, Content_Type=kind, Content_Length=str(len(whole))) + whole[:end])
        async with house.untouched(), line(house) as wire:
            raw = b"%x\r\n%s\r\n" % (STEP, whole[:STEP])
            await wire.send(head(house, Content_Type=kind, Transfer_Encoding="chunked") + raw)
    assert caplog.messages == []
    assert (await house.served.http.send(request)).status_code == 201
    assert await house.stored(body["id"]) == (1, 1, 1, 1, 3)


async def test_a_length_that_is_short_cuts_the_body_there(house: House) -> None:
    content = closed(document())
    async with house.untouched(), line(house) as wire:
        await wire.send(head(house, Content_Type=MULTIPART, Content_Length=str(len(content) // 2)) + content)
        assert await wire.status() == 400
        await wire.rest()  # and it is hung up: what follows is no request


async def test_a_record_that_is_cut_off_by_its_own_length_is_malformed(house: House) -> None:
    body = record()
    raw = msgspec.json.encode(body)
    async with house.untouched(), line(house) as wire:
        target = f"PUT {POST}/{body['id']}"
        await wire.send(head(house, target, Content_Type="application/json", Content_Length="20") + raw[:20])
        assert await wire.status() == 400


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip"])
async def test_a_compressed_body_is_not_unpacked(house: House, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 2**20)
    for sent in (
        house.put(bomb, **{"Content-Encoding": encoding}),
        house.photo(record()["id"], "tag", bomb, **{"Content-Encoding": encoding}),
    ):
        await house.refused(sent, 415, "unsupported-media")


async def test_a_body_that_stops_is_given_up(house: House) -> None:
    """The connection would otherwise be held, with its temporary file, until the phone's battery is empty."""
    settings = msgspec.structs.replace(house.served.settings, body_idle_s=0.2)
    async with serving(settings) as url, house.untouched(), line(house, url) as wire:
        target = f"PUT {POST}/{record()['id']}"
        await wire.send(head(house, target, Content_Type="application/json", Content_Length="1000") + b'{"id": ')
        assert await wire.status() == 408


async def test_nobody_is_listened_to_for_ever(house: House) -> None:
    """An answered request whose body never ends would keep its connection, and our ear, as long as it likes."""
    async with line(house) as wire:
        await wire.send(head(house, Content_Type="text/plain", Transfer_Encoding="chunked"))
        assert await wire.status() == 415
        chunk = b"%x\r\n%s\r\n" % (2**20, b"x" * 2**20)
        sent = 0
        while not wire.writer.is_closing() and sent < 2 * MAX_UNWANTED:
            await wire.send(chunk)
            sent += 2**20
    assert MAX_UNWANTED <= sent < 2 * MAX_UNWANTED
