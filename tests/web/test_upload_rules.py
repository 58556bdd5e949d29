"""What an upload is told about its content, over real HTTP and from real rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import Image, ImageFilter

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
    assert sorted(map(str, receipt.json()["defects"])) == sorted(map(str, answer.json()["defects"]))
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
        ("clock-skew", "info", "sent_at"),
        ("captured-before-start", "minor", "captured_at"),
        ("form-outdated", "info", None),
        ("form-closing", "info", None),
    ]
    evidence = await (await conn.execute("select evidence from defect where rule = 'form-outdated'")).fetchone()
    assert evidence == ({"version": 1, "newest": 3},)
    ahead = record(form_version=3, captured_at=(now + timedelta(days=2)).isoformat())
    assert ("captured-in-future", "major", "captured_at") in await send(served, ahead)


async def test_a_swapped_position_is_kept_and_told(served: Service, conn: Connection) -> None:
    swapped = record(position={"lat": -93.1616, "lon": 44.4583, "h_accuracy_m": 4})
    assert await send(served, swapped) == [("position-swapped", "minor", "position")]
    row = await (await conn.execute("select lat, fields -> 'position' ->> 'lat' from asbuilt_record")).fetchone()
    assert row == (None, "-93.1616")


async def test_what_photos_show_is_told_and_kept(served: Service, conn: Connection) -> None:
    body = record(photos=listed({"whole": "full_pole", "tag": "tag", "base": "base", "again": "base"}))
    whole, dark = jpeg(), jpeg(shade=5, taken="2025:11:22 12:00:00", offset="+00:00")
    blurred = encoded(Image.open(BytesIO(jpeg())).filter(ImageFilter.GaussianBlur(40)))
    files = {"whole": whole, "tag": dark, "base": blurred, "again": encoded(Image.open(BytesIO(whole)), quality=60)}
    answer = await served.http.post(POST, headers=served.bearer(), **multipart(body, files))
    assert answer.status_code == 201, answer.text
    assert [(d["rule"], d["severity"], d["photo"]) for d in answer.json()["defects"]] == [
        ("photo-dark", "minor", "tag"),
        ("photo-blurred", "minor", "base"),
        ("photo-time-mismatch", "major", "tag"),
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
    first = jpeg()
    copies = {"c": first, "b": encoded(Image.open(BytesIO(first)), quality=50), "a": first}
    for name, data in copies.items():
        answer = await served.http.put(f"{url}/photos/{name}", headers=served.bearer(), content=data)
        assert answer.status_code == 201
    told = (await served.http.get(url, headers=served.bearer())).json()["defects"]
    assert [(d["rule"], d["severity"], d["photo"]) for d in told] == [
        ("photo-duplicate-in-record", "minor", "b"),
        ("photo-duplicate-in-record", "major", "a"),
    ]


def encoded(picture: Image.Image, *, quality: int = 90) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
