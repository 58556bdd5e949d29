"""Starts and stops the reference automation service: the only composition root of its process."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import uvicorn

from app.core import crashpoints
from app.core.settings import Settings, SettingsError
from tasks.runner import drivers, portals, recipe_file
from tasks.runner.execution import Limits, Workshop
from tasks.runner.pace import Pace
from tasks.runner.runs import Runs
from tasks.runner.sessions import Sessions
from tasks.runner.site import create_site

log = logging.getLogger("asbuilt.runner")

_SHUTDOWN_S = 3
_PRUNE_S = 3600.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service that answers at `url`."""

    url: str
    runs: Runs


async def serve(settings: Settings) -> None:
    """Run the service until SIGTERM or SIGINT; prints `ready URL` once it answers. Raises `SettingsError`."""
    crashpoints.arm(settings.crashpoint)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as service:
        # The ready line is for whoever started the process.
        print(f"ready {service.url}", flush=True)  # noqa: T201
        await stop.wait()


@asynccontextmanager
async def running(settings: Settings, *, limits: Limits | None = None) -> AsyncGenerator[Service, None]:
    """The service, answering for as long as the block lasts. Port 0 takes a free one."""
    if not settings.automation_token:
        raise SettingsError(["AUTOMATION_TOKEN is not set: the automation service takes no work from strangers"])
    limits = limits or Limits(
        concurrency=settings.runner_concurrency,
        gate_s=settings.gate_s,
        submit_s=settings.submit_s,
        answer_s=settings.answer_s,
    )
    try:
        recipes = recipe_file.available(settings.recipes)
    except recipe_file.RecipeProblem as exc:
        raise SettingsError([f"ASBUILT_RECIPES: {each}" for each in exc.problems]) from exc
    settings.runner_dir.mkdir(parents=True, exist_ok=True)
    async with drivers.chosen(settings, submit_s=limits.submit_s) as chosen:
        known = portals.configured(settings)
        shop = Workshop(
            settings=settings,
            limits=limits,
            portals=known,
            drivers=chosen,
            sessions=Sessions(),
            paces={key: Pace(per_s=each.pages_per_s, burst=each.pages_at_once) for key, each in known.items()},
            work=settings.runner_dir / "work",
        )
        runs = Runs(folder=settings.runner_dir, recipes=recipes, shop=shop)
        runs.restore()
        pruning = asyncio.create_task(_prune(runs))
        try:
            async with _listening(runs, settings) as url:
                log.info("runner started", extra={"event": "runner.started", "driver": chosen.name})
                yield Service(url=url, runs=runs)
        finally:
            pruning.cancel()
            await runs.close()
    log.info("runner stopped", extra={"event": "runner.stopped"})


async def _prune(runs: Runs) -> None:
    while True:
        await asyncio.sleep(_PRUNE_S)
        runs.prune()


class PlainServer(uvicorn.Server):
    """uvicorn without its signal handling, which ends the process by the signal instead of with exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _listening(runs: Runs, settings: Settings) -> AsyncGenerator[str, None]:
    config = uvicorn.Config(
        create_site(runs, token=settings.automation_token),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.runner_host, settings.runner_port))
        # Listens before the server accepts: who comes early waits a moment instead of being refused.
        listener.listen(128)
        server = PlainServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="runner server")
        try:
            yield f"http://{settings.runner_host}:{listener.getsockname()[1]}"
        finally:
            # Open streams would hold the server up until its limit.
            runs.drain()
            server.should_exit = True
            await task
