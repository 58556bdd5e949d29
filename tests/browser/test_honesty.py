"""The page says how old it is, what it missed, and how long a change took to be seen. Server, browser and network are real."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from playwright.async_api import Page, expect

from app.core.access import create_user
from app.live.timings import Timings
from sql import Connection
from tests.browser.air import Air, air
from tests.browser.desk import Desk, Person, at_desk
from tests.browser.eyes import problems
from tests.factories import Made, make_device, make_project, make_record
from tests.service import service, web_settings

LATENCIES = """() => {
  window.latencies = [];
  document.querySelector('connection-status').addEventListener('latency', ({ detail }) => latencies.push(detail));
}"""


class Bench(msgspec.Struct, kw_only=True):
    """A desk whose network can be taken away, and a record on it."""

    desk: Desk
    way: Air
    conn: Connection
    made: Made

    @property
    def page(self) -> Page:
        return self.desk.page

    async def change(self, times: int = 1) -> None:
        """As somebody does in psql."""
        for _ in range(times):
            await self.conn.execute(
                "update automation_job set portal_url = 'http://p/' || seq where id = %s", (self.made.job_id,)
            )


PHASES = """() => {
  const status = document.querySelector('connection-status');
  window.phases = [status.dataset.phase];
  new MutationObserver(() => phases.push(status.dataset.phase)).observe(status, { attributeFilter: ['data-phase'] });
}"""


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of a server started from here on end after two seconds instead of fifteen minutes."""
    monkeypatch.setattr("app.main.Timings", partial(Timings, lifetime_s=2.0))


@pytest.fixture
async def bench(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Bench]:
    async with (
        service(web_settings(database_url, redis_url, tmp_path)) as served,
        air(served.url) as way,
        at_desk(way) as desk,
    ):
        project = await make_project(conn)
        made = await make_record(conn, device=await make_device(conn, project))
        email = f"{uuid4().hex[:6]}@example.com"
        _, password = await create_user(conn, email=email, name="Desk", project=project.code, role="operator")
        await desk.sign_in(Person(email=email, password=password))
        await expect(desk.page.locator(f"tr[data-id='{made.record_id}']")).to_be_visible()
        yield Bench(desk=desk, way=way, conn=conn, made=made)


async def test_a_break_is_said_with_its_age_and_next_try_and_then_what_was_missed(bench: Bench) -> None:
    status, notices = bench.page.locator("connection-status"), bench.page.locator("#notices")
    await expect(status.locator(".age")).to_be_empty()
    bench.way.cut()
    await expect(notices).to_contain_text("The connection was lost at")
    await expect(status.locator(".age")).to_contain_text("as of")
    await expect(status.locator(".age")).to_contain_text("try ")
    assert await problems(bench.page) == []
    await bench.change(3)
    bench.way.heal()
    await expect(notices).to_contain_text("3 changes were missed meanwhile and are shown now")
    await expect(status).to_have_attribute("data-phase", "live")
    await expect(status.locator(".age")).to_be_empty()
    await status.get_by_role("button").click()
    await expect(status.locator("dl")).to_contain_text("3 changes missed and shown since")
    assert await problems(bench.page, "connection-status") == []
    await bench.page.keyboard.press("Escape")
    await expect(status.locator("dl")).to_have_count(0)


@pytest.mark.usefixtures("short_lived")
async def test_a_stream_that_the_server_ends_goes_on_without_a_word_and_the_list_hears_of_records(bench: Bench) -> None:
    row = bench.page.locator(f"tr[data-id='{bench.made.record_id}']")
    await bench.page.evaluate(PHASES)
    for _ in range(2):
        async with bench.page.expect_request("**/api/events*", timeout=60_000):
            pass
    await bench.change()
    # No job changes by this, so only the record's own event can bring it.
    await bench.conn.execute("update asbuilt_record set crew = 'Crew Lima' where id = %s", (bench.made.record_id,))
    await expect(row).to_contain_text("Crew Lima")
    assert await bench.page.evaluate("() => phases") == ["live"]
    bench.way.cut()
    await bench.page.wait_for_function("() => phases.includes('reconnecting')")


async def test_how_long_a_change_took_from_commit_to_screen_is_measured(bench: Bench) -> None:
    await bench.page.evaluate(LATENCIES)
    for at in range(1, 4):
        await bench.change()
        await bench.page.wait_for_function("(n) => latencies.length >= n", arg=at)
    told = await bench.page.evaluate("() => latencies")
    assert [len(each["ms"]) for each in told] == [1, 1, 1]
    assert told[-1]["count"] == 3
    # Both clocks are this machine's: what was measured is a time that has passed, known to within a few hundredths.
    assert all(0 <= ms < 60_000 for each in told for ms in each["ms"])
    assert 0 <= told[-1]["p50"] <= told[-1]["p95"]
    assert 0 <= told[-1]["doubt"] < 5_000
    await bench.page.locator("connection-status").get_by_role("button").click()
    await expect(bench.page.locator("connection-status dl")).to_contain_text("3 changes, ±")
    assert bench.desk.complaints == []


@pytest.mark.slow
async def test_a_laptop_that_slept_finds_out_by_itself(bench: Bench) -> None:
    """No end of the connection is told anything; only the silence says that it is dead."""
    status, notices = bench.page.locator("connection-status"), bench.page.locator("#notices")
    bench.way.silence()
    await bench.change(2)
    await expect(notices).to_contain_text("The connection was lost at")
    await expect(status.locator(".age")).to_contain_text(re.compile("as of [3-9][0-9] s ago"))
    bench.way.heal()
    await expect(notices).to_contain_text("2 changes were missed meanwhile and are shown now")
    await expect(status).to_have_attribute("data-phase", "live")
    await expect(notices).to_be_empty()
