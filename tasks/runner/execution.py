"""Carries out one run from its photos to its end, and turns everything that can go wrong into a failure with an outcome."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.core.settings import Settings
from tasks.engines.codes import class_of
from tasks.engines.contract import Outcome, Result, RunFailure, RunSpec
from tasks.engines.events import RunCancelled, RunFailed, RunStarted, RunSucceeded
from tasks.runner import photos
from tasks.runner.actions import Hands, scope_of
from tasks.runner.driver import Driver, RunError, matches
from tasks.runner.drivers import Drivers
from tasks.runner.finder import NONE
from tasks.runner.gate import CommitGate, DryRun
from tasks.runner.interpreter import Interpreter
from tasks.runner.pace import Pace
from tasks.runner.pages import Pages
from tasks.runner.portals import PortalConfig
from tasks.runner.questions import Questions
from tasks.runner.recipe import Recipe
from tasks.runner.run import Run
from tasks.runner.secret_hosts import SecretHosts
from tasks.runner.sessions import Sessions

log = logging.getLogger("asbuilt.runner")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, and how many runs at once."""

    concurrency: int = 6
    gate_s: float = 120.0
    submit_s: float = 30.0
    heartbeat_s: float = 10.0
    answer_s: float = 180.0
    """How long a run holds its page open for a person."""
    keep_s: float = 7 * 86400.0


class Workshop(msgspec.Struct, frozen=True, kw_only=True):
    """What every run needs."""

    settings: Settings
    limits: Limits
    portals: Mapping[str, PortalConfig]
    drivers: Drivers
    sessions: Sessions
    paces: Mapping[str, Pace]
    work: Path
    """Photos of running runs; emptied at start-up."""

    def pace(self, portal: str) -> Pace:
        """How fast this portal's pages may be loaded."""
        return self.paces[portal]


async def execute(run: Run, *, recipe: Recipe, shop: Workshop) -> None:
    """Ends with exactly one terminal event, which is on disk when this returns. Raises only cancellation."""
    spec = run.spec
    if spec is None:
        return
    gate = CommitGate(
        run,
        external_ref=spec.external_ref,
        expiry_s=shop.limits.gate_s,
        submit_s=shop.limits.submit_s,
        dry_run=spec.commit == "dry_run",
    )
    run.gate = gate
    folder = shop.work / run.id
    stage = _Stage(run=run, gate=gate, recipe=recipe)
    try:
        result = await _play(run, spec, recipe=recipe, shop=shop, stage=stage, folder=folder)
        run.emit("run.succeeded", RunSucceeded(result=result))
    except asyncio.CancelledError:
        gate.shut()
        _stopped(run, stage)
        raise
    except RunError as exc:
        gate.shut()
        run.emit("run.failed", RunFailed(error=stage.failure(exc)))
    except Exception:
        gate.shut()
        log.exception("run broke", extra={"event": "runner.run_broke", "run": run.id})
        run.emit("run.failed", RunFailed(error=stage.failure(RunError("INTERNAL", "the service failed inside itself"))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        await run.sync()
        log.info("run ended", extra={"event": "runner.run_ended", "run": run.id, "status": run.status})


class _Stage:
    """Where a run stands, for the failure that may come."""

    def __init__(self, *, run: Run, gate: CommitGate, recipe: Recipe) -> None:
        self.run = run
        self.recipe = recipe
        self.gate = gate
        self.interpreter: Interpreter | None = None
        self.frame: str | None = None

    @property
    def step(self) -> str | None:
        step = self.interpreter.step if self.interpreter is not None else None
        return step.id if step is not None else None

    def outcome(self, code: str) -> Outcome:
        """Nothing left before `commit.sent`; after it only the portal's own refusal of what it was sent is a no."""
        if self.gate.sent_at is None:
            return "not_submitted"
        refused = self.gate.answer is not None and class_of(code) == "validation_rejected"
        return "not_submitted" if refused or self._turned_away(code) else "unknown"

    def _turned_away(self, code: str) -> bool:
        """Whether the submission's own answer led to the sign-in: the portal never looked at it."""
        answer = self.gate.answer
        if code != "SESSION_EXPIRED" or answer is None or answer.location is None:
            return False
        wanted = [each.when.url for each in self.recipe.detect if each.code == code]
        return any(url is not None and matches(url, answer.location) for url in wanted)

    def failure(self, exc: RunError) -> RunFailure:
        return RunFailure(
            code=exc.code,
            message=str(exc),
            error_class=exc.error_class,
            step=self.step,
            action=self.interpreter.action if self.interpreter is not None else None,
            portal_messages=exc.messages,
            frame=self.frame,
            retry_after_s=exc.retry_after_s,
            outcome=self.outcome(exc.code),
        )


async def _play(run: Run, spec: RunSpec, *, recipe: Recipe, shop: Workshop, stage: _Stage, folder: Path) -> Result:
    portal = shop.portals[spec.portal]
    if recipe.needs == "browser" and shop.drivers.name == NONE:
        raise RunError("BROWSER_NEEDED", f"the recipe {recipe.recipe} needs a browser, and this service has none")
    driver = await shop.drivers.driver(dialogs=recipe.dialogs, pace=shop.pace(spec.portal))
    try:
        run.emit("run.started", RunStarted(worker="asbuilt-runner", browser=driver.browser))
        pictures = await photos.fetch(spec.files, folder=folder, token=shop.settings.automation_token)
        known = portal.accounts[spec.account].values()
        scope = scope_of(
            form=spec.inputs,
            external_ref=spec.external_ref,
            record_id=str(spec.record_id),
            secret=known,
            photos=pictures,
            maps=recipe.maps,
        )
        run.questions = Questions(run, patience_s=shop.limits.answer_s, totp_secret=known.get("totp", ""))
        hosts = SecretHosts(portal.base_url, portal.allowed_hosts)
        pages = Pages(driver, recipe, run, hosts=hosts, asker=run.questions)
        hands = Hands(driver, pages, scope=scope, base_url=portal.base_url, hosts=hosts, photos=pictures)
        stage.interpreter = interpreter = Interpreter(
            recipe=recipe,
            spec=spec,
            driver=driver,
            hands=hands,
            pages=pages,
            gate=stage.gate,
            session=shop.sessions.of(spec.portal, spec.account),
            narrator=run,
            scope=scope,
        )
        return await _until_deadline(run, interpreter, driver=driver, stage=stage)
    finally:
        # A request still held must be refused before its page goes away.
        stage.gate.shut()
        await driver.close()


async def _until_deadline(run: Run, interpreter: Interpreter, *, driver: Driver, stage: _Stage) -> Result:
    spec = run.spec
    try:
        async with run.timed():
            return await interpreter.play()
    except DryRun:
        return Result(external_ref=spec.external_ref if spec else "", how="dry_run")
    except TimeoutError:
        raise RunError("DEADLINE", "the run took longer than it may") from None
    except RunError:
        if spec is not None and spec.screenshots != "off" and stage.step is not None:
            stage.frame = run.frame(await driver.shot(), step=stage.step)
            await _keep_page(run, driver)
        raise


async def _keep_page(run: Run, driver: Driver) -> None:
    """What a person needs to see why it failed, without secrets: the page's source, and as a screen reader tells it."""
    copy = await driver.copy()
    if copy is not None:
        run.keep(copy.html, mime="text/html")
        if copy.aria:
            run.keep(copy.aria, mime="text/plain")


def _stopped(run: Run, stage: _Stage) -> None:
    """Cancelled by its owner, or by the service's own end."""
    if run.cancel_reason is not None and stage.gate.sent_at is None:
        run.emit("run.cancelled", RunCancelled(stage=stage.step or "queued"))
        return
    run.emit(
        "run.failed", RunFailed(error=stage.failure(RunError("BROWSER_LOST", "the automation service was stopped")))
    )
