"""The service as a process: its ready line, its clean end, and what it knows of its runs after being killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running as portal_running
from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.contract import CommitGrant, Event
from tasks.engines.events import CommitRequested, RunFailed
from tasks.runner import Limits, running
from tests.worker.rig import DEADLINE_S, TOKEN, Files, Rig, key, listening

PROGRAM = (
    "import asyncio; from app.core import settings; from tasks.runner import serve; asyncio.run(serve(settings.load()))"
)


class Process:
    """The service in a process of its own, with a client."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.engine = AsbuiltEngine(url, token=TOKEN)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        await self.engine.close()
        self.process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Process]:
    env = {
        "PATH": os.environ["PATH"],
        "AUTOMATION_TOKEN": TOKEN,
        "ASBUILT_RUNNER_PORT": "0",
        "ASBUILT_RUNNER_DIR": str(settings.runner_dir),
        "ASBUILT_PORTAL_URL": settings.portal_url,
        "ASBUILT_BROWSER": settings.browser,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready http://127.0.0.1:")
        yield Process(process, line.split()[1])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def rig(database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    """Like the other rigs, but the service is started by each test."""
    files = Files()
    settings = Settings(
        database_url=database_url,
        portal_port=0,
        portal_log=tmp_path / "portal.jsonl",
        runner_port=0,
        runner_dir=tmp_path / "runner",
        automation_token=TOKEN,
        browser="none",
    )
    async with listening(files) as files.url, portal_running(settings, seed=1) as portal, httpx.AsyncClient() as http:
        settings = msgspec.structs.replace(settings, portal_url=portal)
        made = Rig(settings=settings, portal=portal, files=files, http=http)
        await made.quirks(think_min_s=0, think_max_s=0)
        yield made


async def until(engine: AsbuiltEngine, run: Any, kind: str) -> Event:
    async for event in engine.events(run, deadline_s=DEADLINE_S):
        if event.type == kind:
            return event
    raise AssertionError(f"the run ended without {kind}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_ends_cleanly_even_while_somebody_follows_a_run(rig: Rig, number: signal.Signals) -> None:
    async with started(rig.settings) as service:
        run = await service.engine.start(rig.spec(), key=key())
        await until(service.engine, run, "commit.requested")
        assert await service.end(number) == 0
    async with running(rig.settings) as again:
        error = again.runs.get(run.run_id).view().error
        assert error is not None
        assert (error.code, error.outcome) == ("BROWSER_LOST", "not_submitted")


async def test_a_run_killed_at_the_gate_was_not_submitted(rig: Rig) -> None:
    spec = rig.spec()
    async with started(rig.settings) as service:
        run = await service.engine.start(spec, key="k.1")
        requested = await until(service.engine, run, "commit.requested")
        await service.end(signal.SIGKILL)
    async with started(rig.settings) as service:
        same = await service.engine.start(msgspec.structs.replace(spec, attempt=2), key="k.1")
        assert (same.run_id, same.replayed) == (run.run_id, True)
        failed = await until(service.engine, run, "run.failed")
        assert failed.seq == requested.seq + 1
        error = failed.read(RunFailed).error
        assert (error.code, error.error_class, error.outcome) == ("BROWSER_LOST", "transient", "not_submitted")
        assert await rig.submissions(spec.external_ref) == []
        await service.end(signal.SIGTERM)


async def test_a_run_killed_while_it_submits_has_an_unknown_outcome(rig: Rig) -> None:
    await rig.quirks(submit={"ok": 0, "slow": 1}, slow_s=1.0)
    spec = rig.spec()
    async with started(rig.settings) as service:
        run = await service.engine.start(spec, key="k.1")
        token = (await until(service.engine, run, "commit.requested")).read(CommitRequested).token
        await service.engine.authorize_commit(run, CommitGrant(token=token, attempt=1))
        await until(service.engine, run, "commit.sent")
        await service.end(signal.SIGKILL)
    async with started(rig.settings) as service:
        error = (await until(service.engine, run, "run.failed")).read(RunFailed).error
        assert (error.code, error.outcome) == ("SUBMIT_OUTCOME_UNKNOWN", "unknown")
        await service.end(signal.SIGTERM)


async def test_a_submission_on_its_way_is_awaited_when_the_service_stops(rig: Rig) -> None:
    await rig.quirks(submit={"ok": 0, "slow": 1}, slow_s=1.0)
    spec = rig.spec()
    async with started(rig.settings) as service:
        run = await service.engine.start(spec, key="k.1")
        token = (await until(service.engine, run, "commit.requested")).read(CommitRequested).token
        await service.engine.authorize_commit(run, CommitGrant(token=token, attempt=1))
        await until(service.engine, run, "commit.sent")
        assert await service.end(signal.SIGTERM) == 0
    async with running(rig.settings) as again:
        view = again.runs.get(run.run_id).view()
        assert view.status == "succeeded"
        assert view.result is not None
        [made] = await rig.submissions(spec.external_ref)
        assert made["confirmation"] == view.result.confirmation_number


async def test_a_torn_last_line_is_cut_off_and_old_runs_are_forgotten(rig: Rig) -> None:
    async with running(rig.settings) as service:
        engine = AsbuiltEngine(service.url, token=TOKEN)
        run = await engine.start(rig.spec(), key="k.1")
        await until(engine, run, "commit.requested")
        await engine.cancel(run, reason="test")
        await engine.close()
    path = rig.settings.runner_dir / "runs" / f"{run.run_id}.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq": 99, "run_id": "run_')
    (path.parent / "run_empty.jsonl").write_bytes(b"")
    async with running(rig.settings) as service:
        assert service.runs.get(run.run_id).view().status == "cancelled"
        assert path.read_bytes() == whole
    os.utime(path, (0, 0))
    async with running(rig.settings, limits=Limits(keep_s=3600)):
        assert list(path.parent.iterdir()) == []
