"""A worker that says that it is there: while it works, while it drains, and when it ends; one that is killed is missed."""

from __future__ import annotations

import signal
from importlib.metadata import version
from pathlib import Path

from sql import Connection
from tests.service import until
from tests.worker.plant import plant
from tests.worker.processes import worker_process

SEEN = "select state, version, places, busy from ops.workers"
STEPS = "select count(*) from automation_step"


async def test_a_worker_is_alive_then_draining_then_ended(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    async with plant(database_url, redis_url, conn, tmp_path) as works:
        await works.quirks(think_min_s=1.0, think_max_s=1.0)
        places = works.settings.concurrency
        async with worker_process(works.settings) as worker:
            await works.upload()
            await until(lambda: works.one(STEPS), lambda steps: steps >= 1)
            assert await works.one(SEEN) == ("alive", version("asbuilt"), places, 1)
            assert (await works.one("select worker from ops.workers")).endswith(f":{worker.pid}")
            worker.send(signal.SIGTERM)
            assert await until(lambda: works.one(SEEN), lambda row: row[0] != "alive") == (
                "draining", version("asbuilt"), places, 1,
            )  # fmt: skip
            await works.quirks(think_min_s=0, think_max_s=0)
            assert await worker.ended() == 0
        assert await works.one(SEEN) == ("ended", version("asbuilt"), places, 0)
        async with worker_process(works.settings) as worker:
            await until(lambda: works.one("select count(*) from ops.workers where state = 'alive'"), lambda n: n == 1)
            worker.send(signal.SIGKILL)
            await worker.ended()
        await conn.execute("update worker set seen_at = seen_at - interval '1 min'")
        assert await works.one("select array_agg(state order by state) from ops.workers") == ["ended", "lost"]
