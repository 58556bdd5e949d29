"""A whole installation of real processes on a Postgres and a Valkey of its own, with timings scaled down, to be mistreated.

`cluster()` yields one; `calm()` waits until every job has ended or waits, and `judge()` lets the checker speak.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Json

from app.core.settings import environment
from app.local.seed import seed
from sql import Connection
from sql.migrate import migrate
from tests.faults import checker, store
from tests.faults.history import Act, Call, Effect, Heard, History, Log, lines, now
from tests.faults.processes import DEADLINE_S, ROOT, SERVE, WORKER, Proc, Supervised
from tests.faults.servers import Cache, Database
from tests.faults.timings import Limits, slack
from tests.logins import as_role, make_logins
from tests.machine import free_port

TOKEN = "token-of-the-fault-tier"
SCALED = {
    "ASBUILT_HEARTBEAT_S": "1",
    "ASBUILT_LEASE_S": "5",
    "ASBUILT_RECONCILE_S": "1",
    "ASBUILT_POLL_S": "5",
    "ASBUILT_RETRY_BASE_S": "0.5",
    "ASBUILT_CONCURRENCY": "4",
    "ASBUILT_DRAIN_S": "30",
    "ASBUILT_FREE_DISK_BYTES": "0",
    "ASBUILT_UPLOADS_PER_S": "0",
    "ASBUILT_REQUESTS_PER_DEVICE": "0",
    "ASBUILT_FAILED_AUTH_PER_MIN": "0",
    "ASBUILT_SUBMIT_S": "2",
    "ASBUILT_LOOK_S": "0.5",
    "ASBUILT_VERIFY_S": "20",
    "ASBUILT_STREAMS_PER_USER": "0",
}
FORMS = {"fault-form": [], "fault-photo": [{"key": "pole", "label": "Pole", "min": 1}]}
MUTATED = Path(__file__).parent / "mutated"
BUSY = "select count(*) from automation_job where state in ('queued', 'processing', 'retrying')"
ROWS = (
    "select count(*) from procrastinate_jobs where status = 'doing' or (status = 'todo' and queue_name = 'automation')"
)
RUNNING = "select job_id from automation_attempt where ended_at is null and worker like %s"


class Cluster:
    """Handles of everything. Worker slots are supervised: whatever a worker dies of, the next one starts."""

    serve_command = SERVE

    def __init__(self, folder: Path, *, database: Database | None = None, cache: Cache | None = None) -> None:
        self.folder = folder
        self.database = database or Database(folder)
        self.cache = cache or Cache(folder)
        self.portal_log = folder / "portal.jsonl"
        self.workers: list[Supervised] = []
        self.loose: list[Proc] = []
        self.api: Supervised | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self.settings = dict(SCALED)
        self.mutant: Path | None = None
        self.calls = Log(folder / "clients.jsonl")
        self.streams = Log(folder / "streams.jsonl")
        self.nemesis = Log(folder / "nemesis.jsonl")
        self.service = Proc(
            "service",
            (
                sys.executable,
                "-m",
                "tests.faults.service",
                str(folder / "portal.jsonl"),
                "--socket",
                self.service_socket,
            ),
            env=self.env(),
            folder=folder,
        )
        self.service_url = ""

    @property
    def database_url(self) -> str:
        return self.database.url

    @property
    def service_socket(self) -> str:
        return str(self.database.sockets / "service.sock")

    def env(self, **changes: str) -> dict[str, str]:
        """The environment of a process of ours."""
        ours = ("ASBUILT_", "AUTOMATION_", "DATABASE_URL", "REDIS_URL", "CRASHPOINT", "FAULT_")
        inherited = {name: value for name, value in environment().items() if not name.startswith(ours)}
        return {
            **inherited,
            "PYTHONPATH": str(ROOT) if self.mutant is None else f"{MUTATED}:{ROOT}",
            "FAULT_MUTANT": str(self.mutant or ""),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.cache.url,
            "AUTOMATION_URL": getattr(self, "service_url", ""),
            "AUTOMATION_TOKEN": TOKEN,
            "ASBUILT_BLOBS": str(self.folder / "blobs"),
            "ASBUILT_PORT": str(self.port),
            **self.settings,
            **changes,
        }

    def env_as(self, role: str, **changes: str) -> dict[str, str]:
        """The same, for a process that signs in to the database as a member of the role it has in production."""
        return self.env(**{"DATABASE_URL": as_role(role, self.database_url), **changes})

    async def begin(self) -> None:
        await asyncio.gather(asyncio.to_thread(self.database.start), asyncio.to_thread(self.cache.start))
        await self.furnish()
        self.service = Proc(self.service.name, self.service._command, env=self.env(), folder=self.folder)
        self.service_url = (await self.service.start()).ready_line.removeprefix("ready ")

    async def furnish(self) -> None:
        """Schema, project, device and forms."""
        await migrate(self.database_url)
        await asyncio.to_thread(make_logins, self.database_url)
        self.token = (await seed(self.database_url, portal_url="http://portal.example", max_runs=64)).upload_token
        await self.furnish_forms()

    async def furnish_forms(self) -> None:
        """What the phones of this tier send."""
        async with self.connect() as conn:
            await conn.execute("update portal set settle_s = 4")
            for key, shots in FORMS.items():
                await conn.execute(
                    "insert into form_def (form_key, version, title, schema, shots) values (%s, 1, %s, '{}', %s)",
                    (key, key, Json(shots)),
                )

    async def serve(self, **changes: str) -> None:
        """The web process, supervised."""
        self.api = Supervised(
            "api", lambda name: Proc(name, SERVE, env=self.env_as("app", **changes), folder=self.folder)
        )
        await self.api.start()

    async def work(self, count: int = 2, **changes: str) -> None:
        """So many supervised workers more."""
        first = len(self.workers)
        made = [
            Supervised(f"worker{n}", lambda name: self.worker(name, **changes)) for n in range(first, first + count)
        ]
        self.workers += made
        await asyncio.gather(*(worker.start() for worker in made))

    def worker(self, name: str, *, prefix: Sequence[str] = (), **changes: str) -> Proc:
        """A worker that nobody restarts; not started yet."""
        made = Proc(name, WORKER, env=self.env_as("worker", **changes), folder=self.folder, prefix=prefix)
        self.loose.append(made)
        return made

    def web(self, name: str, **changes: str) -> Proc:
        """A web process that nobody restarts; not started yet."""
        made = Proc(name, SERVE, env=self.env_as("app", **changes), folder=self.folder)
        self.loose.append(made)
        return made

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        async with await AsyncConnection.connect(self.database_url, autocommit=True, connect_timeout=30) as conn:
            yield conn

    async def one(self, query: str, *args: object) -> Any:
        async with self.connect() as conn:
            row = await (await conn.execute(query.encode(), args)).fetchone()
        return row[0] if row is not None and len(row) == 1 else row

    async def all(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        async with self.connect() as conn:
            return await (await conn.execute(query.encode(), args)).fetchall()

    async def behave(self, **mode: object) -> None:
        """The automation service's manners from now on."""
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self.service_url}/faults", json=mode)).raise_for_status()

    async def running_on(self, pid: int) -> tuple[UUID, ...]:
        """The jobs of a worker's open attempts."""
        return tuple(row[0] for row in await self.all(RUNNING, f"%:{pid}"))

    async def signal(self, worker: Proc, act: str, number: signal.Signals) -> tuple[UUID, ...]:
        """Send it, and write down what the worker was running."""
        running = await self.running_on(worker.pid)
        self.nemesis.write(Act(at=now(), act=act, target=worker.name, running=running))
        worker.send(number)
        return running

    def outage(self, since: float, until: float, *, of: str) -> None:
        self.nemesis.write(Act(at=since, act="outage", target=of, until=until))

    async def calm(self, *, within_s: float = DEADLINE_S) -> None:
        """Wait until nothing runs or is due any more. Raises `AssertionError` with what is left."""
        until = time.monotonic() + within_s
        left: Any = None
        while time.monotonic() < until:
            try:
                left = (await self.one(BUSY), await self.one(ROWS))
            except psycopg.Error as exc:
                left = type(exc).__name__
            if left == (0, 0):
                return
            await asyncio.sleep(0.2)
        states = await self.all("select state, wait_reason, count(*) from automation_job group by 1, 2")
        rows = await self.all("select status::text, queue_name, count(*) from procrastinate_jobs group by 1, 2")
        raise AssertionError(f"not calm within {within_s:g} s: {left} left; jobs {states}, queue rows {rows}")

    async def history(self) -> History:
        async with self.connect() as conn:
            snapshot = await store.snapshot(conn, blobs=self.folder / "blobs")
        return History(
            calls=lines(self.calls.path, Call),
            effects=lines(self.portal_log, Effect),
            heard=lines(self.streams.path, Heard),
            acts=lines(self.nemesis.path, Act),
            snapshot=snapshot,
        )

    async def judge(
        self, *, demands: checker.Demands | None = None, limits: Limits | None = None, doctor: bool = True
    ) -> checker.Report:
        """The checker's report; `ops.doctor` must agree. Raises `AssertionError` on any violation."""
        report = checker.check(await self.history(), demands=demands, limits=limits, slack=slack())
        if doctor:
            sick = await self.all("select rule, job_id, sentence from ops.doctor(10)")
            report.violations += [
                checker.Violation(rule=f"doctor {rule}", subject=str(job), sentence=text) for rule, job, text in sick
            ]
        if report.violations:
            raise AssertionError(str(report))
        return report

    def keep_logs(self) -> Path:
        """A copy that outlives the run, for whoever looks into a failure."""
        kept = Path(tempfile.mkdtemp(prefix="asbuilt-violated-"))
        for path in (*self.folder.glob("*.log"), *self.folder.glob("*.jsonl")):
            shutil.copy(path, kept)
        return kept

    async def end_processes(self) -> None:
        supervised = [*self.workers, *([self.api] if self.api else [])]
        await asyncio.gather(*(one.stop() for one in supervised), *(one.stop() for one in self.loose))
        await self.service.stop()
        for log in (self.calls, self.streams, self.nemesis):
            log.close()

    async def end(self) -> None:
        await self.end_processes()
        await asyncio.gather(asyncio.to_thread(self.cache.stop), asyncio.to_thread(self.database.stop))
        for sockets in (self.database.sockets, self.cache.sockets):
            shutil.rmtree(sockets, ignore_errors=True)


@asynccontextmanager
async def cluster(
    *,
    workers: int = 2,
    api: bool = True,
    settings: Mapping[str, str] | None = None,
    seconds: float = 2.0,
    database: Callable[[Path], Database] = Database,
) -> AsyncIterator[Cluster]:
    """Started and ready; stopped and thrown away at the end. `seconds` is how long a run takes."""
    folder = Path(tempfile.mkdtemp(prefix="asbuilt-fault-"))
    made = Cluster(folder, database=database(folder))
    made.settings |= settings or {}
    try:
        await made.begin()
        await made.behave(seconds=seconds)
        await asyncio.gather(*([made.serve()] if api else []), *([made.work(workers)] if workers else []))
        yield made
    except BaseException as exc:
        exc.add_note(f"logs: {made.keep_logs()}")
        raise
    finally:
        await made.end()
        shutil.rmtree(folder, ignore_errors=True)
