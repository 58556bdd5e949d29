"""Photos on their way out: what is shown is made anew and carries nothing along; what is original is only ever saved."""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from sql import Connection
from tests.service import Service, listed, multipart, record, sign_in, token
from tests.unit.pictures import heic, jpeg

HTML = b"<html><script>alert(document.cookie)</script></html>"
PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
SECRET = b"Owner of this camera"


@cache
def turned() -> bytes:
    """A photo on its side, with a position, an owner, and a page behind its last byte."""
    return jpeg(size=(1200, 900), lat=(44, 27, 29), lon=(93, 9, 41), tags={0x0112: 6, 0x9C9D: SECRET}) + HTML


PHOTOS = {"whole": "full_pole", "trench.html": "tag", "sketch": "base", "meter": "earth"}


@cache
def files() -> dict[str, bytes]:
    return {
        "whole": turned(),
        "trench.html": jpeg(size=(300, 200)) + HTML,
        "sketch": PDF,
        "meter": heic(thumbnail=True, taken="2025:11:19 10:00:00"),
    }


class Shown:
    """A served record with photos, its address, and who may look."""

    def __init__(self, served: Service, conn: Connection, path: str, headers: dict[str, str]) -> None:
        self.served, self.conn, self.path, self.headers = served, conn, path, headers

    async def get(
        self, name: str, width: int | None = None, *, known: str = "", span: str = "", of: str = ""
    ) -> httpx.Response:
        """As a client that knows an ETag, or wants a span of the bytes if they are still those."""
        query = "" if width is None else f"?w={width}"
        asked = {"If-None-Match": known, "Range": span, "If-Range": of}
        headers = {**self.headers, **{name: value for name, value in asked.items() if value}}
        return await self.served.http.get(f"{self.path}/{name}{query}", headers=headers)


@pytest.fixture
async def shown(served: Service, conn: Connection) -> Shown:
    listing = listed(PHOTOS)
    listing[2]["kind"] = "redline"
    body = record(photos=listing)
    answer = await served.http.post("/api/mobile/records", headers=served.bearer(), **multipart(body, files()))
    assert answer.status_code == 201, answer.text
    person = await sign_in(served, conn, role="viewer")
    return Shown(served, conn, f"/api/records/{body['id']}/photos", person)


def guarded(answer: httpx.Response) -> bool:
    """No browser takes it for a page of ours, and nobody but the one who asked keeps it."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "private, no-cache"
    return True


async def test_what_is_shown_is_made_anew_upright_and_carries_nothing_along(shown: Shown) -> None:
    answer = await shown.get("whole", 200)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert (answer.headers["content-disposition"], guarded(answer)) == ("inline", True)
    with Image.open(BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 427))
        assert dict(picture.getexif()) == {}
        assert picture.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for trace in (b"Exif", b"script", SECRET):
        assert (trace in turned(), trace in answer.content) == (True, False)
    phone = await shown.get("meter", 160)
    with Image.open(BytesIO(phone.content)) as picture:
        assert (picture.format, picture.width, dict(picture.getexif())) == ("JPEG", 160, {})


async def test_an_original_is_saved_byte_for_byte_and_never_shown(shown: Shown) -> None:
    wanted = {
        "whole": ("image/jpeg", 'attachment; filename="whole.jpg"'),
        "trench.html": ("image/jpeg", 'attachment; filename="trench.html.jpg"'),
        "sketch": ("application/pdf", 'attachment; filename="sketch.pdf"'),
        "meter": ("image/heic", 'attachment; filename="meter.heic"'),
    }
    for name, data in files().items():
        answer = await shown.get(name)
        assert (answer.status_code, answer.content, guarded(answer)) == (200, data, True)
        kind, saved = wanted[name]
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith(saved)
        assert answer.headers["content-length"] == str(len(data))
        assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    drawn = await shown.get("sketch", 320)
    assert (drawn.status_code, drawn.json()["code"]) == (415, "unsupported-media")


async def test_widths_are_few_and_bounded(shown: Shown) -> None:
    answers = await asyncio.gather(*(shown.get("whole", width) for width in (161, 200, 320, 200)))
    assert {answer.headers["etag"] for answer in answers} == {answers[0].headers["etag"]}
    assert {answer.content for answer in answers} == {answers[0].content}
    [made] = await asyncio.to_thread(lambda: list((shown.served.settings.blobs / "renditions").iterdir()))
    assert made.name.endswith("-320.jpg")
    for width in (0, 15, 2049, -1):
        assert (await shown.get("whole", width)).status_code == 400
    small = await shown.get("trench.html", 2048)
    with Image.open(BytesIO(small.content)) as picture:
        assert picture.size == (300, 200)


async def test_who_has_it_is_told_so_and_only_while_he_may_see_it(shown: Shown) -> None:
    for width in (None, 320):
        tag = (await shown.get("whole", width)).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await shown.get("whole", width, known=known)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await shown.get("whole", width, known='"other"')).status_code == 200
        await shown.conn.execute("update asbuilt_record set deleted_at = now()")
        gone = await shown.get("whole", width, known=tag)
        assert (gone.status_code, gone.json()["code"]) == (404, "record-unknown")
        await shown.conn.execute("update asbuilt_record set deleted_at = null")


async def test_a_broken_download_goes_on_where_it_stopped(shown: Shown) -> None:
    data, size = turned(), len(turned())
    tag = (await shown.get("whole")).headers["etag"]
    first = await shown.get("whole", span="bytes=0-999")
    rest = await shown.get("whole", span="bytes=1000-", of=tag)
    last = await shown.get("whole", span="bytes=-5")
    assert [answer.status_code for answer in (first, rest, last)] == [206, 206, 206]
    assert (first.content + rest.content, last.content) == (data, data[-5:])
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    assert (guarded(rest), rest.headers["content-disposition"][:10]) == (True, "attachment")
    other = await shown.get("whole", span="bytes=0-9", of='"other"')
    assert (other.status_code, other.content) == (200, data)
    for asked in (f"bytes={size}-", "bytes=5-1", "bytes=0-1,5-9", "bytes=a-b", "lines=1-2", "bytes=-0"):
        answer = await shown.get("whole", span=asked)
        assert (answer.status_code, answer.content) == (200, data), asked


async def test_others_see_no_photo_and_learn_nothing(shown: Shown) -> None:
    await shown.conn.execute(
        "insert into project (code, name, portal_account_id) select 'other', 'Other', portal_account_id from project limit 1"
    )
    theirs = {"Authorization": f"Bearer {await token(shown.conn, project='other', scopes=('read',))}"}
    for width in (None, 320):
        shown.headers = theirs
        foreign = await shown.get("whole", width)
        missing = await shown.served.http.get(f"/api/records/{uuid4()}/photos/whole", headers=theirs)
        shown.headers = {}
        assert (await shown.get("whole", width)).status_code == 401
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert {**foreign.json(), "instance": ""} == {**missing.json(), "instance": ""}


async def test_a_photo_is_read_while_the_collector_holds_it_and_its_loss_is_said(shown: Shown) -> None:
    place = _place(shown.served.settings.blobs, turned())
    (shown.served.settings.blobs / "retired").mkdir()
    place.rename(shown.served.settings.blobs / "retired" / f"{place.name}-0a1b2c3d")
    answers = [await shown.get("whole", width) for width in (None, 640)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == turned()
    [aside] = await asyncio.to_thread(lambda: list((shown.served.settings.blobs / "retired").iterdir()))
    aside.unlink()
    for width in (None, 320):
        answer = await shown.get("whole", width)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")


async def test_a_file_of_a_run_that_is_no_picture_is_only_saved(shown: Shown) -> None:
    job = (await (await shown.conn.execute("select id from automation_job")).fetchone() or [None])[0]
    for name, kind, wanted in (("whole", "image/jpeg", "inline"), ("sketch", "text/html", "attachment")):
        sha256 = hashlib.sha256(files()[name]).digest()
        await shown.conn.execute("update blob set type = %s where sha256 = %s", [kind, sha256])
        row = await shown.conn.execute(
            "insert into artifact (job_id, attempt, step, kind, blob_sha256) values (%s, 1, 's', 'page', %s) returning id",
            [job, sha256],
        )
        artifact = (await row.fetchone() or [None])[0]
        answer = await shown.served.http.get(f"/api/jobs/{job}/artifacts/{artifact}", headers=shown.headers)
        assert (answer.status_code, answer.content) == (200, files()[name])
        assert (answer.headers["content-disposition"], guarded(answer)) == (wanted, True)


def _place(root: Path, data: bytes) -> Path:
    name = hashlib.sha256(data).hexdigest()
    return root / name[:2] / name[2:4] / name
