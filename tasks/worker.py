"""The composition root of a worker: Procrastinate's App with the one task, and a Worker that keeps house beside it."""

from __future__ import annotations

import sys
from typing import Unpack
from uuid import UUID

from procrastinate import App, JobContext
from procrastinate.app import WorkerOptions
from procrastinate.worker import Worker

from app.core import crashpoints, logs, settings
from tasks import attempt_log
from tasks.automation import automate
from tasks.company import Company
from tasks.fetching import HardenedManager
from tasks.hardening import HardenedWorker
from tasks.housekeeping import Comparer, Keeper, Reconciler, Timer
from tasks.listening import HardenedConnector
from tasks.patience import Patience
from tasks.presence import Presence
from tasks.workshop import Workshop, open_workshop

QUEUE = "automation"
"""What may run now. Rows that wait stand in queue `waiting`, which no worker fetches."""
CHECKS = "checks"
"""Photos whose checks an upload could not wait for. One at a time has a place of its own beside the runs."""


class UnknownQueues(Exception):
    """A worker was told to take other queues than it can: it would do nothing, or fetch what waits."""


class AutomationWorker(HardenedWorker):
    """Opens the workshop around its run, and runs the house's own loops beside Procrastinate's."""

    def __init__(self, app: AutomationApp, **options: Unpack[WorkerOptions]) -> None:
        queues = sorted(options.get("queues") or ())
        if queues not in ([QUEUE], [QUEUE, CHECKS]):
            asked = ",".join(queues) or "all of them"
            raise UnknownQueues(f"--queues: a worker takes {QUEUE},{CHECKS} or {QUEUE} alone, and not {asked}")
        # A check of seconds would wait for runs of minutes, and its record with it.
        places = {QUEUE: options.pop("concurrency", app.config.concurrency), CHECKS: 1}
        super().__init__(
            app,
            manager=app.manager,
            drain_s=app.config.drain_s,
            places={queue: places[queue] for queue in queues},
            **options,
        )
        self._app = app

    async def run(self) -> None:
        manager = self._app.manager
        async with open_workshop(self._app.config, patience=manager.patience, company=manager.company) as shop:
            self._app.shop = shop
            self.additional_context = {"shop": shop}
            presence = Presence(shop, places=self._places[QUEUE], draining=self._stop_event)
            self.house = (
                ("timer", Timer(shop).loop),
                ("reconciler", Reconciler(shop).loop),
                ("comparer", Comparer(shop).loop),
                ("keeper", Keeper(shop).loop),
                ("presence", presence.loop),
            )
            try:
                await super().run()
            finally:
                await presence.leave()

    def begun(self) -> None:
        if self._app.shop is not None:
            sys.stdout.write(f"ready worker {self._app.shop.worker}\n")
            sys.stdout.flush()


class AutomationApp(App):
    """An App whose worker is ours. One runs one worker."""

    def __init__(self, config: settings.Settings) -> None:
        connector = HardenedConnector(config, back=self._hears)
        super().__init__(
            connector=connector,
            worker_defaults={
                "queues": [QUEUE, CHECKS],
                "concurrency": config.concurrency,
                "fetch_job_polling_interval": config.poll_s,
                "abort_job_polling_interval": config.poll_s,
                "update_heartbeat_interval": config.heartbeat_s,
                "stalled_worker_timeout": config.drain_s + 60,
            },
        )
        self.config = config
        self.manager = HardenedManager(connector, patience=Patience(), company=Company())
        self.job_manager = self.manager
        self.shop: Workshop | None = None

    def _worker(self, **options: Unpack[WorkerOptions]) -> Worker:
        merged: WorkerOptions = {**self.worker_defaults, **options}
        return AutomationWorker(self, **merged)

    async def _hears(self) -> None:
        """LISTEN works, perhaps again: nothing that was missed waits for the poll, and no dead connection is used."""
        self.manager.wakeup.set()
        if self.shop is not None:
            await self.shop.pool.check()


def make_app(config: settings.Settings) -> App:
    """The App that `procrastinate --app=tasks.app worker` runs."""
    app = AutomationApp(config)

    @app.task(name="automation", queue=QUEUE, pass_context=True)
    async def automation(context: JobContext, *, automation_job_id: str) -> None:
        if context.job.id is None:
            raise ValueError("a fetched queue row has an id")
        shop: Workshop = context.additional_context["shop"]
        with logs.about(job=automation_job_id, queue_row=context.job.id):
            async with attempt_log.kept(shop, context.job.id):
                await automate(shop, UUID(automation_job_id), context.job.id)

    @app.task(name="check_photos", queue=CHECKS, pass_context=True)
    async def check_photos(context: JobContext, *, record_id: str) -> None:
        shop: Workshop = context.additional_context["shop"]
        with logs.about(record=record_id):
            await shop.checker.check(UUID(record_id))

    return app


def load_app() -> App:
    """The App of this process, by its environment; ends the process when that does not do."""
    logs.configure()
    try:
        config = settings.load("database_url", "automation_url", "automation_token")
    except settings.SettingsError as exc:
        sys.stderr.write("\n".join([*exc.problems, ""]))
        raise SystemExit(2) from exc
    crashpoints.arm(config.crashpoint)
    return make_app(config)
