"""The composition root of a worker: Procrastinate's App with the one task, and a Worker that keeps house beside it."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Unpack
from uuid import UUID

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.app import WorkerOptions
from procrastinate.worker import Worker

from app.core import logs, settings
from app.core.db import connect_arguments
from tasks.automation import automate
from tasks.housekeeping import Reconciler, Timer
from tasks.workshop import Workshop, open_workshop

QUEUE = "automation"
"""What may run now. Rows that wait stand in queue `waiting`, which no worker fetches."""


class AutomationWorker(Worker):
    """Opens the workshop around its run, and runs the house's own loops beside Procrastinate's."""

    def __init__(self, app: App, config: settings.Settings, **options: Unpack[WorkerOptions]) -> None:
        super().__init__(app, **options)
        self._config = config
        self._shop: Workshop | None = None

    async def run(self) -> None:
        async with open_workshop(self._config) as shop:
            self._shop = shop
            self.additional_context = {"shop": shop}
            await super().run()  # type: ignore[no-untyped-call]

    def _start_side_tasks(self) -> list[asyncio.Task[Any]]:
        tasks = super()._start_side_tasks()
        if self._shop is not None:
            tasks.append(asyncio.create_task(Timer(self._shop).loop(), name="timer"))
            tasks.append(asyncio.create_task(Reconciler(self._shop).loop(), name="reconciler"))
            sys.stdout.write(f"ready worker {self._shop.worker}\n")
            sys.stdout.flush()
        return tasks


class AutomationApp(App):
    """An App whose worker is ours."""

    config: settings.Settings

    def _worker(self, **options: Unpack[WorkerOptions]) -> Worker:
        merged: WorkerOptions = {**self.worker_defaults, **options}
        return AutomationWorker(self, self.config, **merged)


def make_app(config: settings.Settings) -> App:
    """The App that `procrastinate --app=tasks.app worker` runs."""
    app = AutomationApp(
        connector=PsycopgConnector(
            conninfo=config.database_url,
            kwargs=connect_arguments("asbuilt-worker-queue"),
            min_size=1,
            max_size=4,
            timeout=300,
            reconnect_timeout=300,
        ),
        worker_defaults={
            "queues": [QUEUE],
            "concurrency": config.concurrency,
            "fetch_job_polling_interval": config.poll_s,
            "update_heartbeat_interval": config.heartbeat_s,
            "stalled_worker_timeout": config.drain_s + 60,
            "shutdown_graceful_timeout": config.drain_s,
        },
    )
    app.config = config

    @app.task(name="automation", queue=QUEUE, pass_context=True)
    async def automation(context: JobContext, *, automation_job_id: str) -> None:
        if context.job.id is None:
            raise ValueError("a fetched queue row has an id")
        await automate(context.additional_context["shop"], UUID(automation_job_id), context.job.id)

    return app


def load_app() -> App:
    """The App of this process, by its environment."""
    logs.configure()
    return make_app(settings.load("database_url", "automation_url", "automation_token"))
