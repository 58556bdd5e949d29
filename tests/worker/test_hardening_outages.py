"""The worker's database goes away, freezes, or loses what it was told. No job is lost with it, and none waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from psycopg import AsyncConnection

from app.core.db import TROUBLE
from app.core.settings import Settings
from sql import Connection
from sql.migrate import migrate
from tasks.company import Company
from tasks.fetching import HardenedManager
from tasks.listening import HardenedConnector
from tasks.patience import Patience
from tests.logins import make_logins
from tests.service import until
from tests.worker.own_server import OwnServer, own_server
from tests.worker.plant import Plant, plant

BACKENDS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where application_name like 'asbuilt-worker%%' and datname = current_database()"
)
DEFER = "select queue_defer(%s, 'automation')"


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


@pytest.fixture
async def apart(
    database_url: str, redis_url: str, portal_schema: None, tmp_path: Path
) -> AsyncIterator[tuple[Plant, OwnServer]]:
    """A plant whose database is a server of its own; the portal's is not."""
    async with own_server() as server:
        await migrate(server.url)
        make_logins(server.url)
        async with (
            await AsyncConnection.connect(server.url, autocommit=True) as conn,
            plant(server.url, redis_url, conn, tmp_path, portal_database=database_url, database_s=2.0) as made,
        ):
            yield made, server
            await made.conn.close()


async def reconnect(works: Plant) -> None:
    works.conn = await AsyncConnection.connect(works.settings.database_url, autocommit=True)


async def test_a_running_job_outlives_a_restart_of_postgres(apart: tuple[Plant, OwnServer]) -> None:
    works, server = apart
    await works.quirks(think_min_s=0.3, think_max_s=0.3)
    job = await works.upload()
    async with works.worker(poll_s=3600.0, lease_s=45.0, heartbeat_s=1.0):
        await until(lambda: works.one("select count(*) from automation_step"), lambda n: n >= 1)
        await server.restart()
        await reconnect(works)
        assert await works.ends(job) == "completed"
        # The same attempt, on the same worker: no lease was lost, nothing was run again.
        assert await works.one("select attempt, interruptions from automation_job where id = %s", job) == (1, 0)
        # It hears again: this worker polls once an hour.
        another = await works.upload()
        assert await works.ends(another) == "completed"
    assert await works.submissions(job) == 1


async def test_lost_connections_cost_no_attempt(works: Plant) -> None:
    await works.quirks(think_min_s=0.2, think_max_s=0.2)
    jobs = [await works.upload() for _ in range(4)]
    async with works.worker(lease_s=45.0):
        for _ in range(4):
            await until(lambda: works.one("select count(*) from automation_attempt"), lambda n: n == 4)
            await works.conn.execute(BACKENDS)
            await asyncio.sleep(0)
        assert [await works.ends(job) for job in jobs] == ["completed"] * 4
    assert await works.one("select max(attempt), max(interruptions) from automation_job") == (1, 0)
    assert [await works.submissions(job) for job in jobs] == [1] * 4


async def test_a_worker_that_was_taken_for_dead_registers_again(works: Plant) -> None:
    """Another worker prunes the row of one whose heartbeat stood still; with it gone, every fetch fails for ever."""
    async with works.worker():
        await until(lambda: works.one("select count(*) from procrastinate_workers"), lambda n: n == 1)
        await works.conn.execute("delete from procrastinate_workers")
        assert await works.ends(await works.upload()) == "completed"
        assert await works.one("select count(*) from procrastinate_workers") == 1


async def test_an_unknown_task_waits_for_a_worker_that_knows_it(works: Plant) -> None:
    """Procrastinate fails it for good: after a deploy that was begun with the web process, jobs of the new kind were lost."""
    await works.conn.execute(
        "insert into procrastinate_jobs (queue_name, task_name, priority) values ('automation', 'of_tomorrow', 0)"
    )
    async with works.worker():
        assert await works.ends(await works.upload()) == "completed"
        status, due = await works.one(
            "select status::text, scheduled_at > now() from procrastinate_jobs where task_name = 'of_tomorrow'"
        )
    assert (status, due) == ("todo", True)


@pytest.mark.slow
async def test_a_locked_queue_table_only_delays(works: Plant) -> None:
    async with works.worker(lease_s=45.0):
        async with works.conn.transaction():
            await works.conn.execute("lock table procrastinate_jobs in access exclusive mode")
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = %s"
            async with await AsyncConnection.connect(works.settings.database_url, autocommit=True) as other:
                await other.execute("select 1")

                async def fetches() -> int:
                    row = await (await other.execute(waiting, ["asbuilt-worker-queue"])).fetchone()
                    return int(row[0]) if row else 0

                await until(fetches, lambda n: n >= 1)
                # Its lock_timeout is 5 s: the fetch fails at least once.
                await until(fetches, lambda n: n == 0)
        assert await works.ends(await works.upload()) == "completed"


class Finishing:
    """A manager with one fetched row."""

    def __init__(self, manager: HardenedManager, row: int) -> None:
        self.manager = manager
        self.row = row

    async def finish(self) -> None:
        await self.manager.finish_job_by_id_async(self.row, Status.SUCCEEDED, delete_job=False)


@pytest.fixture
async def finishing(database_url: str, conn: Connection) -> AsyncIterator[Finishing]:
    async def back() -> None:
        pass

    connector = HardenedConnector(Settings(database_url=database_url), back=back)
    await connector.open_async()
    manager = HardenedManager(connector, patience=Patience(), company=Company())
    manager.known = {"automation"}
    try:
        await conn.execute(DEFER, [uuid4()])
        job = await manager.fetch_job(["automation"], await manager.register_worker())
        assert job is not None
        assert job.id is not None
        yield Finishing(manager, job.id)
    finally:
        await connector.close_async()


STATUS = "select status::text from procrastinate_jobs"


async def status(conn: Connection) -> str:
    row = await (await conn.execute(STATUS)).fetchone()
    assert row is not None
    return str(row[0])


async def test_a_finish_is_repeated_until_it_lands(
    database_url: str, finishing: Finishing, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A finish whose connection broke left its row `doing` for ever, under a worker that was alive and well."""
    async with await AsyncConnection.connect(database_url) as holder:
        await holder.execute("select from procrastinate_jobs for update")
        landing = asyncio.create_task(finishing.finish())
        for _ in range(2):
            caplog.clear()
            blocked = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )

            async def count(query: str = blocked) -> int:
                row = await (await conn.execute(query)).fetchone()
                return int(row[0]) if row else 0

            await until(count, lambda n: n == 1)
            await conn.execute(BACKENDS.replace("%%", "%"))
            await until(lambda: said(caplog, "database.trouble"), bool)
        await holder.rollback()
    async with asyncio.timeout(60):
        await landing
    assert await status(conn) == "succeeded"


async def said(caplog: pytest.LogCaptureFixture, event: str) -> bool:
    return any(getattr(record, "event", "") == event for record in caplog.records)


async def test_a_row_that_is_not_ours_any_more_is_left_alone(finishing: Finishing, conn: Connection) -> None:
    await conn.execute("update procrastinate_jobs set status = 'aborted'")
    await finishing.finish()
    assert await status(conn) == "aborted"


async def test_a_finish_ends_when_the_process_gives_up(finishing: Finishing, conn: Connection) -> None:
    await conn.execute("alter table procrastinate_jobs rename to elsewhere")
    try:
        landing = asyncio.create_task(finishing.finish())
        finishing.manager.patience.over.set()
        async with asyncio.timeout(60):
            with pytest.raises(ConnectorException):
                await landing
    finally:
        await conn.execute("alter table elsewhere rename to procrastinate_jobs")


async def test_uploads_are_refused_while_postgres_is_frozen_and_taken_after(apart: tuple[Plant, OwnServer]) -> None:
    works, server = apart
    await works.upload()
    with server.frozen():
        for _ in range(2):
            with pytest.raises(AssertionError, match="database-unavailable"):
                await works.upload()
        live = await works.served.http.get("/health/live")
        assert live.status_code == 200
    job = await until(lambda: try_upload(works), lambda made: made is not None)
    async with works.worker():
        assert await works.ends(job) == "completed"


async def try_upload(works: Plant) -> object:
    try:
        return await works.upload()
    except AssertionError:
        return None


@pytest.mark.slow
async def test_a_worker_outlives_a_freeze(apart: tuple[Plant, OwnServer]) -> None:
    works, server = apart
    await works.quirks(think_min_s=0.2, think_max_s=0.2)
    job = await works.upload()
    async with works.worker(lease_s=45.0, heartbeat_s=0.5):
        await until(lambda: works.one("select count(*) from automation_step"), lambda n: n >= 1)
        with server.frozen():
            # Longer than the deadline of every call.
            await asyncio.sleep(8)
        assert await works.ends(job) == "completed"
        assert await works.ends(await works.upload()) == "completed"
    assert await works.one("select attempt, interruptions from automation_job where id = %s", job) == (1, 0)


def test_trouble_is_what_may_pass() -> None:
    """A statement that is wrong stays wrong: repeating it for ever would hide it."""
    assert not issubclass(psycopg.errors.UndefinedTable, TROUBLE)
    assert not issubclass(psycopg.errors.CheckViolation, TROUBLE)
    for passing in (psycopg.errors.AdminShutdown, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        assert issubclass(passing, TROUBLE)
