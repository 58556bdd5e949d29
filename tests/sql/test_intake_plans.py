"""An upload's comparisons stay cheap however many records there are: each uses the index that was made for it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

from app.intake.related import RELATED
from sql import Connection
from tests.factories import make_device, make_project

INDEXES = {
    "design_asset_project_id_asset_key_key",
    "asbuilt_record_asset",
    "asbuilt_record_device",
    "asbuilt_record_pkey",
    "record_serial_pkey",
}


async def test_what_a_record_is_compared_with_is_found_by_index(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    project = device.project.id
    await conn.execute(
        "insert into asbuilt_record (id, project_id, device_id, form_key, form_version, asset_key, external_ref, fields,"
        "    fingerprint, media_state)"
        " select id, %s, %s, 'test-form', 1, 'A-' || n, external_ref(id), '{}', sha256('x'), 'complete'"
        "   from (select gen_random_uuid() as id, n from generate_series(1, 3000) as n) as made",
        [project, device.id],
    )
    await conn.execute("insert into record_serial select project_id, asset_key, id, 's' from asbuilt_record")
    await conn.execute(
        "insert into design_asset (project_id, asset_key) select project_id, asset_key from asbuilt_record"
    )
    await conn.execute("analyze asbuilt_record, record_serial, design_asset")
    params = {
        "project": project,
        "device": device.id,
        "form": "test-form",
        "asset": "A-7",
        "crew": "",
        "captured_at": datetime.now(UTC),
        "besides": [uuid4()],
        "photos": [b"x" * 32],
        "serials": ["A-7", "A-8"],
    }
    rows = await (await conn.execute("explain " + RELATED.block.text, params)).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert {index for index in INDEXES if index not in plan} == set(), plan
    # Whether a project has a design at all is one row of it, by whatever way.
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"design_asset"}, plan


async def test_a_photo_is_found_elsewhere_by_its_hash(conn: Connection) -> None:
    await conn.execute("set enable_seqscan = off")
    body = await (await conn.execute("select prosrc from pg_proc where proname = 'photo_elsewhere'")).fetchone()
    assert body is not None
    text = body[0].replace("p_sha256", "'x'::bytea").replace("p_project", "gen_random_uuid()")
    text = text.replace("p_besides", "array[gen_random_uuid()]")
    plan = "\n".join(row[0] for row in await (await conn.execute("explain " + text)).fetchall())
    assert "photo_blob" in plan and "Seq Scan" not in plan, plan
