"""Questions of a run: the page is held open, a person's answer is typed once, and nothing keeps what was typed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from tasks.engines.contract import RunHandle
from tasks.engines.errors import InputGone, InputRefused
from tasks.engines.events import InputRequired, RunFailed
from tasks.runner import Limits, totp
from tests.worker.rig import DEADLINE_S, TOKEN
from tests.worker.test_runner_drivers import DRIVERS
from tests.worker.tollhouse import PASSWORD, Toll, Tollhouse, tolled

CODE = "917364"
SEED = "JBSWY3DPEHPK3PXP"


async def asked(toll: Toll, run: RunHandle, *, after: int = 0) -> tuple[InputRequired, int]:
    event = await toll.until(run, "input.required", after=after)
    return event.read(InputRequired), event.seq


@pytest.mark.parametrize("browser", DRIVERS)
async def test_a_code_is_asked_for_typed_and_kept_nowhere(tmp_path: Path, browser: str) -> None:
    async with tolled(tmp_path, portal=Tollhouse(code=CODE), browser=browser) as toll:
        run = await toll.start()
        question, _ = await asked(toll, run)
        assert (question.kind, [each.key for each in question.fields]) == ("otp", ["answer"])
        assert timedelta(seconds=170) < question.expires_at - datetime.now(UTC) < timedelta(seconds=181)
        assert (question.frame is not None) == (browser != "none")
        assert (await toll.engine.run(run.run_id)).status == "needs_input"
        await toll.engine.provide_input(run, input_id=question.id, values={"answer": CODE})
        events = await toll.play(run)
        assert events[-1].type == "run.succeeded"
        assert [event.type for event in events].count("input.received") == 1
        assert toll.portal.codes == [CODE]
        assert toll.portal.submissions == ["Okafor"]
        told = msgspec.json.encode(events) + toll.kept()
        assert CODE.encode() not in told
        assert PASSWORD.encode() not in told


async def test_answers_to_nothing_twice_and_too_late_are_told_apart(tmp_path: Path) -> None:
    limits = Limits(answer_s=0.5)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll,
        httpx.AsyncClient(base_url=toll.service.url, headers=headers, timeout=DEADLINE_S) as api,
    ):
        run = await toll.start()
        question, _ = await asked(toll, run)
        for values in ({}, {"answer": " "}, {"answer": CODE, "other": "x"}, {"answer": "9" * 3000}):
            with pytest.raises(InputRefused):
                await toll.engine.provide_input(run, input_id=question.id, values=values)
        path = f"/v1/runs/{run.run_id}/inputs"
        unknown = await api.post(f"{path}/inp_0", json={"values": {"answer": CODE}})
        first = await api.post(f"{path}/{question.id}", json={"values": {"answer": CODE}})
        second = await api.post(f"{path}/{question.id}", json={"values": {"answer": CODE}})
        assert [each.status_code for each in (unknown, first, second)] == [404, 200, 409]
        assert second.json()["error"]["code"] == "INPUT_ANSWERED"
        assert (await toll.play(run))[-1].type == "run.succeeded"
    async with tolled(tmp_path / "late", portal=Tollhouse(code=CODE), limits=limits) as toll:
        run = await toll.start()
        question, _ = await asked(toll, run)
        error = (await toll.until(run, "run.failed")).read(RunFailed).error
        assert (error.code, error.error_class, error.outcome) == ("OTP_REQUIRED", "needs_human", "not_submitted")
        with pytest.raises(InputGone, match="too late"):
            await toll.engine.provide_input(run, input_id=question.id, values={"answer": CODE})
        assert toll.portal.codes == []


async def test_a_wrong_code_is_asked_again_and_three_wrong_ones_end_the_run(tmp_path: Path) -> None:
    async with tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll:
        run = await toll.start()
        seq = 0
        for code in ("111111", "222222", "333333"):
            question, seq = await asked(toll, run, after=seq)
            await toll.engine.provide_input(run, input_id=question.id, values={"answer": code})
        error = (await toll.until(run, "run.failed")).read(RunFailed).error
        assert error.code == "OTP_REQUIRED"
        assert toll.portal.codes == ["111111", "222222", "333333"]


async def test_a_persons_time_is_not_the_runs(tmp_path: Path) -> None:
    """The deadline passes while the run waits; answered, it goes on, with what was left of its time."""
    async with tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll:
        deadline = datetime.now(UTC) + timedelta(seconds=4)
        run = await toll.start(deadline=deadline)
        question, _ = await asked(toll, run)
        while datetime.now(UTC) < deadline + timedelta(seconds=0.3):
            await asyncio.sleep(0.1)
        assert (await toll.engine.run(run.run_id)).status == "needs_input"
        await toll.engine.provide_input(run, input_id=question.id, values={"answer": CODE})
        assert (await toll.play(run))[-1].type == "run.succeeded"
        held = (await toll.engine.run(run.run_id)).deadline
        assert held is not None
        assert held > deadline


async def test_a_run_that_waits_for_a_person_can_be_cancelled(tmp_path: Path) -> None:
    async with tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll:
        run = await toll.start()
        question, _ = await asked(toll, run)
        assert (await toll.engine.cancel(run, reason="test")).status == "cancelled"
        with pytest.raises(InputGone):
            await toll.engine.provide_input(run, input_id=question.id, values={"answer": CODE})


async def test_an_authenticator_answers_without_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 1_790_000_000.0
    monkeypatch.setattr("tasks.runner.totp.time.time", lambda: moment)
    code = totp.code(SEED, at=moment)
    async with tolled(tmp_path, portal=Tollhouse(code=code), totp=SEED) as toll:
        events = await toll.play(await toll.start())
        assert events[-1].type == "run.succeeded"
        assert toll.portal.codes == [code]
        assert "input.required" not in [event.type for event in events]
        told = msgspec.json.encode(events) + toll.kept()
        assert code.encode() not in told
        assert SEED.encode() not in told


async def test_a_question_of_an_earlier_process_is_over(tmp_path: Path) -> None:
    async with tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll:
        run = await toll.start()
        question, _ = await asked(toll, run)
    async with tolled(tmp_path, portal=Tollhouse(code=CODE)) as toll:
        with pytest.raises(InputGone, match="too late"):
            await toll.engine.provide_input(run, input_id=question.id, values={"answer": CODE})
