"""A cluster with the real automation service (forms driver) and the real demo portal, a relay between worker and service.

For what the stand-in cannot show: the service's own process hit at a run's gate.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import msgspec

from app.local.samples import Sample, samples
from app.local.sending import send
from tests.faults import store
from tests.faults.checker import Demands, Report
from tests.faults.cluster import Cluster
from tests.faults.history import Act, Call, Effect, Heard, History, lines, now
from tests.faults.network import relay
from tests.faults.processes import DEADLINE_S, Proc
from tests.machine import free_port

LEASE_S = 3.0
RUNNER = (sys.executable, "-m", "app.cli", "runner")
PORTAL = (sys.executable, "-m", "app.cli", "portal")
SCALED = {
    "ASBUILT_LEASE_S": "3",
    "ASBUILT_RECONCILE_S": "0.5",
    "ASBUILT_GATE_S": "15",
    "ASBUILT_SUBMIT_S": "2",
    "ASBUILT_BROWSER": "none",
    "ASBUILT_PORTAL_PORT": "0",
}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the portal's own log."""

    reference: str
    fence: int | None
    time: datetime
    accepted: bool


class PortalHouse(Cluster):
    """`runner` is the service's process of the moment; `link` carries the worker's calls to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings |= SCALED
        self.runner_port = free_port()
        self.portal_url = ""
        self.drawn: Iterator[Sample] = samples(99, project="demo", now=datetime.now(UTC), seed=1, sketch=True)
        self.lives = 0
        self.runner = self._runner()
        self.portal = Proc("portal", PORTAL, env=self.env(), folder=self.folder)
        self.link = self._link("127.0.0.1:0")

    async def begin(self) -> None:
        await asyncio.gather(asyncio.to_thread(self.database.start), asyncio.to_thread(self.cache.start))
        await self.furnish()
        self.portal = Proc("portal", PORTAL, env=self.env(), folder=self.folder)
        self.portal_url = (await self.portal.start()).ready_line.removeprefix("ready ")
        self.link = await self._link("127.0.0.1:0").start()
        self.service_url = f"http://{self.link.ready_line.removeprefix('ready ')}"
        await self.arm("")

    def env(self, **changes: str) -> dict[str, str]:
        return super().env(
            **{
                "ASBUILT_RUNNER_PORT": str(getattr(self, "runner_port", 0)),
                "ASBUILT_RUNNER_DIR": str(self.folder / "runner"),
                "ASBUILT_PORTAL_URL": getattr(self, "portal_url", ""),
                "ASBUILT_PORTAL_LOG": str(self.portal_log),
                **changes,
            }
        )

    def _runner(self, **changes: str) -> Proc:
        self.lives += 1
        return Proc(f"runner-{self.lives}", RUNNER, env=self.env(**changes), folder=self.folder)

    def _link(self, listen: str) -> Proc:
        return relay("link", listen=listen, to=f"127.0.0.1:{self.runner_port}", folder=self.folder, env=self.env())

    async def arm(self, crashpoint: str) -> Proc:
        """Another service in place of the one that runs, armed or not."""
        await self.runner.stop()
        self.runner = self._runner(CRASHPOINT=crashpoint)
        return await self.runner.start()

    async def cut(self) -> None:
        """All connections between worker and service are lost; new ones are welcome."""
        await self.link.stop()
        self.link = await self._link(self.service_url.removeprefix("http://")).start()

    async def send(self) -> UUID:
        """One generated record, as a phone sends it; its job."""
        sample = next(self.drawn)
        key = UUID(msgspec.json.decode(sample.record)["id"])
        asked = Call(at=now(), client="phone", op="upload", key=key, phase="invoke")
        self.calls.write(asked)
        async with httpx.AsyncClient(base_url=self.url, timeout=DEADLINE_S, trust_env=False) as client:
            receipt = await send(client, sample, token=self.token)
        self.calls.write(
            msgspec.structs.replace(asked, phase="ok", record=receipt.record_id, job=receipt.automation_job_id)
        )
        return receipt.automation_job_id

    def effects(self) -> list[Effect]:
        """The portal's own log."""
        raw = self.portal_log.read_bytes().split(b"\n")[:-1] if self.portal_log.exists() else []
        found = (msgspec.json.decode(line, type=Line) for line in raw)
        return [
            Effect(reference=each.reference, fence=each.fence or 0, time=each.time.timestamp(), accepted=each.accepted)
            for each in found
        ]

    async def history(self) -> History:
        async with self.connect() as conn:
            snapshot = await store.snapshot(conn, blobs=self.folder / "blobs")
        return History(
            calls=lines(self.calls.path, Call),
            effects=self.effects(),
            heard=lines(self.streams.path, Heard),
            acts=lines(self.nemesis.path, Act),
            snapshot=snapshot,
        )

    async def verdict(self, *, jobs: int) -> Report:
        """Everything calm, everything judged, every job completed."""
        await self.calm()
        report = await self.judge(demands=Demands(acked=jobs, effects=jobs))
        assert report.figures["jobs_completed"] == jobs, report
        return report

    async def end_processes(self) -> None:
        for one in (self.runner, self.portal, self.link):
            if one.process is not None:
                one.send(signal.SIGCONT)
            await one.stop()
        await super().end_processes()


@asynccontextmanager
async def portal_house(*, workers: int = 1, code: bytes = b"") -> AsyncIterator[PortalHouse]:
    """Started and ready; stopped and thrown away at the end. `code` is a mutant for every process of ours."""
    made = PortalHouse(Path(tempfile.mkdtemp(prefix="asbuilt-portal-house-")))
    if code:
        made.mutant = made.folder / "mutant.json"
        made.mutant.write_bytes(code)
    try:
        await made.begin()
        await asyncio.gather(made.serve(), *([made.work(workers)] if workers else []))
        yield made
    except BaseException as exc:
        exc.add_note(f"logs: {made.keep_logs()}")
        raise
    finally:
        await made.end()
        shutil.rmtree(made.folder, ignore_errors=True)
