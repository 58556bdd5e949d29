"""What an upload is told about its content, over real HTTP and from real rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sql import Connection
from tests.service import Service, record

Defects = list[tuple[str, str, str | None]]


async def send(served: Service, body: dict[str, Any]) -> Defects:
    """Store a record; what is told, which must be what is stored and what the receipt says."""
    url = f"/api/mobile/records/{body['id']}"
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
