"""Procrastinate's worker made to survive what a worker meets; the one module that leans on its private methods.

The version is pinned, and `tests/unit/test_procrastinate_canary.py` fails when what is relied on here changes beneath it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

from procrastinate import App, JobContext
from procrastinate.app import WorkerOptions
from procrastinate.job_context import AbortReason
from procrastinate.worker import Worker

from tasks.fetching import HardenedManager
from tasks.patience import TROUBLE, first_of, told

log = logging.getLogger("asbuilt.worker")

DETACH_S = 5.0
GIVE_UP_S = 1.0
GAVE_UP = 75
"""Exit code (EX_TEMPFAIL): attempts were left to their leases, because the database could not be told of their end."""
RESTART_S = 1.0

House = Sequence[tuple[str, Callable[[], Coroutine[Any, Any, None]]]]


class HardenedWorker(Worker):
    """Drains with its heartbeat on, detaches at a deadline or at a second signal, and always ends.

    `places` says how many jobs of each queue it may run at once, `house` names what else runs for as long as it does.
    """

    def __init__(
        self,
        app: App,
        *,
        manager: HardenedManager,
        drain_s: float,
        places: Mapping[str, int],
        **options: Unpack[WorkerOptions],
    ) -> None:
        self._takes_signals = options.pop("install_signal_handlers", True)
        options |= {"install_signal_handlers": False, "worker_middleware": [self._attend]}
        options |= {"concurrency": sum(places.values())}
        super().__init__(app, **options)
        self.house: House = ()
        self._manager = manager
        self._drain_s = drain_s
        self._places = places
        self._detach_now = asyncio.Event()
        self._working: set[int] = set()
        self._new_job_event = manager.wakeup
        manager.stopping = self._stop_event
        manager.known = app.tasks
        manager.registered = self._registered
        manager.has_place = self._has_place

    async def run(self) -> None:
        """Raises `SystemExit(GAVE_UP)` when attempts had to be left behind."""
        run: Callable[[], Awaitable[None]] = super().run
        with self._signals():
            await run()
        if self._manager.patience.over.is_set():
            raise SystemExit(GAVE_UP)

    def begun(self) -> None:
        """Called once the worker is about to fetch."""

    async def _attend(self, call_next: Callable[[], Awaitable[Any]], context: JobContext, _: Worker) -> Any:
        self._working.add(context.job.id or 0)
        try:
            return await call_next()
        finally:
            self._working.discard(context.job.id or 0)
            self._manager.company.leave(context.job.id or 0)

    def _has_place(self, queue: str) -> bool:
        at_work = sum(context.job.queue == queue for context in self._running_jobs.values())
        return at_work < self._places[queue]

    async def _process_job(self, context: JobContext) -> None:
        # The task's callbacks run in their order, and Procrastinate's, which gives the place back, is the first.
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(self._place_is_free)
        await super()._process_job(context)

    def _place_is_free(self, _: asyncio.Task[Any]) -> None:
        # What the last fetch left out would wait for the poll.
        if self._manager.narrowed:
            self._new_job_event.set()

    async def _fetch_and_process_jobs(self) -> None:
        work_off: Callable[[], Awaitable[None]] = super()._fetch_and_process_jobs
        await work_off()
        # With `--one-shot` the first fetch that brings nothing is the last, but one that left a queue out proves nothing.
        while not self.wait and self._manager.narrowed and not self._stop_event.is_set():
            await first_of(self._new_job_event, self._stop_event)
            await work_off()

    def _registered(self, worker_id: int) -> None:
        self.worker_id = worker_id

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if not self._takes_signals:
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
                # A second signal while the process is ending would kill it, which a supervisor takes for a crash.
                signal.signal(number, signal.SIG_IGN)

    def _told_to_stop(self) -> None:
        """Once: drain. Twice: detach now."""
        again = self._stop_event.is_set()
        log.info("told to stop", extra={"event": "worker.detaching" if again else "worker.draining"})
        if again:
            self._detach_now.set()
        stop: Callable[[], None] = self.stop
        stop()

    def _start_side_tasks(self) -> list[asyncio.Task[Any]]:
        tasks = super()._start_side_tasks()
        self.begun()
        return tasks + [asyncio.create_task(_for_ever(name, loop), name=name) for name, loop in self.house]

    async def _update_heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.update_heartbeat_interval)
            try:
                await self._manager.update_heartbeat(self.worker_id or 0)
            except TROUBLE as exc:
                log.warning("a heartbeat failed", extra={"event": "heartbeat.trouble", **told(exc)})

    async def _shutdown(self, side_tasks: list[asyncio.Task[Any]]) -> None:
        # Procrastinate ends the side tasks first, heartbeat and abort polling too, and only then waits for its jobs:
        # the next worker to start would take a draining one for dead.
        await self._wait_for_jobs(self._drain_s, unless=self._detach_now)
        over = self._manager.patience.over
        await self._detach_jobs(DETACH_S, unless=over)
        if self._running_jobs:
            left = len(self._running_jobs)
            log.error("attempts are left to their leases", extra={"event": "worker.gave_up", "left": left})
            over.set()
            await self._wait_for_jobs(GIVE_UP_S, unless=asyncio.Event())
        if self._running_jobs:
            for task in side_tasks:
                task.cancel()
            return
        await super()._shutdown(side_tasks)

    async def _detach_jobs(self, within_s: float, *, unless: asyncio.Event) -> None:
        """Abort what works, again and again: a single cancellation may be swallowed (see `lease.end`)."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while not unless.is_set() and loop.time() < until:
            working = [(t, c) for t, c in self._running_jobs.items() if c.job.id in self._working]
            if not working:
                break
            for task, context in working:
                self._abort_job(task, context, AbortReason.SHUTDOWN)
            await self._wait_for_jobs(0.2, unless=unless)
        await self._wait_for_jobs(until - loop.time(), unless=unless)

    async def _wait_for_jobs(self, within_s: float, *, unless: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        waiting = asyncio.ensure_future(unless.wait())
        try:
            while self._running_jobs and not waiting.done() and (left := until - loop.time()) > 0:
                running = {*self._running_jobs, waiting}
                await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()


async def _for_ever(name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """One of the house's loops; a mistake in it is logged and does not end it, nor the worker."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("a loop of the house broke", extra={"event": "worker.loop_broke", "loop": name})
        await asyncio.sleep(RESTART_S)
