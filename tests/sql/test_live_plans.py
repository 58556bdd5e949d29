"""The stream's reads stay cheap however many jobs there are: each uses the index that was made for it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.live import store
from sql import Connection
from tests.logins import acting_as

SCOPE: dict[str, Any] = {"projects": [uuid4()], "device": uuid4(), "since": "7", "limit": 501}
WANTED: list[tuple[Any, set[str]]] = [
    (store.CHANGED_ANYWHERE, {"automation_job_changed"}),
    (store.CHANGED_SINCE, {"automation_job_changed"}),
    (store.LATEST, {"automation_job_open", "automation_job_project", "asbuilt_record_device", "automation_job_record"}),
    (store.OF_RECORD, {"automation_job_record"}),
    (store.OF_JOB, {"automation_job_pkey", "job_event_pkey"}),
    (store.EVENT_DATA, {"job_event_pkey"}),
]


@pytest.mark.parametrize(("statement", "indexes"), WANTED, ids=[s.block.name for s, _ in WANTED])
async def test_a_read_uses_its_indexes(conn: Connection, statement: Any, indexes: set[str]) -> None:
    # On empty tables a scan is always cheapest; forbidden, it is chosen only where no index serves.
    await conn.execute("set enable_seqscan = off")
    params = {**SCOPE, "record": uuid4(), "job": uuid4(), "after": 1, "seq": 1}
    async with acting_as(conn, "app", sight=SCOPE["projects"]):
        rows = await (await conn.execute("explain (format text) " + statement.block.text, params)).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert {index for index in indexes if index not in plan} == set(), plan
    assert "Seq Scan on automation_job" not in plan
