"""Exports over HTTP: whole whatever the pages, safe to open, and never more than one may see."""

from __future__ import annotations

import csv
import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from psycopg.types.json import Jsonb

from app.core.blobs import shelf
from app.core.blobs_local import LocalBlobs
from app.lists.exports.archive import Archive
from app.lists.exports.store import PhotosRow
from app.lists.exports.table import cell
from sql import Connection
from tests.factories import Device, make_device, make_project, make_record, value
from tests.service import Service, listed, multipart, record, sign_in
from tests.unit.pictures import jpeg

SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}


async def get(served: Service, path: str, headers: dict[str, str]) -> httpx.Response:
    answer = await served.http.get(f"/api/exports/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer


async def with_records(conn: Connection, n: int) -> tuple[Device, list[str]]:
    """A project's records in the list's order, the newest first."""
    device = await make_device(conn, await make_project(conn, f"p-{uuid4().hex[:6]}"))
    made = [str((await make_record(conn, device=device)).record_id) for _ in range(n)]
    return device, made[::-1]


@pytest.mark.parametrize("n", [0, 1, 6, 7])
async def test_every_record_is_in_the_table_and_on_the_map_once(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    monkeypatch.setattr("app.lists.exports.service.PAGE", 3)
    device, made = await with_records(conn, n)
    await make_record(conn)
    person = await sign_in(served, conn, role="viewer", project=device.project.code)
    table = await get(served, "records.csv", person)
    assert [row["id"] for row in csv.DictReader(io.StringIO(table.text, newline=""))] == made
    found = (await get(served, "records.geojson", person)).json()
    assert (found["type"], [feature["id"] for feature in found["features"]]) == ("FeatureCollection", made)


async def test_a_table_opens_in_a_spreadsheet_without_doing_anything(served: Service, conn: Connection) -> None:
    device, [made] = await with_records(conn, 1)
    fields = {
        "note": '=HYPERLINK("http://evil.example";"x")', "two\r\nlines": "a;=1+1", "depth": -1.5, "ok": True, "none": None,
        "nested": {"a": ["=1"]}, "minus": "-2", "quote": 'say "hi"',
    }  # fmt: skip
    schema = {"type": "object", "properties": {name: {} for name in ("note", "depth", "ok", "none", "nested")}}
    await conn.execute("update form_def set schema = %s where form_key = 'test-form'", [Jsonb(schema)])
    await conn.execute(
        "update asbuilt_record set fields = %s, asset_key = '@SUM(A1)', lat = -45.5, lon = 7, altitude_m = 12 where id = %s",
        [Jsonb(fields), made],
    )
    person = await sign_in(served, conn, role="viewer", project=device.project.code)
    plain = await get(served, "records.csv", person)
    assert plain.headers["content-type"].startswith("text/csv")
    assert plain.content.endswith(b"\r\n") and b'"a;=1+1"' in plain.content.replace(b'""', b'"')
    [row] = csv.DictReader(io.StringIO(plain.text, newline=""))
    assert (row["asset_key"], row["lat"], row["field.depth"]) == ("'@SUM(A1)", "-45.5", "-1.5")
    assert row["field.note"] == "'" + str(fields["note"])
    assert (row["field.ok"], row["field.none"], row["field.nested"]) == ("true", "", '{"a":["=1"]}')
    assert '"minus":"-2"' in row["other_fields"] and "field.minus" not in row
    head = await served.http.head("/api/exports/records.csv", headers=person)
    assert (head.status_code, head.headers["content-type"]) == (200, plain.headers["content-type"])
    marked = await get(served, "records.csv?bom=true", person)
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    [feature] = (await get(served, "records.geojson", person)).json()["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [7.0, -45.5, 12.0]}
    assert feature["properties"]["fields"] == fields


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n", " =1", "＝1", " \u00a0@x", "-"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -1.5, "a-1", "1-2", ""])
def test_what_is_no_formula_stays_as_it_is(value: Any) -> None:
    assert cell(value) == value


async def test_the_photos_are_the_very_bytes_and_what_is_missing_is_named(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lists.exports.service.PHOTOS_PAGE", 1)
    pictures = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
    refs = []
    for asset in ("P-ZIP-1", "=P-ZIP-2"):
        body = record(asset=asset, photos=listed(SHOTS))
        sent = await served.http.post("/api/mobile/records", headers=served.bearer(), **multipart(body, pictures))
        assert sent.status_code == 201, sent.text
        refs.append(await value(conn, "select external_ref from asbuilt_record where id = %s", body["id"]))
    late = record(asset="P-ZIP-3", photos=listed({"whole": "full_pole"}))
    assert (
        await served.http.put(f"/api/mobile/records/{late['id']}", headers=served.bearer(), json=late)
    ).status_code == 201
    gone = await value(conn, "select encode(blob_sha256, 'hex') from photo where name = 'tag' limit 1")
    (Path(served.settings.blobs) / shelf(bytes.fromhex(gone))).unlink()
    person = await sign_in(served, conn, role="viewer")
    answer = await get(served, "photos.zip?q=P-ZIP", person)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    names = {"whole": "02-whole.jpg", "base": "01-base.jpg"}
    expected = {f"{ref}/{name}": pictures[photo] for ref in refs for photo, name in names.items()}
    assert {name: archive.read(name) for name in archive.namelist() if name != "manifest.csv"} == expected
    manifest = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode(), newline="")))
    assert [row["status"] for row in manifest] == ["not received", *["ok", "ok", "missing"] * 2]
    assert {row["sha256"] for row in manifest if row["status"] == "missing"} == {gone}
    assert "'=P-ZIP-2" in {row["asset_key"] for row in manifest}


async def test_more_photos_than_go_into_one_file_are_refused_before_the_first_byte(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lists.exports.service.MOST_RECORDS_OF_PHOTOS", 2)
    device, _ = await with_records(conn, 3)
    person = await sign_in(served, conn, role="viewer", project=device.project.code)
    answer = await served.http.get("/api/exports/photos.zip", headers=person)
    assert (answer.status_code, answer.json()["code"], answer.json()["limits"]) == (
        422,
        "export-too-large",
        {"records": 2},
    )


async def test_nothing_is_exported_to_those_who_may_not_see_it(served: Service, conn: Connection) -> None:
    device, _ = await with_records(conn, 1)
    stranger = await sign_in(served, conn, role="admin")
    for path in ("records.csv", "records.geojson", "photos.zip"):
        foreign = await served.http.get(f"/api/exports/{path}?project={device.project.code}", headers=stranger)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "project-unknown")
        assert (await served.http.get(f"/api/exports/{path}")).status_code == 401
    assert (await get(served, "records.geojson", stranger)).json()["features"] == []
    assert len((await get(served, "records.csv", stranger)).text.splitlines()) == 1


async def test_a_zip_file_takes_the_memory_of_a_piece_and_survives_a_photo_that_ends_early(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    data = b"\xff" * 8_000_000
    sha256 = await blobs.put(data)
    photos = [
        {"name": f"p{n}.jpg", "shot": "s", "type": "image/jpeg", "size": len(data), "sha256": sha256.hex(), "rejected": None,
         "taken_at": "1970-01-01T00:00:00+00:00" if n else "2026-05-05T10:00:00+00:00"}
        for n in range(6)
    ]  # fmt: skip
    row = PhotosRow(
        external_ref="AB-0000000001",
        asset_key="A",
        received_at=cast("Any", None),
        id=uuid4(),
        photos=cast("Any", photos),
    )
    out = tmp_path / "photos.zip"
    tracemalloc.start()
    with Archive(blobs) as archive, out.open("wb") as file:
        async for part in archive.add(row):
            file.write(part)
        for part in archive.end():
            file.write(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with (tmp_path / shelf(sha256)).open("r+b") as damaged:
        damaged.truncate(1000)
    short = tmp_path / "short.zip"
    with Archive(blobs) as archive, short.open("wb") as file:
        async for part in archive.add(row):
            file.write(part)
        for part in archive.end():
            file.write(part)
    with zipfile.ZipFile(short) as read:
        assert read.testzip() is None
        assert read.read("manifest.csv").count(b'"incomplete"') == len(photos)
    assert peak < 4_000_000, "a photo, or the file, was in memory whole"
    with zipfile.ZipFile(out) as read:
        assert read.testzip() is None
        assert sum(info.file_size == len(data) for info in read.infolist()) == len(photos)
