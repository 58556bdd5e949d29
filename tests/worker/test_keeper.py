"""A worker removes what was kept long enough by itself, one worker a round; one that dies amid a batch has removed nothing of it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sql import Connection
from tests.factories import make_record, value
from tests.service import until, web_settings
from tests.worker.processes import worker_process

ROWS = "select count(*) from procrastinate_jobs"


async def test_what_is_due_goes_by_itself(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> None:
    made = await make_record(conn, state="completed")
    await make_record(conn, state="held", device=made.device)
    await conn.execute("update procrastinate_events set at = at - interval '25 hours'")
    config = web_settings(database_url, redis_url, tmp_path, automation_url="http://127.0.0.1:9", reconcile_s=0.2)
    async with worker_process(msgspec.structs.replace(config, crashpoint="T1:kill:queue row")) as worker:
        await worker.ended()
    assert await value(conn, ROWS) == 2, "killed before its commit"
    async with worker_process(config):
        assert await value(conn, "select next_at > now() from turn where name = 'retention'") is True
        assert await value(conn, ROWS) == 2, "the round was the dead one's"
        await conn.execute("update turn set next_at = now() where name = 'retention'")
        await until(lambda: value(conn, ROWS), lambda rows: rows == 1)
    last = await (
        await conn.execute(
            "select last_at > now() - interval '1 min', last_removed from ops.retention where what = 'queue row' and outcome = 'completed'"
        )
    ).fetchone()
    assert last == (True, 1)
