"""The crash-point matrix: one point, one action, one record, in a database of its own beside the others.

A cell starts a process that is armed, waits until the point is hit (a point that is not hit is a failure), lets others
finish the work, wakes what was stopped, and has everything judged.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg import conninfo

from tests.factories import make_project, make_record
from tests.faults.checker import Demands, Report
from tests.faults.clients import Phone
from tests.faults.cluster import Cluster
from tests.faults.history import Call, History, now
from tests.faults.processes import Proc
from tests.faults.resuming import ResumingPhone

Action = Literal["kill", "stop", "terminate", "disconnect"]
TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s and datname = %s"
LEASE_S = 3.0
TIMINGS = {"ASBUILT_LEASE_S": "3", "ASBUILT_RECONCILE_S": "0.5", "ASBUILT_CONCURRENCY": "1"}


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A cell's name: where, and what happens there."""

    at: str
    action: Action

    def __str__(self) -> str:
        return f"{self.at}-{self.action}"


WORKER_POINTS = [Point(at=f"W{n}", action=action) for n in range(1, 9) for action in ("kill", "stop", "terminate")]
WORKER_POINTS += [Point(at=f"C{n}", action=action) for n in range(1, 4) for action in ("kill", "stop", "terminate")]
SETTLE_POINTS = [Point(at="S2", action=action) for action in ("kill", "stop", "terminate")]
SWEEP_POINTS = [Point(at="S1", action=action) for action in ("kill", "stop", "terminate")]
UPLOAD_POINTS = [Point(at=f"A{n}", action=action) for n in range(1, 7) for action in ("kill", "stop", "disconnect")]
UPLOAD_POINTS += [Point(at="A5", action="terminate")]
RESUMED_POINTS = [
    Point(at=at, action=action) for at in ("U1", "U2") for action in ("kill", "stop", "terminate", "disconnect")
]


class Cell(Cluster):
    """A database of its own on the servers of another cluster, and processes of its own on it."""

    def __init__(self, house: Cluster, point: Point) -> None:
        folder = house.folder / str(point)
        folder.mkdir()
        self.name = str(point).lower().replace("-", "_")
        super().__init__(folder, database=house.database, cache=house.cache)
        self.house = house
        self.point = point
        self.portal_log = house.portal_log
        self.service_url = house.service_url
        self.settings = house.settings | TIMINGS

    @property
    def database_url(self) -> str:
        return conninfo.make_conninfo(self.database.url, dbname=self.name)

    async def history(self) -> History:
        """Only what concerns this cell."""
        found = await super().history()
        mine = {record.external_ref for record in found.snapshot.records}
        found.effects = [effect for effect in found.effects if effect.reference in mine]
        return found

    async def upload(self) -> UUID:
        """By the upload's own transaction, without a web process."""
        async with self.connect() as conn:
            made = await make_record(conn)
        asked = Call(at=now(), client="phone", op="upload", key=made.record_id, phase="invoke")
        self.calls.write(asked)
        self.calls.write(msgspec.structs.replace(asked, phase="ok", record=made.record_id, job=made.job_id))
        return made.job_id

    def armed(self) -> str:
        action = {"disconnect": "stop", "terminate": "stop"}.get(self.point.action, self.point.action)
        return f"{self.point.at}:{action}"

    async def terminate(self, application: str) -> None:
        async with self.connect() as conn:
            await conn.execute(TERMINATE, (f"{application}%", self.name))

    async def verdict(self) -> Report:
        await self.calm()
        report = await self.judge(demands=Demands(acked=1, effects=1))
        assert report.figures["jobs_completed"] == 1, report
        return report


@asynccontextmanager
async def cell(house: Cluster, point: Point) -> AsyncIterator[Cell]:
    made = Cell(house, point)
    try:
        async with await psycopg.AsyncConnection.connect(house.database.url, autocommit=True) as conn:
            await conn.execute(f"create database {made.name} template furnished".encode())
        made.token = house.token
        yield made
    except BaseException as exc:
        exc.add_note(f"cell {point}, logs: {made.keep_logs()}")
        raise
    finally:
        await made.end_processes()


async def furnished(house: Cluster) -> None:
    """Make the house's database the template of all cells."""
    async with await psycopg.AsyncConnection.connect(
        conninfo.make_conninfo(house.database.url, dbname="template1"), autocommit=True
    ) as conn:
        await conn.execute("create database furnished template postgres")


async def wakes(process: Proc) -> None:
    """Continue it, and let it end as it should after whatever it does then."""
    process.send(signal.SIGCONT)
    await asyncio.sleep(1.5)
    process.send(signal.SIGTERM)
    assert await process.ended(within_s=30) == 0, process.said[-2000:]


async def worker_cell(house: Cluster, point: Point) -> Report:
    """An armed worker alone with one job; another comes when it has been hit."""
    async with cell(house, point) as c:
        armed = c.worker("armed", CRASHPOINT=c.armed())
        await asyncio.gather(armed.start(), c.upload())
        await hit(c, armed, application="asbuilt-worker")
        if point.action != "terminate":
            await c.work(1)
            await c.calm()
        if point.action == "stop":
            await wakes(armed)
        return await c.verdict()


async def sweep_cell(house: Cluster, point: Point) -> Report:
    """A job whose worker is gone, and a sweeper to whom it happens in the middle of its sweep."""
    async with cell(house, point) as c:
        job = await c.upload()
        row = await c.one(
            "update procrastinate_jobs set status = 'doing' where id = (select queue_job_id from automation_job"
            " where id = %s) returning id",
            job,
        )
        await c.one("select attempt from claim_attempt(%s, %s::bigint, 'gone:1', 0.1)", job, row)
        armed = c.worker("armed", CRASHPOINT=c.armed())
        await armed.start()
        await hit(c, armed, application="asbuilt-worker")
        if point.action != "terminate":
            await c.work(1)
            await c.calm()
        if point.action == "stop":
            await wakes(armed)
        return await c.verdict()


async def settle_cell(house: Cluster, point: Point) -> Report:
    """Two jobs at an account that bears one: it happens to the worker that gives the first one's slot to the second."""
    async with cell(house, point) as c:
        async with c.connect() as conn:
            await make_project(conn)
            await conn.execute("update portal_account set max_runs = 1")
        armed = c.worker("armed", CRASHPOINT=c.armed())
        await asyncio.gather(armed.start(), c.upload(), c.upload())
        await hit(c, armed, application="asbuilt-worker")
        if point.action == "stop":
            # It holds both jobs, and the account's gate, for as long as it is stopped.
            armed.send(signal.SIGCONT)
        if point.action == "kill":
            await c.work(1)
        await c.calm()
        report = await c.judge(demands=Demands(acked=2, effects=2))
        assert report.figures["jobs_completed"] == 2, report
        return report


async def upload_cell(house: Cluster, point: Point) -> Report:
    """An armed web process and a phone that insists; another web process takes its place where it is gone."""
    async with cell(house, point) as c:
        armed = c.web("armed", CRASHPOINT=c.armed())
        await asyncio.gather(armed.start(), c.work(1))
        resuming = point in RESUMED_POINTS
        phone = ResumingPhone(c, "phone", seed=2) if resuming else Phone(c, "phone", seed=2, photos=1.0)
        key = uuid4()
        await insisted(c, armed, lambda: phone.upload(key))
        await phone.close()
        return await c.verdict()


async def insisted(c: Cell, armed: Proc, act: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """A phone's `act` at the armed web process until it is acknowledged; another process takes its place if it is killed."""
    acting = asyncio.create_task(act())
    await hit(c, armed, application="asbuilt-web")
    if c.point.action == "kill":
        await c.web("healthy").start()
    elif c.point.action == "stop":
        await asyncio.sleep(LEASE_S + 2)
        armed.send(signal.SIGCONT)
    elif c.point.action == "disconnect":
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        armed.send(signal.SIGCONT)
        acting = asyncio.create_task(act())
    await acting


async def hit(c: Cell, armed: Proc, *, application: str) -> None:
    """Wait until the point has been hit, and do the rest of what the action is."""
    await armed.says("crashpoint")
    if c.point.action == "kill":
        assert await armed.ended() == -signal.SIGKILL
        return
    await armed.stopped()
    if c.point.action == "terminate":
        await c.terminate(application)
        armed.send(signal.SIGCONT)
    elif c.point.action == "stop" and not c.point.at.startswith(("A", "K", "U")):
        await asyncio.sleep(LEASE_S + 2)
