"""browser-use's adapter against a stand-in over real HTTP: two runs told as one, and nothing sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from tasks.engines import AsbuiltEngine, calls
from tasks.engines.browser_use import BrowserUseEngine
from tasks.engines.browser_use_story import BrowserUsePortal, SecretSource
from tasks.engines.contract import CommitGrant, Event, FileSpec, RunSpec
from tasks.engines.errors import (
    AlreadySubmitted,
    CannotTell,
    CommitInProgress,
    FileRefused,
    GateBusy,
    GrantExpired,
    NotAwaitingCommit,
    ServiceBusy,
    ServiceUnavailable,
    StreamLost,
)
from tasks.engines.events import CommitRequested, RunFailed, RunSucceeded
from tests.engines.browser_use_stand_in import KEY, BrowserUse, Manner
from tests.engines.following import Following
from tests.engines.ledger import NUMBER, Ledger
from tests.unit.pictures import jpeg

REF = "AB-7F3K2Q"
PORTAL = BrowserUsePortal(
    instructions="Key the record into the contractor portal.",
    hosts=("portal.example",),
    number=NUMBER,
    workspace_id="w_1",
    secrets={"password": SecretSource(integration_id="i", vault_id="v", item_id="item", field_id="f")},
)
PHOTO = jpeg()
LOGS = ["log"] * 3
KINDS = [
    "run.queued", "run.started", "step.started", "action.started", *LOGS, "step.confirmed", "commit.requested",
    "commit.sent", "step.started", "action.started", *LOGS, "step.confirmed", "run.succeeded",
]  # fmt: skip


class Bench(Following, msgspec.Struct, kw_only=True):
    """A stand-in, the portal behind it, and as many engines as are asked for: each is another worker."""

    service: BrowserUse
    ledger: Ledger
    url: str
    lookups: AsbuiltEngine
    stack: AsyncExitStack

    def engine(self, **changed: Any) -> BrowserUseEngine:
        client = calls.client(self.url, header="X-Browser-Use-API-Key", key=KEY)
        self.stack.push_async_callback(client.aclose)
        portal = msgspec.structs.replace(PORTAL, **changed)
        return BrowserUseEngine(client, portal, key="npl", lookups=self.lookups, read_file=photo, poll_s=0.02)

    def creates(self) -> int:
        return self.service.faults.asked.count("POST /api/v4/runs")


async def photo(file: FileSpec) -> bytes:
    return PHOTO


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    ledger = Ledger()
    service = BrowserUse(ledger)
    async with AsyncExitStack() as stack:
        lookups = AsbuiltEngine(await stack.enter_async_context(ledger.running()), token="t")
        stack.push_async_callback(lookups.close)
        url = await stack.enter_async_context(service.running())
        yield Bench(service=service, ledger=ledger, url=url, lookups=lookups, stack=stack)


def spec(*, attempt: int = 1, photos: int = 12) -> RunSpec:
    names = [f"photo-{n}.jpg" for n in range(photos)]
    return RunSpec(
        job_id=uuid4(),
        record_id=uuid4(),
        attempt=attempt,
        portal="npl",
        external_ref=REF,
        recipe="npl-asbuilt",
        inputs={"work_order": "WO-1", "notes": 'quote " and\nnew line'},
        files=tuple(
            FileSpec(id=name, name=name, mime="image/jpeg", size=len(PHOTO), sha256="0" * 64, url="") for name in names
        ),
    )


def failure(events: list[Event]) -> tuple[str, str, str]:
    assert events[-1].type == "run.failed", [event.type for event in events]
    error = events[-1].read(RunFailed).error
    return error.code, error.error_class, error.outcome


@pytest.mark.parametrize("as_text", [False, True])
async def test_two_runs_are_told_as_one_and_the_number_is_the_portals(bench: Bench, as_text: bool) -> None:
    bench.service.manner = Manner(as_text=as_text)
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    events = await bench.play(engine, run)
    assert [(event.seq, event.type) for event in events] == list(enumerate(KINDS, start=1))
    result = events[-1].read(RunSucceeded).result
    assert (result.confirmation_number, result.how) == ("NPL-2026-000001", "lookup")
    assert (bench.ledger.submissions, bench.ledger.filled) == ([REF], [(REF, 12)])
    fill, submit = bench.service.runs.values()
    assert (submit.session, submit.body["keepAlive"]) == (fill.session, 600)
    assert len(fill.body["task"].splitlines()[0]) < 200 and r"quote \" and\nnew line" in fill.body["task"]
    assert fill.body["secretBindings"] == [
        {
            "alias": "password",
            "source": {"type": "onepassword", "integrationId": "i", "vaultId": "v", "itemId": "item", "fieldId": "f"},
            "allowedDomains": ["portal.example"],
        }
    ]
    assert "guy wire" not in str([event.data for event in events])


@pytest.mark.parametrize("stop", [1, 6, 8, 9, 10, 14, 17])
async def test_another_worker_goes_on_where_the_first_was_lost(bench: Bench, stop: int) -> None:
    first, second = bench.engine(), bench.engine()
    run = await first.start(spec(photos=1), key="k.1")
    seen: list[Event] = []
    async for event in first.events(run, deadline_s=60):
        seen.append(event)
        if event.seq == stop:
            break
        if event.type == "commit.requested":
            await bench.let_through(first, run, event)
    attached = await second.start(spec(attempt=2, photos=1), key="k.1")
    assert (attached.run_id, attached.replayed) == (run.run_id, True)
    again = await bench.play(second, attached)
    assert [(e.seq, e.type, e.data) for e in again[: len(seen)] if not e.terminal] == [
        (e.seq, e.type, e.data) for e in seen if not e.terminal
    ]
    assert [event.type for event in again] == KINDS
    assert [event.seq for event in await bench.play(second, attached, after=9)] == list(range(10, 18))
    assert (bench.ledger.submissions, bench.creates()) == ([REF], 2)


async def test_a_new_run_may_not_be_there_yet(bench: Bench) -> None:
    bench.service.manner = Manner(missing_s=2.0)
    engine = bench.engine()
    run = await engine.start(spec(photos=0), key="k.1")
    assert [event.type for event in await bench.play(engine, run)] == KINDS
    assert bench.ledger.submissions == [REF]


async def test_events_come_once_however_often_they_are_told(bench: Bench) -> None:
    bench.service.manner = Manner(repeat_events=True)
    engine = bench.engine()
    events = await bench.play(engine, await engine.start(spec(photos=0), key="k.1"))
    assert [event.type for event in events] == KINDS


async def test_a_run_that_does_not_tell_its_end_has_one(bench: Bench) -> None:
    bench.service.manner = Manner(silent=True)
    engine = bench.engine()
    events = await bench.play(engine, await engine.start(spec(photos=0), key="k.1"))
    assert [event.type for event in events] == KINDS


@pytest.mark.parametrize("phase", ["fill", "submit"])
async def test_a_lost_create_reply_is_looked_for_and_never_repeated(bench: Bench, phase: str) -> None:
    engine = bench.engine()
    if phase == "fill":
        bench.service.faults.cuts["POST /api/v4/runs"] = 1
    run = await engine.start(spec(photos=0), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    if phase == "submit":
        bench.service.faults.cuts["POST /api/v4/runs"] = 1
    await bench.let_through(engine, run, asked)
    assert (await bench.play(engine, run))[-1].type == "run.succeeded"
    assert (bench.ledger.submissions, bench.creates(), len(bench.service.runs)) == ([REF], 2, 2)


async def test_a_lost_submission_that_cannot_be_found_is_not_sent_again(bench: Bench) -> None:
    engine = bench.engine()
    run = await engine.start(spec(photos=0), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    bench.service.faults.cuts["POST /api/v4/runs"] = 1
    bench.service.manner = Manner(hidden=True)
    with pytest.raises(ServiceUnavailable):
        await bench.let_through(engine, run, asked)
    assert bench.creates() == 2


async def test_a_key_is_found_among_many_runs(bench: Bench) -> None:
    engine = bench.engine()
    made = [await engine.start(spec(photos=0), key=f"k.{n}") for n in range(1, 12)]
    for number, run in ((1, made[0]), (10, made[9])):
        found = await engine.run_by_key(f"k.{number}")
        assert found is not None and (found.id, found.key) == (run.run_id, f"k.{number}")
    assert await engine.run_by_key("k.12") is None


async def test_too_many_requests(bench: Bench) -> None:
    engine = bench.engine()
    bench.service.faults.busy = {"POST /api/v4/runs": 2}
    run = await engine.start(spec(photos=0), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    bench.service.faults.busy = {"POST /api/v4/runs": 99}
    with pytest.raises(GateBusy):
        await bench.let_through(engine, run, asked)
    with pytest.raises(ServiceBusy):
        await engine.start(spec(photos=0), key="k.2")
    bench.service.faults.busy = {}
    assert (await bench.play(bench.engine(), run))[-1].type == "run.succeeded"
    assert bench.ledger.submissions == [REF]


async def test_cut_answers_lose_no_event(bench: Bench) -> None:
    bench.service.faults.cuts = {"GET /api/v4/runs": 12}
    engine = bench.engine()
    run = await engine.start(spec(photos=0), key="k.1")
    assert [event.type for event in await bench.play(engine, run)] == KINDS


@pytest.mark.parametrize(
    ("manner", "searched", "told"),
    [
        (Manner(fails="fill"), "yes", ("SERVICE_5XX", "transient", "not_submitted")),
        (Manner(fails="fill"), "down", ("SERVICE_5XX", "transient", "unknown")),
        (Manner(fails="fill"), "none", ("SERVICE_5XX", "transient", "unknown")),
        (Manner(problem="PORTAL_REJECTED"), "yes", ("PORTAL_REJECTED", "validation_rejected", "not_submitted")),
        (Manner(problem="OTP_REQUIRED"), "yes", ("OTP_REQUIRED", "needs_human", "not_submitted")),
        (Manner(fails="fill", as_status="cancelled"), "none", ("CANCELLED", "stopped", "unknown")),
    ],
)
async def test_what_goes_wrong_before_the_gate(
    bench: Bench, manner: Manner, searched: str, told: tuple[str, str, str]
) -> None:
    bench.service.manner, bench.ledger.searched = manner, searched
    engine = bench.engine()
    assert failure(await bench.play(engine, await engine.start(spec(photos=0), key="k.1"))) == told


@pytest.mark.parametrize(
    ("manner", "searched", "told"),
    [
        (Manner(fails="submit"), "yes", ("SERVICE_5XX", "transient", "unknown")),
        (Manner(fails="submit", late=True), "down", ("SERVICE_5XX", "transient", "unknown")),
        (Manner(lies=True), "yes", ("SUBMIT_OUTCOME_UNKNOWN", "unknown_outcome", "unknown")),
        (Manner(number="as discussed"), "none", ("SUBMIT_OUTCOME_UNKNOWN", "unknown_outcome", "unknown")),
        (Manner(fails="submit", late=True), "yes", None),
        (Manner(), "none", None),
    ],
)
async def test_what_goes_wrong_after_the_gate(
    bench: Bench, manner: Manner, searched: str, told: tuple[str, str, str] | None
) -> None:
    engine = bench.engine()
    bench.service.manner = manner
    run = await engine.start(spec(photos=0), key="k.1")
    await bench.let_through(engine, run, await bench.until(engine, run, "commit.requested"))
    bench.ledger.searched = searched
    events = await bench.play(engine, run)
    if told is None:
        assert events[-1].read(RunSucceeded).result.confirmation_number == "NPL-2026-000001"
    else:
        assert failure(events) == told
    assert len(bench.ledger.submissions) <= 1


async def test_a_hasty_model_is_found_out_before_the_gate_is_opened(bench: Bench) -> None:
    bench.service.manner = Manner(hasty=True)
    engine = bench.engine()
    run = await engine.start(spec(photos=0), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    with pytest.raises(AlreadySubmitted):
        await bench.let_through(engine, run, asked)
    bench.ledger.searched = "down"
    with pytest.raises(CannotTell):
        await bench.let_through(engine, run, asked)
    assert (bench.creates(), bench.ledger.submissions) == (1, [REF])


async def test_a_browser_that_is_gone_is_not_told_to_submit(bench: Bench) -> None:
    engine, late = bench.engine(), bench.engine(keep_alive_s=31)
    run = await engine.start(spec(photos=0), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    await asyncio.sleep(1.1)
    with pytest.raises(GrantExpired):
        await late.authorize_commit(run, CommitGrant(token=asked.read(CommitRequested).token, attempt=1))
    events = [event async for event in late.events(run, deadline_s=60)]
    assert failure(events) == ("COMMIT_NOT_AUTHORIZED", "transient", "not_submitted")
    assert bench.ledger.submissions == []


async def test_cancelling(bench: Bench) -> None:
    bench.service.manner = Manner(stuck="fill")
    engine = bench.engine()
    early = await engine.start(spec(photos=0), key="k.1")
    await bench.until(engine, early, "step.started")
    await engine.cancel(early, reason="wrong pole")
    assert (await bench.play(engine, early))[-1].type == "run.cancelled"

    bench.service.manner = Manner()
    filled = await engine.start(spec(photos=0), key="k.2")
    asked = await bench.until(engine, filled, "commit.requested")
    await engine.cancel(filled, reason="wrong pole")
    with pytest.raises(NotAwaitingCommit):
        await engine.authorize_commit(filled, CommitGrant(token=asked.read(CommitRequested).token, attempt=1))
    assert (await bench.play(engine, filled))[-1].type == "run.cancelled"
    assert bench.ledger.submissions == []

    bench.service.manner = Manner(stuck="submit")
    late = await engine.start(spec(photos=0), key="k.3")
    await bench.let_through(engine, late, await bench.until(engine, late, "commit.requested"))
    with pytest.raises(CommitInProgress):
        await bench.engine().cancel(late, reason="wrong pole")
    with pytest.raises(StreamLost):
        async for _ in engine.events(late, deadline_s=0.5):
            pass


async def test_more_photos_than_are_taken_are_refused_before_anything_is_made(bench: Bench) -> None:
    with pytest.raises(FileRefused):
        await bench.engine().start(spec(photos=21), key="k.1")
    assert bench.service.runs == {}
