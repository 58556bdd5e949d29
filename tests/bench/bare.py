"""The peer of our worker: a Procrastinate App as its documentation shows it, with one task that does nothing.

`procrastinate --app=tests.bench.bare.app worker`; `DATABASE_URL` names its own database, with Procrastinate's schema
and the table `started`, in which a job notes when it began, as a job of ours does.
"""

from __future__ import annotations

import os

from procrastinate import App, PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from app.core.settings import Settings

TABLE = "create table started (number int primary key, at timestamptz not null default now())"
STARTED = "insert into started (number) values (%s)"
DEFER = """
    select procrastinate_defer_jobs_v1(array[row('bare', %s, 0, null, null, jsonb_build_object('number', n), null)
        ::procrastinate_job_to_defer_v1]) from generate_series(%s::int, %s::int) as n
"""

app = App(
    connector=PsycopgConnector(conninfo=os.environ.get("DATABASE_URL", "")),
    worker_defaults={
        "queues": ["bare"],
        "concurrency": Settings().concurrency,
        "fetch_job_polling_interval": Settings().poll_s,
    },
)
_pools: list[AsyncConnectionPool[AsyncConnection[object]]] = []


@app.task(name="nothing", queue="bare")
async def nothing(*, number: int) -> None:
    """What Procrastinate alone costs."""


@app.task(name="note", queue="bare")
async def note(*, number: int) -> None:
    """Say when it began, over a connection that is open already."""
    if not _pools:
        pool = AsyncConnectionPool[AsyncConnection[object]](
            os.environ["DATABASE_URL"], open=False, kwargs={"autocommit": True}
        )
        await pool.open()
        _pools.append(pool)
    async with _pools[0].connection() as conn:
        await conn.execute(STARTED, (number,))
