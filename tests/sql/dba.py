"""A person at psql."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sql import Connection


class Dba:
    """A person at psql: the connection, and what it was told."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.told: list[str] = []
        conn.add_notice_handler(lambda diagnostic: self.told.append(diagnostic.message_primary or ""))

    async def types(self, statement: Any, *values: object) -> int:
        return (await self.conn.execute(statement, values)).rowcount

    async def sees(self, query: Any, *values: object) -> Any:
        row = await (await self.conn.execute(query, values)).fetchone()
        return row[0] if row is not None and len(row) == 1 else row

    async def job(self, job: UUID) -> tuple[str, int | None, int]:
        """State, current queue row, failures."""
        seen: tuple[str, int | None, int] = await self.sees(
            "select state, queue_job_id, failures from automation_job where id = %s", job
        )
        return seen

    async def rows(self) -> list[tuple[int, str, str]]:
        """Queue rows: id, queue, status."""
        return await (
            await self.conn.execute("select id, queue_name, status::text from procrastinate_jobs order by id")
        ).fetchall()

    async def acts(self) -> list[tuple[str, str]]:
        """Audit but for uploads: action, reason; every one by the database's user."""
        query = "select actor, action, reason from audit_event where action <> 'record.upload' order by id"
        found = await (await self.conn.execute(query)).fetchall()
        user = await self.sees("select session_user::text")
        assert {actor for actor, _, _ in found} <= {user}
        return [(action, reason) for _, action, reason in found]

    async def sweeps(self) -> list[str]:
        """What a worker's reconciler mends, without its grace."""
        return [row[0] for row in await (await self.conn.execute("select kind from reconcile(0)")).fetchall()]

    async def ails(self) -> list[tuple[str, str]]:
        return await (await self.conn.execute("select rule, sentence from ops.doctor(0)")).fetchall()
