"""Everything from the upload to the portal in one test process, on real sockets: web, portal, runner, and workers on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec

from app.core.settings import Settings
from sql import Connection
from tasks.demo_portal import running as portal_running
from tasks.runner import running as runner_running
from tasks.worker import make_app
from tests.logins import as_role
from tests.service import Service, ids, listed, multipart, record, service, until, web_settings
from tests.unit.pictures import jpeg

TERMINAL = {"completed", "failed", "cancelled", "needs_input"}
TRIES = 10
"""A busy server says 503, and a phone sends again."""
SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}


class Plant(msgspec.Struct, kw_only=True):
    """`settings` are a worker's; `portal` is the portal's address."""

    served: Service
    settings: Settings
    portal: str
    conn: Connection

    async def upload(self, **changed: Any) -> UUID:
        """A good record with its photos; answers the job."""
        body = record(photos=listed(SHOTS), **changed)
        files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        request = multipart(body, files)
        for _ in range(TRIES):
            answer = await self.served.http.post("/api/mobile/records", headers=self.served.bearer(), **request)
            if answer.status_code != 503:
                break
        assert answer.status_code == 201, answer.text
        return ids(answer)[1]

    async def quirks(self, **switches: Any) -> None:
        """Set the portal's bad habits."""
        async with httpx.AsyncClient() as http:
            answer = await http.post(f"{self.portal}/_demo/quirks", json=switches)
        answer.raise_for_status()

    async def submissions(self, job: UUID) -> int:
        """How often the portal took this job's record in."""
        reference = await self.one("select external_ref from automation_job where id = %s", job)
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{self.portal}/_demo/submissions", params={"reference": reference})
        return len(answer.json())

    async def one(self, query: str, *values: object) -> Any:
        row = await (await self.conn.execute(query, values)).fetchone()
        return row[0] if row is not None and len(row) == 1 else row

    async def state(self, job: UUID) -> str:
        return str(await self.one("select state from automation_job where id = %s", job))

    async def reaches(self, job: UUID, *states: str) -> str:
        """Wait until the job is in one of the states."""
        return str(await until(lambda: self.state(job), lambda state: state in states))

    async def ends(self, job: UUID) -> str:
        return await self.reaches(job, *TERMINAL)

    @asynccontextmanager
    async def worker(self, **changed: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A worker for as long as the block lasts; it is told to stop at its end and drains."""
        changed.setdefault("database_url", as_role("worker", self.settings.database_url))
        config = msgspec.structs.replace(self.settings, **changed)
        app = make_app(config)
        async with app.open_async():
            # Cancelling is how an embedded worker is told to stop: it drains first.
            task = asyncio.create_task(app.run_worker_async(install_signal_handlers=False))
            try:
                yield task
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@asynccontextmanager
async def plant(
    database_url: str,
    redis_url: str,
    conn: Connection,
    folder: Path,
    *,
    portal_database: str = "",
    browser: str = "none",
    **changed: Any,
) -> AsyncIterator[Plant]:
    """Quick timings: lease 3 s, renewed each second; without `browser` the forms driver, which needs none.

    `portal_database`: the portal keeps its things elsewhere, and outlives what happens to ours.
    """
    base = web_settings(
        database_url,
        redis_url,
        folder,
        portal_port=0,
        runner_port=0,
        browser=browser,
        portal_log=folder / "portal.jsonl",
        runner_dir=folder / "runner",
        lease_s=3.0,
        heartbeat_s=1.0,
        reconcile_s=0.5,
        retry_base_s=0.2,
        drain_s=30.0,
        concurrency=4,
        look_s=0.2,
        submit_s=6.0,
        **changed,
    )
    elsewhere = msgspec.structs.replace(base, database_url=portal_database or database_url)
    async with portal_running(elsewhere) as portal:
        runner_settings = msgspec.structs.replace(base, portal_url=portal)
        async with runner_running(runner_settings) as runner, service(runner_settings) as served:
            settings = msgspec.structs.replace(runner_settings, automation_url=runner.url, url=served.url)
            made = Plant(served=served, settings=settings, portal=portal, conn=conn)
            await made.quirks(think_min_s=0, think_max_s=0)
            await conn.execute("update portal set settle_s = 1")
            yield made
