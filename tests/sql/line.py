"""A portal account and the jobs that stand in line at it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Device, Project, claim, complete, make_device, make_project, value

GATE = "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = %s"


class Line:
    """`account` and its portal's key are new ones; every record is one phone's."""

    def __init__(self, conn: Connection, device: Device, account: UUID, portal: str) -> None:
        self.conn = conn
        self.device = device
        self.account = account
        self.portal = portal

    async def upload(self, conn: Connection | None = None) -> UUID:
        """A new record's job."""
        record = uuid4()
        job: UUID = await value(
            conn or self.conn,
            "select job_id from accept_record(%s, %s, %s, '[]', '[]', sha256(%s), 3, 'device:test')",
            self.device.project.id,
            self.device.id,
            Jsonb({"id": str(record), "form_key": "test-form", "form_version": 1, "fields": {}}),
            record.bytes,
        )
        return job

    async def state(self, job: UUID) -> tuple[str, str | None, str | None]:
        """State, what it waits for, and its queue."""
        found = await self.conn.execute(
            "select j.state, j.wait_reason, q.queue_name from automation_job as j"
            " left join procrastinate_jobs as q on q.id = j.queue_job_id where j.id = %s",
            (job,),
        )
        row = await found.fetchone()
        assert row is not None
        return row[0], row[1], row[2]

    async def may_run(self, job: UUID) -> bool:
        return await self.state(job) == ("queued", None, "automation")

    async def fail(self, job: UUID, attempt: int, code: str, error_class: str, **more: Any) -> str:
        """Settle an attempt as failed; its run is over unless said."""
        error = {"code": code, "class": error_class, "message": "it went wrong", "step": more.get("step", "job")}
        state: str = await value(
            self.conn,
            "select settle_failed(%s, %s::int, %s, %s, %s, %s, 15, null)",
            job,
            attempt,
            Jsonb(error),
            more.get("again", True),
            more.get("spends", "attempt"),
            more.get("run_over", True),
        )
        return state

    async def taken(self) -> int:
        return int(
            await value(
                self.conn,
                "select count(*) from portal_slot where account_id = %s and job_id is not null",
                self.account,
            )
        )

    async def sets(self, **columns: Any) -> None:
        """As a person at psql does it."""
        for name, to in columns.items():
            await self.conn.execute(f"update portal_account set {name} = %s where id = %s".encode(), (to, self.account))


async def make_line(conn: Connection, *, max_runs: int = 2) -> Line:
    project: Project = await make_project(conn)
    portal = f"p-{uuid4().hex[:8]}"
    await conn.execute(
        "insert into portal (key, name, recipe, recipe_version) values (%s, 'Portal', 'npl-asbuilt', 1)", (portal,)
    )
    account = await value(
        conn,
        "insert into portal_account (portal_key, label, max_runs) values (%s, 'crew', %s::int) returning id",
        portal,
        max_runs,
    )
    await conn.execute("update project set portal_account_id = %s where id = %s", (account, project.id))
    return Line(conn, await make_device(conn, project), account, portal)


async def settle_beside_upload(database_url: str, conn: Connection) -> tuple[Line, UUID]:
    """The only run ends while an upload for the same account is not committed yet; answers the upload's job."""
    line = await make_line(conn, max_runs=1)
    running = await line.upload()
    attempt = await claim(conn, running)
    async with (
        await AsyncConnection.connect(database_url, autocommit=True) as phone,
        await AsyncConnection.connect(database_url, autocommit=True) as worker,
    ):
        async with phone.transaction():
            late = await line.upload(phone)
            settling = asyncio.create_task(complete(worker, running, attempt))
            async with asyncio.timeout(60):
                while not settling.done() and not await value(conn, GATE, worker.info.backend_pid):
                    await asyncio.sleep(0.01)
        assert await settling
    return line, late
