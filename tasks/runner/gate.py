"""The commit gate of one run: holds the irreversible request until a grant, sends it once, and knows what left."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from app.core.crashpoints import crashpoint
from tasks.engines.contract import CommitGrant
from tasks.engines.events import CommitObserved, CommitRequested, CommitSent, Review
from tasks.runner.driver import FENCE_HEADER, Answer, RunError, Send
from tasks.runner.refusals import CommitTokenExpired, FencedOut, NotAwaiting

log = logging.getLogger("asbuilt.runner")


class DryRun(Exception):
    """The run was to stop at the gate."""


class Recorder(Protocol):
    """Where the gate writes; `attempt` is the run's fence."""

    attempt: int

    def emit(self, kind: str, data: CommitRequested | CommitSent | CommitObserved) -> None: ...

    async def sync(self) -> None: ...


class CommitGate:
    """Opens at most once. `expiry_s` is how long it is held; `submit_s` how long the portal may take to answer."""

    def __init__(self, run: Recorder, *, external_ref: str, expiry_s: float, submit_s: float, dry_run: bool) -> None:
        self._run = run
        self._external_ref = external_ref
        self._expiry_s = expiry_s
        self._submit_s = submit_s
        self._dry_run = dry_run
        self._grant: asyncio.Future[CommitGrant] | None = None
        self._token = ""
        self._finished = asyncio.Event()
        self._shut = False
        self.review: Callable[[], Review] | None = None
        """Set when the run has come to the step that commits; before that nothing may pass."""
        self.expired = False
        self.sent_at: datetime | None = None
        self.answer: Answer | None = None
        self.failure: Exception | None = None

    @property
    def waiting(self) -> bool:
        return self._grant is not None and not self._grant.done()

    @property
    def requested(self) -> bool:
        return self._grant is not None

    @property
    def granted(self) -> bool:
        """From here on the request may be on its way: too late to cancel."""
        grant = self._grant
        return grant is not None and grant.done() and not grant.cancelled() and grant.result().decision == "submit"

    @property
    def in_flight(self) -> bool:
        return self.granted and not self._finished.is_set()

    def grant(self, grant: CommitGrant) -> None:
        """Let the request go, or abort it. Raises `FencedOut`, `CommitTokenExpired`, `NotAwaiting`."""
        if grant.attempt < self._run.attempt:
            raise FencedOut(f"attempt {self._run.attempt} has taken over")
        known = bool(self._token) and secrets.compare_digest(grant.token.encode(), self._token.encode())
        if known and self.expired:
            raise CommitTokenExpired
        if not known or self._grant is None or self._grant.done():
            raise NotAwaiting
        self._run.attempt = grant.attempt
        self._grant.set_result(grant)

    async def __call__(self, send: Send) -> None:
        """The driver's side: returns when the portal has answered, raises when nothing may be or was answered."""
        try:
            await self._pass(send)
        except BaseException as exc:
            self.failure = exc if isinstance(exc, Exception) else RunError("CANCELLED", "stopped at the gate")
            raise
        finally:
            self._finished.set()

    async def _pass(self, send: Send) -> None:
        self._still_open()
        if self.review is None or self._grant is not None:
            raise RunError("UNKNOWN_PAGE", "a submission outside its step was stopped")
        self._grant = asyncio.get_running_loop().create_future()
        if self._dry_run:
            self._grant.cancel()
            raise DryRun
        await self._wait(self._grant, self.review())
        await crashpoint("R2", subject=self._external_ref)
        now = datetime.now(UTC)
        # Written and on disk before the bytes leave: a restart that finds this line reports the outcome as unknown.
        self._run.emit("commit.sent", CommitSent(at=now))
        self.sent_at = now
        await self._run.sync()
        await crashpoint("R3", subject=self._external_ref)
        self._still_open()
        self.answer = await self._bounded(send({FENCE_HEADER: str(self._run.attempt)}))
        await crashpoint("R4", subject=self._external_ref)
        self._run.emit("commit.observed", CommitObserved(status=self.answer.status, location=self.answer.location))

    async def _wait(self, grant: asyncio.Future[CommitGrant], review: Review) -> None:
        self._token = secrets.token_urlsafe(24)
        expires_at = datetime.now(UTC) + timedelta(seconds=self._expiry_s)
        self._run.emit(
            "commit.requested",
            CommitRequested(external_ref=self._external_ref, review=review, token=self._token, expires_at=expires_at),
        )
        await crashpoint("R1", subject=self._external_ref)
        await asyncio.wait({grant}, timeout=self._expiry_s)
        if not grant.done():
            self.expired = True
            grant.cancel()
            raise RunError("COMMIT_NOT_AUTHORIZED", "no permission to submit came in time")
        self._still_open()
        if grant.cancelled() or grant.result().decision == "abort":
            raise RunError("COMMIT_NOT_AUTHORIZED", "the submission was not permitted")

    async def _bounded(self, answer: Awaitable[Answer]) -> Answer:
        try:
            return await asyncio.wait_for(answer, self._submit_s)
        except TimeoutError:
            raise RunError(
                "PORTAL_TIMEOUT", f"the portal did not answer the submission in {self._submit_s:g} s"
            ) from None

    def shut(self) -> None:
        """The run is over: whatever still waits at the gate never passes, though its task may live on."""
        self._shut = True
        if self._grant is not None and not self._grant.done():
            self._grant.cancel()

    def _still_open(self) -> None:
        if self._shut:
            raise RunError("CANCELLED", "the run ended at the gate")

    async def opened(self) -> None:
        """Wait until the request may be on its way, or the gate is through."""
        grant = self._grant
        if grant is not None and not grant.done():
            await asyncio.wait({grant})

    async def finished(self) -> None:
        """Wait until the gate is through, and raise what went wrong at it."""
        await self._finished.wait()
        if self.failure is not None:
            raise self.failure
