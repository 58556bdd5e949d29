"""The throw-away stack of a torture: its own home, ports, servers and processes, with timings scaled down.

It starts and stops; what is done to it meanwhile is others' business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
from psycopg import AsyncConnection

from app.local import home as homes
from app.local import lock, stack
from app.local.errors import LocalStackError
from app.local.home import Home
from app.local.servers import fill, start_cache, start_database
from app.local.sockets import socket_directory
from app.local.stack import Plan
from app.local.supervisor import Supervisor
from sql import load

WORKERS = 4
SLOW_S = 6.0
INDEX_LAG_S = 2.0
SETTLE_S = SLOW_S + INDEX_LAG_S + 2.0
"""The latest a request may still be taken in, until the search shows it, and a margin."""
SCALED = {
    "ASBUILT_HEARTBEAT_S": "1",
    "ASBUILT_LEASE_S": "3",
    "ASBUILT_RECONCILE_S": "0.5",
    "ASBUILT_POLL_S": "2",
    "ASBUILT_RETRY_BASE_S": "0.05",
    "ASBUILT_ATTEMPT_S": "60",
    "ASBUILT_GATE_S": "20",
    "ASBUILT_SUBMIT_S": "4",
    "ASBUILT_DRAIN_S": "2",
    "ASBUILT_LOOK_S": "1",
    # One attempt a worker, so that each strike hits one.
    "ASBUILT_CONCURRENCY": "1",
    "ASBUILT_RUNNER_CONCURRENCY": "16",
    # A portal this bad is given up after three failures by default, rightly; here it is to be insisted on.
    "ASBUILT_MAX_ATTEMPTS": "60",
    "ASBUILT_FREE_DISK_BYTES": "0",
    "ASBUILT_BROWSER": "none",
}
WEATHER: dict[str, object] = {
    "preset": "bad-day",
    "drop_rate": 0.005,
    # Shared by some ten runs at a time.
    "session_requests": 140,
    # As the preset's, but none is refused: a refusal is an answer, and final.
    "submit": {"ok": 40, "lost": 20, "closed": 8, "error": 18, "slow": 14},
    "slow_s": SLOW_S,
    "index_lag_s": INDEX_LAG_S,
}
ENDURE = load("torture").exec("endure")
_OURS = ("ASBUILT_", "AUTOMATION_", "DATABASE_URL", "REDIS_URL", "CRASHPOINT")
_NAMES = tuple(f"{stack.WORKER}-{number}" for number in range(1, WORKERS + 1))


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A stack that runs."""

    home: Home
    plan: Plan
    token: str
    supervisor: Supervisor

    @property
    def environment(self) -> dict[str, str]:
        """Of a client beside the stack."""
        return stack.child_environment(self.plan)

    def runner(self) -> int | None:
        """The process of the automation service."""
        return self.supervisor.pid(stack.RUNNER)

    def has_worker(self, pid: int) -> bool:
        """Whether this is one of the workers that run now."""
        return any(self.supervisor.pid(name) == pid for name in _NAMES)

    async def release_workers(self) -> None:
        """Start the workers, all at once."""
        worker = stack.services(self.plan)[stack.WORKER]
        specs = (
            msgspec.structs.replace(worker, name=name, log=stack.log_of(self.home, name), tries=10) for name in _NAMES
        )
        await asyncio.gather(*(self.supervisor.start(spec) for spec in specs))

    async def stop(self) -> None:
        """Everything, workers first."""
        await asyncio.gather(*(self.supervisor.stop([name]) for name in _NAMES))
        await self.supervisor.stop(stack.STOP_ORDER)

    def left_over(self, *, within_s: float = 5.0) -> int:
        """Processes that still work in the home after everything was stopped."""
        deadline = time.monotonic() + within_s
        while (left := _processes_in(self.home.root)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def keep(self) -> Path:
        """A copy of the logs that outlives the home, for whoever looks into a failure."""
        kept = Path(tempfile.mkdtemp(prefix="asbuilt-torture-logs-"))
        for path in (*self.home.logs.iterdir(), self.home.portal_log):
            if path.is_file():
                shutil.copy(path, kept)
        return kept


@asynccontextmanager
async def raised(*, env: Mapping[str, str], seed: int) -> AsyncGenerator[Stage, None]:
    """A stack that answers, its portal on its worst day, no workers yet; the home is gone at the end."""
    home = Home(root=Path(tempfile.mkdtemp(prefix="asbuilt-torture-")))
    homes.prepare(home)
    sockets = socket_directory(home.root)
    # What is started again is what the torture is about; nobody has to be told.
    supervisor = Supervisor(say=lambda _: None, record=lambda children: lock.record(home, children=children))
    try:
        yield await _raise(home, supervisor, sockets=sockets, env=env, seed=seed)
    finally:
        await supervisor.stop((*_NAMES, *stack.STOP_ORDER))
        shutil.rmtree(sockets, ignore_errors=True)
        shutil.rmtree(home.root, ignore_errors=True)


async def _raise(home: Home, supervisor: Supervisor, *, sockets: Path, env: Mapping[str, str], seed: int) -> Stage:
    clean = {name: value for name, value in env.items() if not name.startswith(_OURS)}
    database_url, redis_url = await asyncio.gather(
        start_database(home, supervisor, sockets=sockets, env=clean, say=_nothing),
        start_cache(home, supervisor, sockets=sockets, env=clean, say=_nothing),
    )
    plan = Plan(
        home=home,
        port=homes.free_port(),
        preset="bad-day",
        ports=homes.load_ports(home),
        secrets=homes.load_secrets(home),
        database_url=database_url,
        redis_url=redis_url,
        inherited={**clean, **SCALED},
    )
    # Manners towards a portal are not what is tried here, and would make everything wait.
    homes.write_private(home.accounts_file, content=b"[npl]\npages_per_s = 0\n")
    seeded = await fill(plan)
    async with await AsyncConnection.connect(database_url, autocommit=True, connect_timeout=30) as conn:
        await ENDURE(conn, settle_s=SETTLE_S, max_runs=WORKERS + 2)
    services = stack.services(plan)
    await asyncio.gather(*(supervisor.start(services[name]) for name in (stack.PORTAL, stack.RUNNER, stack.API)))
    await _worsen(plan, seed=seed)
    return Stage(home=home, plan=plan, token=seeded.upload_token, supervisor=supervisor)


async def _worsen(plan: Plan, *, seed: int) -> None:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        answer = await client.post(f"{plan.portal_url}/_demo/quirks", json={**WEATHER, "seed": seed})
    if answer.status_code != 200:
        raise LocalStackError(f"The demo portal refuses its bad day: {answer.text}", exit_code=1)


def _nothing(_sentence: str) -> None:
    pass


def _processes_in(folder: Path) -> int:
    if sys.platform != "linux":
        return 0
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                found += (entry / "cwd").readlink().is_relative_to(folder)
    return found
