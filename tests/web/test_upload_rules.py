"""What an upload is told about its content, over real HTTP and from real rows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from PIL import Image, ImageFilter

from app.intake.design.reading import read
from app.intake.design.service import store_design
from app.intake.form_defs import examples
from sql import Connection
from tests.service import Service, listed, multipart, record
from tests.unit.pictures import jpeg

POST = "/api/mobile/records"
Defects = list[tuple[str, str, str | None]]


async def send(served: Service, body: dict[str, Any]) -> Defects:
    """Store a record; what is told, which must be what is stored and what the receipt says."""
    url = f"{POST}/{body['id']}"
    answer = await served.http.put(url, headers=served.bearer(), json=body)
    assert answer.status_code == 201, answer.text
    receipt = await served.http.get(url, headers=served.bearer())
    assert receipt.json()["defects"] == answer.json()["defects"]
    return [(d["rule"], d["severity"], d["field"]) for d in answer.json()["defects"] if d["severity"] != "blocker"]


async def test_the_projects_start_and_the_forms_state_are_compared(served: Service, conn: Connection) -> None:
    now = datetime.now(UTC)
    await conn.execute("update project set starts_on = '2025-12-01', state = 'closing'")
    await conn.execute(
        "insert into form_def (form_key, version, title, schema, shots, measures, rules, state)"
        " select form_key, v, title, schema, shots, measures, rules, case v when 4 then 'draft' else 'open' end"
        "  from form_def, generate_series(2, 4) as v where form_key = 'pole-replacement'"
    )
    assert await send(served, record(sent_at=(now - timedelta(hours=3)).isoformat())) == [
        ("captured-before-start", "minor", "captured_at"),
        ("clock-skew", "info", "sent_at"),
        ("form-closing", "info", None),
        ("form-outdated", "info", None),
    ]
    evidence = await (await conn.execute("select evidence from defect where rule = 'form-outdated'")).fetchone()
    assert evidence == ({"version": 1, "newest": 3},)
    ahead = record(form_version=3, captured_at=(now + timedelta(days=2)).isoformat())
    assert ("captured-in-future", "major", "captured_at") in await send(served, ahead)


async def test_a_slow_body_is_no_wrong_clock(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head of this upload came hours ago, more than any rule forgives."""
    began = datetime.now(UTC) - timedelta(hours=3)
    head_is_here = asyncio.Event()

    def clock() -> datetime:
        head_is_here.set()
        return began

    body = record(sent_at=began.isoformat(), captured_at=(began + timedelta(hours=2)).isoformat())
    raw = msgspec.json.encode(body)

    async def slowly() -> AsyncIterator[bytes]:
        yield raw[:10]
        await head_is_here.wait()
        monkeypatch.undo()
        yield raw[10:]

    monkeypatch.setattr("app.core.requests._now", clock)
    headers = served.bearer() | {"Content-Type": "application/json"}
    async with asyncio.timeout(60):
        answer = await served.http.put(f"{POST}/{body['id']}", headers=headers, content=slowly())
    assert answer.status_code == 201, answer.text
    # It was captured after the upload began, by this clock; what the record says of its arrival is the database's.
    told = {defect["rule"] for defect in answer.json()["defects"]}
    assert "clock-skew" not in told
    assert "captured-in-future" in told
    row = await (
        await conn.execute("select received_at > %s + interval '2 hours' from asbuilt_record", [began])
    ).fetchone()
    assert row == (True,)

    changed = body | {"asset": "P-7"}
    monkeypatch.setattr("app.core.requests._now", lambda: began)
    match = headers | {"If-Match": "1"}
    answer = await served.http.put(f"{POST}/{body['id']}", headers=match, json=changed)
    assert answer.status_code == 200, answer.text
    assert "clock-skew" not in {defect["rule"] for defect in answer.json()["defects"]}


async def test_a_swapped_position_is_kept_and_told(served: Service, conn: Connection) -> None:
    swapped = record(position={"lat": -93.1616, "lon": 44.4583, "h_accuracy_m": 4})
    assert await send(served, swapped) == [("position-swapped", "minor", "position")]
    row = await (await conn.execute("select lat, fields -> 'position' ->> 'lat' from asbuilt_record")).fetchone()
    assert row == (None, "-93.1616")


async def test_what_photos_show_is_told_and_kept(served: Service, conn: Connection) -> None:
    body = record(photos=listed({"whole": "full_pole", "tag": "tag", "base": "base", "again": "base"}))
    whole, dark = encoded(patches(1)), jpeg(shade=5, taken="2025:11:22 12:00:00", offset="+00:00")
    blurred = encoded(Image.open(BytesIO(jpeg())).filter(ImageFilter.GaussianBlur(40)))
    files = {"whole": whole, "tag": dark, "base": blurred, "again": encoded(Image.open(BytesIO(whole)), quality=60)}
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(body, files))
    assert answer.status_code == 201, answer.text
    assert [(d["rule"], d["severity"], d["photo"]) for d in answer.json()["defects"]] == [
        ("photo-time-mismatch", "major", "tag"),
        ("photo-blurred", "minor", "base"),
        ("photo-dark", "minor", "tag"),
        ("photo-duplicate-in-record", "minor", "again"),
    ]
    assert answer.json()["job_status"] == "queued"
    rows = await conn.execute("select name, dhash is null, round(sharpness), taken_at_source from photo order by name")
    assert [(name, blank, sharp > 60, source) for name, blank, sharp, source in await rows.fetchall()] == [
        ("again", False, True, None),
        ("base", False, False, None),
        ("tag", False, True, "offset"),
        ("whole", False, True, None),
    ]


async def test_of_two_copies_the_later_to_arrive_is_named(served: Service) -> None:
    body = record(photos=listed({"a": "full_pole", "b": "tag", "c": "base"}))
    url = f"{POST}/{body['id']}"
    await served.http.put(url, headers=served.bearer(), json=body)
    first = encoded(patches(2))
    copies = {"c": first, "b": encoded(Image.open(BytesIO(first)), quality=50), "a": first}
    for name, data in copies.items():
        answer = await served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=data)
        assert answer.status_code == 201
    told = (await served.http.get(url, headers=served.bearer())).json()["defects"]
    assert [(d["rule"], d["severity"], d["photo"]) for d in told] == [
        ("photo-duplicate-in-record", "major", "a"),
        ("photo-duplicate-in-record", "minor", "b"),
    ]


def patches(seed: int) -> Image.Image:
    """Cells that differ so much that no encoding makes another hash of them."""
    rng = random.Random(seed)
    levels = bytes(rng.randrange(40, 90) + 120 * ((x + rng.randrange(2)) % 2) for x in range(9 * 8))
    picture = Image.frombytes("L", (9, 8), levels).resize((1600, 1200), Image.Resampling.NEAREST)
    return picture.convert("RGB")


def encoded(picture: Image.Image, *, quality: int = 90) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


async def test_a_record_is_compared_with_the_design_which_is_kept_with_it(
    served: Service, conn: Connection, database_url: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("asset,lat,lon,class,height_ft,depth_m\nP-7,44.46,-93.16,H2,45,2\n")
    await store_design(database_url, read(plan), project="demo", source="plan.csv", actor="command line")
    assert await send(served, record(asset="P-7")) == [
        ("design-mismatch", "major", "asset"),
        ("design-mismatch", "major", "pole_class"),
    ]
    assert await send(served, record(asset="P-8")) == [("design-mismatch", "major", "asset")]
    await conn.execute("update design_asset set expected = '{}'")
    kept = await conn.execute("select design_snapshot -> 'expected' ->> 'class' from asbuilt_record order by asset_key")
    assert await kept.fetchall() == [("H2",), (None,)]


async def test_records_that_are_here_are_compared(served: Service, conn: Connection) -> None:
    photo = jpeg()
    first = record(asset="P-7", photos=listed({"whole": "full_pole"}))
    await served.http.post(POST, headers=served.bearer(), **multipart(first, {"whole": photo}))
    far = {"lat": 45.6, "lon": -93.16, "h_accuracy_m": 4}
    again = record(asset="P-7", photos=listed({"w": "full_pole", "later": "tag"}), position=far)
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(again, {"w": photo}))
    reference = await (
        await conn.execute("select external_ref from asbuilt_record where id = %s", [first["id"]])
    ).fetchone()
    told = {d["rule"]: d for d in answer.json()["defects"] if d["severity"] != "blocker"}
    assert set(told) == {"asset-already-recorded", "photo-reused", "implausible-travel", "outside-site"}
    assert reference is not None and reference[0] in told["photo-reused"]["message"]
    # A late photo is compared as well, once its bytes are here.
    late = await served.http.put(f"{POST}/{again['id']}/photos/later", headers=served.bearer(), content=photo)
    assert ("photo-reused", "later") in {(d["rule"], d["photo"]) for d in late.json()["defects"]}
    # The same record sent again is no other one, and neither is the one that it replaces.
    assert await send(served, record(asset="P-7", supersedes=again["id"])) == [
        ("asset-already-recorded", "major", "asset")
    ]
    await conn.execute("update asbuilt_record set review_state = 'rejected' where id <> %s", [again["id"]])
    assert await send(served, record(asset="P-7", supersedes=again["id"])) == []


async def test_a_serial_number_is_built_in_once_a_project(served: Service, conn: Connection) -> None:
    def transformer(serial: str, **changed: Any) -> dict[str, Any]:
        example = examples()["transformer-commissioning"]
        fields = {**cast("dict[str, Any]", example["fields"]), "transformer_serial": serial}
        return record(form="transformer-commissioning", asset=serial, fields=fields, **changed)

    assert await send(served, transformer("TX-20264417")) == []
    again = await send(served, transformer("TX/2026-4417"))
    assert again == [("serial-duplicate", "major", "transformer_serial")]
    rows = await conn.execute("select serial, field, count(*) from record_serial group by 1, 2")
    assert await rows.fetchall() == [("TX20264417", "transformer_serial", 2)]
    await conn.execute("update asbuilt_record set deleted_at = now()")
    assert await send(served, transformer("TX-20264417")) == []
