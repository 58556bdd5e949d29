"""Multipart bodies that are none, and parts under names nobody should trust (hard cases 16 and 17)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.service import listed, record
from tests.unit.pictures import jpeg
from tests.web.hostile import BOUNDARY, POST, House, closed, document, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHOTO = jpeg(size=(1200, 900), shade=90)
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FIELD = 'Content-Disposition: form-data; name="{}"'
MALFORMED: dict[str, tuple[bytes, str]] = {
    "no boundary named": (closed(document()), "multipart/form-data"),
    "an empty boundary": (closed(document()), 'multipart/form-data; boundary=""'),
    "a boundary of 71": (closed(document()), f"multipart/form-data; boundary={'b' * 71}"),
    "a boundary of 5 kB": (closed(document()), f"multipart/form-data; boundary={'b' * 5000}"),
    "another boundary": (closed(document()), "multipart/form-data; boundary=other"),
    "a boundary outside ASCII": (closed(document()), 'multipart/form-data; boundary="gr\xfc\xdf"'),
    "no final boundary": (document(), TYPE),
    "cut in the final boundary": (closed(document())[:-4], TYPE),
    "cut in a head": (b"--" + BOUNDARY.encode() + b"\r\nContent-Dispo", TYPE),
    "nothing": (b"", TYPE),
    "no parts": (closed(), TYPE),
    "no record": (closed(part(FIELD.format("tag"), b"x")), TYPE),
    "two records": (closed(document(), document()), TYPE),
    "something before the first boundary": (b"and now" + closed(document()), TYPE),
    "a part without a name": (closed(document(), part("Content-Disposition: form-data", b"x")), TYPE),
    "a file without a name": (closed(document(), part('Content-Disposition: form-data; filename="tag"', b"x")), TYPE),
    "a part without a disposition": (closed(document(), part("X-Other: 1", b"x")), TYPE),
    "a head in bad UTF-8": (closed(document(), part(b'Content-Disposition: form-data; name="\xff\xfe"', b"x")), TYPE),
    "a head of 5 kB": (closed(document(), part(FIELD.format("x" * 5000), b"x")), TYPE),
    "a hundred heads": (closed(document(), part("\r\n".join(f"X-{n}: 1" for n in range(100)), b"x")), TYPE),
    "a bare line feed in a head": (closed(part(b'Content-Disposition: form-data;\n name="record"', b"{}")), TYPE),
    "a record in bad UTF-8": (closed(part(FIELD.format("record"), b'{"id": "\xff"}')), TYPE),
    "a charset of no kind": (
        closed(document(), part(FIELD.format("tag") + "\r\nContent-Type: text/plain; charset=bogus", b"x")),
        TYPE,
    ),
    "a charset that fails late": (
        closed(part(FIELD.format("record") + "\r\nContent-Type: text/plain; charset=idna", b"{}")),
        TYPE,
    ),
    "multipart in multipart": (
        closed(document(), part(FIELD.format("tag") + "\r\nContent-Type: multipart/mixed; boundary=x", b"--x--")),
        TYPE,
    ),
    "a text part in bad UTF-8": (closed(document(), part(FIELD.format("note"), b"\xff\xfe")), TYPE),
    "a file that is not listed": (closed(document(), part(FIELD.format("x") + '; filename="x.jpg"', b"x")), TYPE),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
async def test_it_is_malformed_and_stores_nothing(house: House, case: str) -> None:
    body, content_type = MALFORMED[case]
    problem = await house.refused(house.post(body, content_type), 400, "malformed-request")
    assert problem["retry"] == "never"


@pytest.mark.parametrize("count", [61, 2000])
async def test_too_many_parts_are_told_how_many_are_allowed(house: House, count: int) -> None:
    parts = [part(FIELD.format(f"p{n}"), b"x") for n in range(count - 1)]
    problem = await house.refused(house.post(closed(document(), *parts)), 413, "too-large")
    assert problem["limits"] == {"request_parts": 60}


@pytest.mark.parametrize("content_type", ["multipart/mixed; boundary=b", "application/json", "text/plain", ""])
async def test_another_type_is_refused(house: House, content_type: str) -> None:
    await house.refused(house.post(closed(document()), content_type), 415, "unsupported-media")


ONE = listed({"tag": "tag"})


def upload(headers: bytes | str, *, photos: Any = ONE) -> tuple[str, bytes]:
    """A record that lists its photo, and a part under these headers."""
    body = record(photos=photos)
    return body["id"], closed(document(body), part(headers, PHOTO))


NAMED = {
    "no file name": 'Content-Disposition: form-data; name="tag"',
    "an empty file name": 'Content-Disposition: form-data; name="tag"; filename=""',
    "an extended file name": "Content-Disposition: form-data; name=\"tag\"; filename*=UTF-8''tag%20.jpg",
    "a path": 'Content-Disposition: form-data; name="tag"; filename="../../etc/passwd"',
    "a path with NUL": 'Content-Disposition: form-data; name="tag"; filename="../../etc/passwd\0.jpg"',
    "a Windows path": 'Content-Disposition: form-data; name="tag"; filename="C:\\a.jpg"',
    "a hidden file": 'Content-Disposition: form-data; name="tag"; filename=".htaccess"',
    "300 characters": f'Content-Disposition: form-data; name="tag"; filename="{"x" * 300}.jpg"',
    "line ends": 'Content-Disposition: form-data; name="tag"; filename="a%0D%0AX-Evil: 1.jpg"',
    "the file name alone": 'Content-Disposition: form-data; name="photos[0]"; filename="tag"',
    "the file name, and a path for a name": 'Content-Disposition: form-data; name="/dev/null"; filename="tag"',
}


@pytest.mark.parametrize("case", NAMED)
async def test_a_photo_is_found_by_the_name_that_the_record_gave_it(house: House, case: str) -> None:
    key, content = upload(NAMED[case])
    answer = await house.post(content)
    assert answer.status_code == 201, answer.text
    assert await house.stored(key) == (1, 1, 1, 1, 1)
    assert [photo["name"] for photo in (await house.receipt(key))["photos"]] == ["tag"]
    only_hashes(house.served.settings.blobs)


def only_hashes(folder: Path) -> None:
    """No name from outside has become one on disk, here or beside it."""
    digest = hashlib.sha256(PHOTO).hexdigest()
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert f"{digest[:2]}/{digest[2:4]}/{digest}" in names
    assert all(Path(name).name.isalnum() and len(Path(name).name) == 64 for name in names)
    assert {path.name for path in folder.parent.iterdir()} == {folder.name}


UNNAMEABLE = ["../../x", "C:\\a.jpg", "a\\b", "a\0b", ".htaccess", "x" * 300, "", " "]


@pytest.mark.parametrize("name", UNNAMEABLE)
async def test_a_record_may_not_list_such_a_name(house: House, name: str) -> None:
    content = closed(document(record(photos=listed({name: "tag"}))))
    problem = await house.refused(house.post(content), 400, "malformed-request")
    assert problem["errors"][0]["pointer"] == "/photos/0/name"


@pytest.mark.parametrize("name", ["../../x.jpg", "C:\\a.jpg", ".htaccess", "x" * 300])
async def test_a_part_of_such_a_name_is_no_photo_of_the_record(house: House, name: str) -> None:
    _, content = upload(f'Content-Disposition: form-data; name="{name}"; filename="{name}"')
    await house.refused(house.post(content), 400, "malformed-request")


async def test_a_name_of_another_script_is_one_name_however_it_is_composed(house: House) -> None:
    body = record(photos=listed({"ФОТО Й ☀.jpg": "tag"}))
    decomposed = "ФОТО И\u0306 ☀.jpg"
    headers = f'Content-Disposition: form-data; name="{decomposed}"; filename="image.jpg"'.encode()
    answer = await house.post(closed(document(body), part(headers, PHOTO)))
    assert answer.status_code == 201, answer.text
    assert (await house.receipt(body["id"]))["photos"][0]["name"] == "ФОТО Й _.jpg"
    again = await house.photo(body["id"], "ФОТО Й ☀.jpg", PHOTO)
    assert again.status_code == 200, again.text


async def test_twins_by_case_conflict(house: House) -> None:
    content = closed(document(record(photos=listed({"A.JPG": "tag", "a.jpg": "base"}))))
    await house.refused(house.post(content), 409, "photo-conflict")


async def test_a_photo_sent_twice_in_one_body_is_malformed(house: House) -> None:
    body = record(photos=ONE)
    both = [part('Content-Disposition: form-data; name="tag"; filename="a"', PHOTO) for _ in range(2)]
    await house.refused(house.post(closed(document(body), *both)), 400, "malformed-request")


async def test_the_record_may_come_last_and_as_a_file(house: House) -> None:
    body = record(photos=ONE)
    last = part('Content-Disposition: form-data; name="record"; filename="blob"\r\nContent-Type: application/json',
                msgspec.json.encode(body))  # fmt: skip
    answer = await house.post(closed(part('Content-Disposition: form-data; name="tag"; filename="t"', PHOTO), last))
    assert answer.status_code == 201, answer.text
    assert await house.stored(body["id"]) == (1, 1, 1, 1, 1)


async def test_what_follows_the_end_is_passed_over_in_whatever_packets_it_comes(house: House) -> None:
    async def body(*pieces: bytes) -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    headers = house.served.bearer() | {"Content-Type": TYPE}
    for pieces in ([closed(document()) + b"epilogue"], [closed(document()), b"epilogue", b"\r\n"]):
        answer = await house.served.http.post(POST, headers=headers, content=body(*pieces))
        assert answer.status_code == 201, answer.text
