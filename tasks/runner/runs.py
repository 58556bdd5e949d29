"""All runs of the service: starts each key once, keeps at most so many at work, and knows those of earlier processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.core import logs
from app.core.credentials import Unresolved
from tasks.engines import events as data
from tasks.engines.contract import CommitGrant, RunFailure, RunSpec
from tasks.runner.artifacts import Artifacts
from tasks.runner.execution import Workshop, execute
from tasks.runner.journal import Head, Journal, reopen
from tasks.runner.portals import Account
from tasks.runner.recipe import Recipe
from tasks.runner.recipe_file import Recipes
from tasks.runner.redact import Redactor
from tasks.runner.refusals import (
    CommitUnderWay,
    KeyTaken,
    NotAwaiting,
    NotThere,
    PortalUnknown,
    RecipeUnknown,
    SecretsUnavailable,
    Stopping,
)
from tasks.runner.run import Run, fingerprint

log = logging.getLogger("asbuilt.runner")

_TYPES: dict[str, type[msgspec.Struct]] = {
    "run.started": data.RunStarted,
    "step.started": data.StepStarted,
    "action.started": data.ActionStarted,
    "commit.requested": data.CommitRequested,
    "commit.sent": data.CommitSent,
    "input.required": data.InputRequired,
    "input.received": data.InputReceived,
    "run.succeeded": data.RunSucceeded,
    "run.failed": data.RunFailed,
    "run.cancelled": data.RunCancelled,
}
"""The facts that change a run's own state."""

_COMMIT_GRACE_S = 5.0


class Runs:
    """The register. `folder` holds one file a run and the artifacts."""

    def __init__(self, *, folder: Path, recipes: Recipes, shop: Workshop) -> None:
        self.recipes = recipes
        self.shop = shop
        self.artifacts = Artifacts(folder / "artifacts")
        self.stopping = asyncio.Event()
        self._files = folder / "runs"
        self._by_id: dict[str, Run] = {}
        self._by_key: dict[str, Run] = {}
        self._slots = asyncio.Semaphore(shop.limits.concurrency)

    @property
    def free_slots(self) -> int:
        return max(0, self.shop.limits.concurrency - sum(not run.over for run in self._by_id.values()))

    def restore(self) -> None:
        """Know the runs of the process before, end those it left, and let go of old ones."""
        self._files.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.shop.work, ignore_errors=True)
        self.prune()
        for path in sorted(self._files.glob("*.jsonl")):
            journal = reopen(path)
            if journal is None:
                path.unlink()
                continue
            run = Run(journal, spec=None, redactor=Redactor(()), artifacts=self.artifacts)
            for event in journal.beyond(0):
                run.attempt = max(run.attempt, event.attempt)
                if event.type in _TYPES:
                    run.apply(event.read(_TYPES[event.type]), at=event.at)
            self._register(run)
            if not run.over:
                _end_left_over(run)
                journal.release()

    def prune(self) -> None:
        """Forget runs whose end, or at least last word, is longer ago than keys live."""
        limit = datetime.now(UTC).timestamp() - self.shop.limits.keep_s
        for path in self._files.glob("*.jsonl"):
            run = self._by_id.get(path.stem)
            if path.stat().st_mtime >= limit or (run is not None and not run.over):
                continue
            if run is not None:
                run.journal.release()
                del self._by_id[run.id], self._by_key[run.key]
            self.artifacts.remove(path.stem)
            path.unlink()

    def start(self, spec: RunSpec, *, key: str) -> tuple[Run, bool]:
        """The run of this key and whether it is new. Raises `KeyTaken`, `RecipeUnknown`, `PortalUnknown`, `Stopping`."""
        known = self._by_key.get(key)
        if known is not None:
            if known.fingerprint != fingerprint(spec):
                raise KeyTaken
            known.reached(spec.attempt, deadline=spec.deadline)
            return known, False
        if self.stopping.is_set():
            raise Stopping(retry_after_s=2)
        recipe = self.recipes.get(spec.recipe, spec.recipe_version)
        if recipe is None or recipe.portal != spec.portal:
            raise RecipeUnknown(f"there is no recipe {spec.recipe} {spec.recipe_version or ''} for {spec.portal}")
        portal = self.shop.portals.get(spec.portal)
        if portal is None or spec.account not in portal.accounts:
            raise PortalUnknown(f"there is no portal {spec.portal} with an account {spec.account}")
        run_id = f"run_{secrets.token_hex(10)}"
        head = Head.of(spec, run_id=run_id, key=key, fingerprint=fingerprint(spec))
        redactor = Redactor([*secrets_of(portal.accounts[spec.account]), self.shop.settings.automation_token])
        journal = Journal(self._files / f"{run_id}.jsonl", head)
        journal.begin()
        run = Run(journal, spec=spec, redactor=redactor, artifacts=self.artifacts)
        position = sum(not each.over for each in self._by_id.values())
        self._register(run)
        ahead = max(0, position - self.shop.limits.concurrency + 1)
        run.emit("run.queued", data.RunQueued(position=ahead))
        run.task = asyncio.create_task(self._work(run, recipe), name=run_id)
        return run, True

    def get(self, run_id: str) -> Run:
        """Raises `NotThere`."""
        run = self._by_id.get(run_id)
        if run is None:
            raise NotThere
        return run

    def by_key(self, key: str) -> Run:
        """Raises `NotThere`."""
        run = self._by_key.get(key)
        if run is None:
            raise NotThere
        return run

    def commit(self, run: Run, grant: CommitGrant) -> None:
        """Open the gate or abort. Raises `FencedOut`, `CommitTokenExpired`, `NotAwaiting`."""
        if run.gate is None:
            raise NotAwaiting
        run.gate.grant(grant)

    def cancel(self, run: Run, *, reason: str) -> None:
        """Stop a run, at once and idempotently. Raises `CommitUnderWay`."""
        if run.over or run.cancel_reason is not None:
            return
        if run.gate is not None and run.gate.granted:
            raise CommitUnderWay
        run.cancel_reason = reason
        if run.task is not None:
            run.task.cancel()

    def drain(self) -> None:
        """Take no new runs, and end the streams of events."""
        self.stopping.set()
        for run in self._by_id.values():
            run.journal.wake()

    async def close(self) -> None:
        """Let submissions on their way come to their answer, then stop what still works."""
        self.drain()
        limit = asyncio.get_running_loop().time() + _COMMIT_GRACE_S
        at_work = [run for run in self._by_id.values() if run.task is not None and not run.task.done()]
        for run in at_work:
            if run.gate is not None and run.gate.in_flight and run.task is not None:
                await asyncio.wait({run.task}, timeout=max(0.0, limit - asyncio.get_running_loop().time()))
        for run in at_work:
            if run.task is not None and not run.task.done():
                run.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await run.task
        for run in self._by_id.values():
            run.journal.release()

    async def _work(self, run: Run, recipe: Recipe) -> None:
        try:
            async with self._slots:
                with logs.about(run=run.id):
                    await execute(run, recipe=recipe, shop=self.shop)
        except asyncio.CancelledError:
            # Cancelled while queued, or before its first step: nothing has written its end yet.
            if not run.over:
                if run.cancel_reason is not None:
                    run.emit("run.cancelled", data.RunCancelled(stage="queued"))
                else:
                    _end_left_over(run)
                await run.sync()
        finally:
            run.journal.release()

    def _register(self, run: Run) -> None:
        self._by_id[run.id] = run
        self._by_key[run.key] = run


def secrets_of(account: Account) -> list[str]:
    """What a run's redactor must know. Raises `SecretsUnavailable`."""
    try:
        return account.secrets()
    except Unresolved as exc:
        log.warning("credentials cannot be had", extra={"event": "runner.credentials", "why": str(exc)})
        raise SecretsUnavailable from exc


def _end_left_over(run: Run) -> None:
    """A run whose process ended: once the request was on its way nobody can say; before that nothing was submitted."""
    if any(event.type == "commit.sent" for event in run.journal.beyond(0)):
        error = RunFailure.of(
            "SUBMIT_OUTCOME_UNKNOWN", "the automation service was restarted during the submission", outcome="unknown"
        )
    else:
        error = RunFailure.of("BROWSER_LOST", "the automation service was restarted", outcome="not_submitted")
    run.emit("run.failed", data.RunFailed(error=error))
