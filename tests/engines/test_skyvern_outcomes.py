"""How Skyvern's runs end: what is believed, what stays unknown, and what keeps a gate shut."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tasks.engines.contract import Found
from tasks.engines.errors import (
    AlreadySubmitted,
    CannotTell,
    CommitInProgress,
    FileRefused,
    InputGone,
    Refused,
    RunUnknown,
    StreamLost,
)
from tasks.engines.events import RunSucceeded
from tests.engines.skyvern_bench import REF, Bench, benched, failure, spec
from tests.engines.skyvern_stand_in import Manner


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with benched() as made:
        yield made


async def test_failed_after_a_real_submission_is_found_at_the_portal(bench: Bench) -> None:
    bench.skyvern.manner = Manner(fails="submit", late=True)
    engine = bench.engine()
    events = await bench.play(engine, await engine.start(spec(), key="k.1"))
    assert events[-1].type == "run.succeeded"
    assert events[-1].read(RunSucceeded).result.how == "lookup"


@pytest.mark.parametrize("searched", ["yes", "down", "none"])
async def test_failed_after_the_gate_is_unknown_whatever_the_portal_does_not_say(bench: Bench, searched: str) -> None:
    bench.skyvern.manner = Manner(fails="submit")
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    await bench.let_through(engine, run, asked)
    bench.ledger.searched = searched
    assert failure(await bench.play(engine, run)) == ("SERVICE_5XX", "transient", "unknown")


@pytest.mark.parametrize(
    ("status", "mapped", "searched", "told"),
    [
        ("failed", "", "yes", ("SERVICE_5XX", "transient", "not_submitted")),
        ("failed", "", "down", ("SERVICE_5XX", "transient", "unknown")),
        ("failed", "", "none", ("SERVICE_5XX", "transient", "unknown")),
        ("timed_out", "", "yes", ("DEADLINE", "transient", "not_submitted")),
        ("terminated", "", "yes", ("UNKNOWN_PAGE", "element_missing", "not_submitted")),
        ("terminated", "LOGIN_REJECTED", "yes", ("LOGIN_REJECTED", "login_failed", "not_submitted")),
        ("terminated", "NO_SUCH_CODE", "yes", ("UNKNOWN_PAGE", "element_missing", "not_submitted")),
    ],
)
async def test_failed_before_the_gate_needs_the_portals_word_to_be_not_submitted(
    bench: Bench, status: str, mapped: str, searched: str, told: tuple[str, str, str]
) -> None:
    """The gate is soft: the model may have pressed the button all the same."""
    bench.skyvern.manner = Manner(fails="details", as_status=status, output_error=mapped)
    bench.ledger.searched = searched
    engine = bench.engine()
    assert failure(await bench.play(engine, await engine.start(spec(), key="k.1"))) == told


async def test_a_hasty_model_is_found_out_before_the_gate_is_opened(bench: Bench) -> None:
    bench.skyvern.manner = Manner(hasty=True)
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    with pytest.raises(AlreadySubmitted):
        await bench.let_through(engine, run, asked)
    assert bench.ledger.submissions == [REF]
    assert bench.skyvern.faults.count("continue") == 0


async def test_a_hasty_model_that_then_fails_has_submitted(bench: Bench) -> None:
    bench.skyvern.manner = Manner(hasty=True, fails="details", late=True)
    engine = bench.engine()
    assert (await bench.play(engine, await engine.start(spec(), key="k.1")))[-1].type == "run.succeeded"


async def test_a_gate_stays_shut_while_the_portal_cannot_be_asked(bench: Bench) -> None:
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    bench.ledger.searched = "down"
    with pytest.raises(CannotTell):
        await bench.let_through(engine, run, asked)
    assert bench.skyvern.faults.count("continue") == 0


@pytest.mark.parametrize(
    ("manner", "searched", "proven"),
    [
        (Manner(lies=True), "yes", False),
        (Manner(), "down", False),
        (Manner(), "none", True),
        (Manner(number="as discussed"), "none", False),
        (Manner(number="as discussed"), "yes", True),
    ],
)
async def test_a_models_claim_is_no_evidence(bench: Bench, manner: Manner, searched: str, proven: bool) -> None:
    bench.skyvern.manner = manner
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    asked = await bench.until(engine, run, "commit.requested")
    await bench.let_through(engine, run, asked)
    bench.ledger.searched = searched
    events = await bench.play(engine, run)
    if proven:
        assert events[-1].read(RunSucceeded).result.confirmation_number == "NPL-2026-000001"
    else:
        assert failure(events) == ("SUBMIT_OUTCOME_UNKNOWN", "unknown_outcome", "unknown")


async def test_a_run_that_never_ends_is_let_go_at_the_deadline(bench: Bench) -> None:
    bench.skyvern.manner = Manner(stuck=True)
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    await bench.let_through(engine, run, await bench.until(engine, run, "commit.requested"))
    with pytest.raises(StreamLost):
        async for _ in engine.events(run, deadline_s=0.5):
            pass


async def test_a_cancelled_run_is_left_at_its_gate(bench: Bench) -> None:
    """A real cancel that meets the pause ends it, and the run submits: it did, in the first version."""
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    await bench.until(engine, run, "step.started")
    await engine.cancel(run, reason="wrong pole")
    kinds = [event.type for event in await bench.play(engine, run)]
    assert kinds[-1] == "run.cancelled"
    assert "commit.requested" not in kinds
    assert (bench.skyvern.faults.count("/cancel"), bench.skyvern.runs[run.run_id].status) == (0, "paused")
    assert bench.ledger.submissions == []


async def test_it_is_too_late_to_cancel_once_the_gate_is_open(bench: Bench) -> None:
    bench.skyvern.manner = Manner(stuck=True)
    engine = bench.engine()
    run = await engine.start(spec(), key="k.1")
    await bench.let_through(engine, run, await bench.until(engine, run, "commit.requested"))
    with pytest.raises(CommitInProgress):
        await engine.cancel(run, reason="wrong pole")
    with pytest.raises(CommitInProgress):
        await bench.engine().cancel(run, reason="wrong pole")


async def test_a_one_time_code_reaches_its_run_only(bench: Bench) -> None:
    bench.skyvern.manner = Manner(code="4711")
    engine = bench.engine(otp_step="sign_in")
    run = await engine.start(spec(), key="k.1")
    other = await engine.start(spec(), key="k.2")
    asked = await bench.until(engine, run, "input.required")
    with pytest.raises(InputGone):
        await engine.provide_input(run, input_id="otp-other", values={"code": "4711"})
    await engine.provide_input(run, input_id=str(asked.data["id"]), values={"code": "4711"})
    kinds = [event.type for event in await bench.play(engine, run)]
    assert kinds.index("input.required") < kinds.index("input.received") < kinds.index("commit.requested")
    assert kinds[-1] == "run.succeeded"
    assert [(code["content"], code["totp_identifier"]) for code in bench.skyvern.codes] == [("4711", "k.1")]
    assert (await engine.run(other.run_id)).status == "running"
    with pytest.raises(InputGone):
        await engine.provide_input(run, input_id=str(asked.data["id"]), values={"code": "4711"})


async def test_without_a_gate_every_end_but_success_is_unknown(bench: Bench) -> None:
    bench.skyvern.manner = Manner(blocks=(("details", "navigation"), ("submit", "navigation")), fails="details")
    engine = bench.engine(gate="")
    assert "commit_gate" not in engine.caps
    assert "commit_gate" in bench.engine().caps
    assert failure(await bench.play(engine, await engine.start(spec(), key="k.1")))[2] == "unknown"


async def test_what_cannot_work_is_said_at_once(bench: Bench) -> None:
    with pytest.raises(Refused, match="403"):
        await bench.engine(key="wrong").start(spec(), key="k.1")
    with pytest.raises(FileRefused):
        await bench.engine().start(spec(size=11 * 2**20), key="k.1")
    with pytest.raises(RunUnknown):
        await bench.engine().run("wr_none")
    bench.ledger.submissions.append("AB-1")
    assert isinstance(await bench.engine().lookup(portal="npl", external_ref="AB-1"), Found)
    assert (await bench.engine().health()).portals == ("npl",)
