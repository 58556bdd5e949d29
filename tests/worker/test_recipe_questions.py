"""The Northfield recipe's own questions, on its portal: the person's answer is typed, and a wrong one is asked about again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tasks.engines.contract import CommitGrant, RunHandle
from tasks.engines.events import CommitRequested, InputRequired
from tests.worker.rig import DEADLINE_S, Rig, key, rigged
from tests.worker.test_runner_drivers import DRIVERS


@pytest.fixture(params=DRIVERS, ids=lambda name: "forms" if name == "none" else "chromium")
async def rig(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(database_url, tmp_path, browser=request.param) as made:
        yield made


async def on_the_phone(rig: Rig) -> str:
    """The newest code or word that the portal has sent."""
    text: str = (await rig.http.get(f"{rig.portal}/_demo/phone.json")).json()["messages"][0]["text"]
    return text


async def answered(rig: Rig, run: RunHandle, answer: Callable[[str], str]) -> tuple[list[InputRequired], str]:
    """Follow a run to its end, answering what it asks; what was asked, and how it ended."""
    asked: list[InputRequired] = []
    async for event in rig.engine.events(run, deadline_s=DEADLINE_S):
        if event.type == "input.required":
            asked.append(event.read(InputRequired))
            value = answer(await on_the_phone(rig))
            await rig.engine.provide_input(run, input_id=asked[-1].id, values={"answer": value})
        elif event.type == "commit.requested":
            await rig.engine.authorize_commit(run, CommitGrant(token=event.read(CommitRequested).token, attempt=1))
        elif event.terminal:
            return asked, event.type
    raise AssertionError("the run did not end")


async def test_a_word_and_a_code_are_asked_for_and_the_record_is_submitted(rig: Rig) -> None:
    await rig.quirks(otp_every=1, captcha_every=1)
    spec = rig.spec()
    run = await rig.engine.start(spec, key=key(spec.job_id))
    asked, end = await answered(rig, run, lambda text: text)
    assert end == "run.succeeded"
    assert [(each.kind, [field.label for field in each.fields]) for each in asked] == [
        ("captcha", ["Type the word"]),
        ("otp", ["6-digit code"]),
    ]
    assert "phone" in asked[1].prompt
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_a_wrong_code_is_asked_about_again(rig: Rig) -> None:
    await rig.quirks(otp_every=1)
    wrong = iter(["000000"])
    spec = rig.spec()
    run = await rig.engine.start(spec, key=key(spec.job_id))
    asked, end = await answered(rig, run, lambda text: next(wrong, text))
    assert end == "run.succeeded"
    assert [each.kind for each in asked] == ["otp", "otp"]
