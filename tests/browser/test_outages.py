"""Redis stops, comes back and is emptied while somebody looks: the page says so, and is right again by itself."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.async_api import expect
from redis import Redis

from tests.browser.desk import Crew, Desk, Person
from tests.browser.test_dashboard import RECORDER
from tests.e2e.stacks import Stack, asbuilt


@pytest.mark.slow
async def test_without_redis_progress_is_said_to_be_degraded_and_status_goes_on(
    stack: Stack, desk: Desk, crew: Crew, operator: Person
) -> None:
    status, notices = desk.page.locator("connection-status"), desk.page.locator("#notices")
    await desk.sign_in(operator)
    cache = stack.children()["valkey"].pid
    os.kill(cache, signal.SIGSTOP)
    try:
        await expect(status).to_have_text("Live, degraded")
        await expect(notices).to_contain_text("Live progress degraded")
        sent = crew.send(asset="P-NO-REDIS")
        await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "completed")
    finally:
        os.kill(cache, signal.SIGCONT)
    await expect(status).to_have_text("Live")
    await expect(notices).to_be_empty()
    # Emptied while a run is under way: what is on the page stays, and its bar goes on to the end.
    await desk.page.evaluate(RECORDER, identity := "0198a0b0-0000-4000-8000-" + os.urandom(6).hex())
    after = crew.send(id=identity, asset="P-FLUSHED")
    with Redis.from_url(redis_url(stack)) as client:
        await desk.page.wait_for_function("() => seen.percents.length > 0")
        client.flushall()
    before = await desk.page.evaluate("() => ({ ...seen, percents: [...seen.percents] })")
    assert before["states"][-1] == "processing", "the run was over before Redis was emptied"
    await expect(desk.row(after).locator("automation-status-badge")).to_have_attribute("data-state", "completed")
    seen = await desk.page.evaluate("() => seen")
    assert len(seen["percents"]) >= len(before["percents"]) + 3, "the bar did not go on"
    assert seen["percents"] == sorted(seen["percents"])
    assert seen["states"] == before["states"] + ["completed"]
    await expect(status).to_have_text("Live")
    await expect(notices).to_be_empty()
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "completed")


def redis_url(stack: Stack) -> str:
    """As the processes of the stack were given it."""
    said = asbuilt("env", "--home", str(stack.home)).stdout
    return next(line.removeprefix("REDIS_URL=") for line in said.splitlines() if line.startswith("REDIS_URL="))
