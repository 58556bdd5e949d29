"""The commit gate: opens once, for the right token and attempt, and for nobody after the run has ended."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tasks.engines.contract import CommitGrant
from tasks.engines.events import CommitRequested, Review
from tasks.runner.driver import Answer, RunError
from tasks.runner.gate import CommitGate, DryRun
from tasks.runner.redact import Redactor
from tasks.runner.refusals import CommitTokenExpired, FencedOut, NotAwaiting


class Recorded:
    """Keeps what the gate writes; `requested` is set when it asks."""

    def __init__(self, attempt: int = 2) -> None:
        self.attempt = attempt
        self.kinds: list[str] = []
        self.token = ""
        self.requested = asyncio.Event()

    def emit(self, kind: str, data: msgspec.Struct) -> None:
        self.kinds.append(kind)
        if isinstance(data, CommitRequested):
            self.token = data.token
            self.requested.set()

    async def sync(self) -> None:
        self.kinds.append("synced")


class Portal:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []

    async def __call__(self, headers: dict[str, str]) -> Answer:
        self.headers.append(headers)
        return Answer(status=303, location="/done")


def made(run: Recorded, *, expiry_s: float = 60, dry_run: bool = False) -> CommitGate:
    gate = CommitGate(run, external_ref="AB-1", expiry_s=expiry_s, submit_s=60, dry_run=dry_run)
    gate.review = lambda: Review(photo_count=1)
    return gate


async def test_nothing_leaves_before_the_grant_and_the_fact_is_on_disk_before_the_bytes() -> None:
    run, portal = Recorded(), Portal()
    gate = made(run)
    held = asyncio.create_task(gate(portal))
    await run.requested.wait()
    assert portal.headers == []
    assert not gate.granted
    gate.grant(CommitGrant(token=run.token, attempt=3))
    await held
    assert portal.headers == [{"X-Asbuilt-Fence": "3"}]
    assert run.kinds == ["commit.requested", "commit.sent", "synced", "commit.observed"]


async def test_a_grant_is_used_once_and_a_second_request_never_passes() -> None:
    run, portal = Recorded(), Portal()
    gate = made(run)
    held = asyncio.create_task(gate(portal))
    await run.requested.wait()
    grant = CommitGrant(token=run.token, attempt=2)
    gate.grant(grant)
    with pytest.raises(NotAwaiting):
        gate.grant(grant)
    await held
    with pytest.raises(RunError, match="outside its step"):
        await gate(portal)
    assert len(portal.headers) == 1


async def test_a_lower_attempt_a_wrong_token_and_an_abort_send_nothing() -> None:
    run, portal = Recorded(attempt=2), Portal()
    gate = made(run)
    held = asyncio.create_task(gate(portal))
    await run.requested.wait()
    with pytest.raises(FencedOut):
        gate.grant(CommitGrant(token=run.token, attempt=1))
    with pytest.raises(NotAwaiting):
        gate.grant(CommitGrant(token="guess", attempt=2))
    gate.grant(CommitGrant(token=run.token, attempt=2, decision="abort"))
    with pytest.raises(RunError) as ended:
        await held
    assert ended.value.code == "COMMIT_NOT_AUTHORIZED"
    assert portal.headers == []
    assert gate.sent_at is None


async def test_a_grant_after_the_expiry_is_told_so() -> None:
    run, portal = Recorded(), Portal()
    gate = made(run, expiry_s=0.01)
    with pytest.raises(RunError) as ended:
        await gate(portal)
    assert ended.value.code == "COMMIT_NOT_AUTHORIZED"
    with pytest.raises(CommitTokenExpired):
        gate.grant(CommitGrant(token=run.token, attempt=2))
    assert portal.headers == []


async def test_a_run_that_ends_between_grant_and_sending_sends_nothing() -> None:
    run, portal = Recorded(), Portal()
    gate = made(run)
    held = asyncio.create_task(gate(portal))
    await run.requested.wait()
    gate.grant(CommitGrant(token=run.token, attempt=2))
    gate.shut()
    with pytest.raises(RunError):
        await held
    assert portal.headers == []
    assert gate.sent_at is None


async def test_before_the_step_that_commits_nothing_passes() -> None:
    run, portal = Recorded(), Portal()
    gate = made(run)
    gate.review = None
    with pytest.raises(RunError, match="outside its step"):
        await gate(portal)
    assert portal.headers == []


async def test_a_dry_run_stops_at_the_gate() -> None:
    run, portal = Recorded(), Portal()
    with pytest.raises(DryRun):
        await made(run, dry_run=True)(portal)
    assert portal.headers == []
    assert run.kinds == []


def test_secrets_are_blackened_in_every_form_they_take() -> None:
    redactor = Redactor(["p@ss word", ""])
    told = {"a": ["p@ss word", "x=p%40ss%20word&y=p%40ss+word"], "b": "cEBzcyB3b3Jk", "n": 3}
    assert redactor.value(told) == {"a": ["•••", "x=•••&y=•••"], "b": "•••", "n": 3}
