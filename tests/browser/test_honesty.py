"""The page says how old it is, what it missed, and how long a change took to be seen. Server, browser and network are real."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from app.core.access import create_user
from app.core.cache import Audience, Progress, ProgressCache, commands
from app.core.settings import Settings
from app.live.timings import Timings
from sql import Connection
from tests.browser.air import Air, air
from tests.browser.desk import Desk, Person, at_desk
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.factories import Made, claim, make_device, make_project, make_record, value
from tests.service import Service, service, web_settings
from tests.unit.pictures import jpeg
from tests.web.wire import wire

# When the row changed, and when the page said how long that took.
LATENCIES = """(id) => {
  window.latencies = [];
  window.seen = [];
  const words = document.querySelector(`tr[data-id="${id}"] .note`);
  new MutationObserver(() => seen.push(Date.now())).observe(words, { subtree: true, childList: true, characterData: true });
  document.querySelector('connection-status').addEventListener('latency', ({ detail }) => latencies.push({ ...detail, told: Date.now() }));
}"""
# The page is too busy to show anything.
BUSY = """() => setTimeout(() => { const until = performance.now() + 300; while (performance.now() < until); })"""
TICK_MS = 2
"""What the page and the test read off the machine's clock is cut to the millisecond."""


STEPS = (("login", 5), ("fill", 10), ("submit", 20))
"""The keys of a recipe's steps, and the seconds that each usually takes."""
STEP = (
    "insert into automation_step (job_id, attempt, key, index, total, label, state, started_at, ended_at, recipe_version)"
    " select %(job)s, %(attempt)s, %(key)s, %(index)s, 3, %(key)s, %(state)s, now() - make_interval(secs => %(ago)s),"
    " case when %(state)s = 'running' then null else now() - make_interval(secs => %(ago)s - %(took)s) end, recipe_version"
    " from portal where key = 'npl'"
)


class Bench(msgspec.Struct, kw_only=True):
    """A desk whose network can be taken away, and a record on it."""

    served: Service
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

    async def run_slowly(self) -> None:
        """The record's run is at its second step, for longer than nine of ten of those before it took."""
        for _ in range(5):
            done = await make_record(self.conn, state="completed", device=self.made.device)
            for at, (key, took) in enumerate(STEPS):
                await self._step(done, done.attempt, key=key, index=at + 1, state="confirmed", ago=900, took=took)
        attempt = await claim(self.conn, self.made.job_id)
        await self._step(self.made, attempt, key="fill", index=2, state="running", ago=60, took=0)

    async def _step(self, made: Made, attempt: int, **values: object) -> None:
        await self.conn.execute(STEP, {"job": made.job_id, "attempt": attempt, **values})

    async def screenshot(self, shade: int) -> tuple[str, Path]:
        """Kept as the worker keeps one: its address, and its file."""
        data = jpeg(shade=shade)
        digest = hashlib.sha256(data)
        folder = self.served.settings.blobs / digest.hexdigest()[:2] / digest.hexdigest()[2:4]
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / digest.hexdigest()
        file.write_bytes(data)
        artifact = await value(
            self.conn,
            "insert into artifact (job_id, attempt, step, kind, blob_sha256)"
            " values (%s, 1, 'fill', 'screenshot', keep_blob(%s, %s, 'image/jpeg')) returning id",
            self.made.job_id,
            digest.digest(),
            len(data),
        )
        return f"/api/jobs/{self.made.job_id}/artifacts/{artifact}", file

    async def tell(self, *, percent: int, screenshot: str) -> None:
        """The run's progress, as the worker tells it."""
        made, redis = self.made, commands(self.served.settings.redis_url)
        assert redis is not None
        progress = Progress(
            job_id=made.job_id,
            record_id=made.record_id,
            attempt=1,
            percent=percent,
            step="fill",
            step_index=2,
            step_total=3,
            label="Fill in the form",
            screenshot=screenshot,
            at=datetime.now(UTC).isoformat(),
        )
        async with redis:
            audience = Audience(project_id=made.project.id, device_id=made.device.id)
            assert await ProgressCache(redis).publish(progress, audience)


PHASES = """() => {
  const status = document.querySelector('connection-status');
  window.phases = [status.dataset.phase];
  new MutationObserver(() => phases.push(status.dataset.phase)).observe(status, { attributeFilter: ['data-phase'] });
}"""


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of a server started from here on end after two seconds instead of fifteen minutes."""
    monkeypatch.setattr("app.main.Timings", partial(Timings, lifetime_s=2.0))


@asynccontextmanager
async def bench_of(settings: Settings, conn: Connection, *, says: str = "Live") -> AsyncIterator[Bench]:
    async with service(settings) as served, air(served.url) as way, at_desk(way) as desk:
        project = await make_project(conn)
        made = await make_record(conn, device=await make_device(conn, project))
        email = f"{uuid4().hex[:6]}@example.com"
        _, password = await create_user(conn, email=email, name="Desk", project=project.code, role="operator")
        await desk.sign_in(Person(email=email, password=password), says=says)
        await expect(desk.page.locator(f"tr[data-id='{made.record_id}']")).to_be_visible()
        yield Bench(served=served, desk=desk, way=way, conn=conn, made=made)


@pytest.fixture
async def bench(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_of(web_settings(database_url, redis_url, tmp_path), conn) as bench:
        yield bench


async def narrow_too(page: Page) -> list[str]:
    """What is wrong with a page as it is, and on 320 pixels."""
    wide, size = await problems(page), page.viewport_size
    await page.set_viewport_size({"width": 320, "height": 900})
    narrow = await problems(page) + ([f"{over} px too wide"] if (over := await overflow(page)) > 0 else [])
    await page.set_viewport_size(size or {"width": 1280, "height": 900})
    return wide + narrow


async def test_a_break_is_said_with_its_age_and_next_try_and_then_what_was_missed(bench: Bench) -> None:
    status, notices = bench.page.locator("connection-status"), bench.page.locator("#notices")
    await expect(status.locator(".age")).to_be_empty()
    bench.desk.provokes("net::ERR_")
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
    assert await problems(bench.page, "#notices") == []
    await status.get_by_role("button").click()
    await expect(status.locator("dl")).to_contain_text("3 changes missed and shown since")
    assert await problems(bench.page, "connection-status") == []
    await bench.page.keyboard.press("Escape")
    await expect(status.locator("dl")).to_have_count(0)
    await _more_than_a_page_came_meanwhile(bench)


async def _more_than_a_page_came_meanwhile(bench: Bench) -> None:
    """Each of them is in the list, once, and nothing lies between two pages. It grows for who looks at it only."""
    page, rows = bench.page, bench.page.locator("tr[data-id]")

    async def comes() -> Made:
        made = await make_record(bench.conn, device=bench.made.device)
        await expect(page.locator(f"tr[data-id='{made.record_id}']")).to_be_visible()
        return made

    bench.way.cut()
    await expect(page.locator("connection-status")).to_have_attribute("data-phase", "reconnecting")
    made = [bench.made, *[await make_record(bench.conn, device=bench.made.device) for _ in range(60)]]
    bench.way.heal()
    await expect(page.locator(f"tr[data-id='{made[-1].record_id}']")).to_be_visible()
    made.append(await comes())
    await expect(rows).to_have_count(50)
    await page.get_by_role("button", name="Load more").click()
    await expect(rows).to_have_count(62)
    assert [await row.get_attribute("data-id") for row in await rows.all()] == [str(m.record_id) for m in made[::-1]]
    await rows.last.get_by_role("checkbox").check()
    await rows.first.focus()
    await comes()
    await expect(rows).to_have_count(63)
    await page.keyboard.press("Escape")
    await comes()
    await expect(rows).to_have_count(62)
    await _one_comes_while_the_list_is_first_read(bench, queued=65)


async def _one_comes_while_the_list_is_first_read(bench: Bench, *, queued: int) -> None:
    page, made = bench.page, []

    async def answer(route: Route) -> None:
        known = await route.fetch()
        made.append(await make_record(bench.conn, device=bench.made.device))
        await expect(page.locator("[data-card=progress] .value")).to_have_text(str(queued))
        await route.fulfill(response=known)

    await page.route("**/api/records?*", answer, times=1)
    await page.reload()
    await expect(page.locator("tr[data-id]").first).to_be_visible()
    await expect(page.locator(f"tr[data-id='{made[0].record_id}']")).to_be_visible()


async def test_numbers_that_cannot_be_had_say_so_and_of_when_they_are(bench: Bench) -> None:
    page, cards = bench.page, bench.page.locator("form-stats-cards")
    await expect(cards.locator("[data-card=progress] .value")).to_have_text("1")
    bench.desk.provokes("net::ERR_FAILED", "/api/stats")
    await page.route("**/api/stats*", lambda route: route.abort())
    await claim(bench.conn, bench.made.job_id)
    await expect(cards.locator(".old")).to_contain_text(re.compile(r"Numbers of \d.*\. \w"))
    await page.reload()
    await expect(cards.locator(".old")).to_contain_text(re.compile(r"No numbers yet\. \w"))
    assert await narrow_too(page) == []
    await page.unroute("**/api/stats*")
    await expect(cards.locator("[data-card=progress]")).to_contain_text("1 processing")
    await expect(cards.locator(".old")).to_be_hidden()


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
    assert bench.desk.complaints == []
    bench.desk.provokes("net::ERR_")
    bench.way.cut()
    await bench.page.wait_for_function("() => phases.includes('reconnecting')")


async def test_how_long_a_change_took_from_commit_to_screen_is_measured(bench: Bench) -> None:
    """No longer than from before the change to when it was told, no shorter than from after it to when the row had changed."""
    page = bench.page
    await page.evaluate(LATENCIES, str(bench.made.record_id))
    for at, reason in enumerate(("slot", "breaker", "slot")):
        await page.evaluate(BUSY)
        before = time.time() * 1000
        await bench.conn.execute(
            "update automation_job set wait_reason = %s where id = %s", (reason, bench.made.job_id)
        )
        after = time.time() * 1000
        await page.wait_for_function("(n) => latencies.length > n && seen.length > n", arg=at)
        told, seen = await page.evaluate("() => [latencies.at(-1), seen.at(-1)]")
        assert [len(told["ms"]), told["count"]] == [1, at + 1]
        doubt = told["doubt"] + TICK_MS
        assert seen - after - doubt <= told["ms"][0] <= told["told"] - before + doubt
        assert told["doubt"] < 5_000
    assert 0 < told["p50"] <= told["p95"]
    await page.locator("connection-status").get_by_role("button").click()
    await expect(page.locator("connection-status dl")).to_contain_text("3 changes, ±")


@pytest.mark.slow
async def test_a_laptop_that_slept_finds_out_by_itself(bench: Bench) -> None:
    """No end of the connection is told anything; only the silence says that it is dead."""
    status, notices = bench.page.locator("connection-status"), bench.page.locator("#notices")
    bench.desk.provokes("net::ERR_")
    bench.way.silence()
    await bench.change(2)
    await expect(notices).to_contain_text("The connection was lost at")
    await expect(status.locator(".age")).to_contain_text(re.compile("as of [3-9][0-9] s ago"))
    bench.way.heal()
    await expect(notices).to_contain_text("2 changes were missed meanwhile and are shown now")
    await expect(status).to_have_attribute("data-phase", "live")
    await expect(notices).to_be_empty()


async def test_a_live_run_says_what_is_left_and_that_it_is_slow_and_a_picture_that_cannot_be_had_says_so_and_comes_back(
    bench: Bench,
) -> None:
    page, run = bench.page, bench.page.get_by_role("region", name="Automation")
    await bench.run_slowly()
    address, file = await bench.screenshot(shade=90)
    aside = file.rename(file.with_suffix(".aside"))
    bench.desk.provokes("503", address)
    await bench.tell(percent=40, screenshot=address)
    await bench.desk.open(f"/records/{bench.made.record_id}")
    await expect(run).to_contain_text("Fill in the form")
    await expect(run).to_contain_text("Step 2 of 3 · 40 %")
    await expect(run).to_contain_text("about 20 s left")
    await expect(run.get_by_role("status")).to_contain_text("Slower than usual: nine of ten times")
    frame = run.get_by_role("button", name="Open the latest screenshot")
    await expect(frame).to_contain_text("Could not be loaded. Trying again…")
    await expect(frame).to_have_accessible_description("Could not be loaded. Trying again…")
    assert await narrow_too(page) == []
    aside.rename(file)
    await expect(frame.locator("img")).to_be_visible()
    await expect(frame).to_have_accessible_description("")
    # The next one is gone for good: the old picture would pass for it.
    address, _ = await bench.screenshot(shade=120)
    bench.desk.provokes("404", address)
    await bench.conn.execute("delete from artifact where id = %s", [address.rpartition("/")[2]])
    await bench.tell(percent=50, screenshot=address)
    await expect(frame).to_contain_text("No longer kept")
    await expect(frame.locator("img")).to_have_count(0)


@pytest.mark.slow
async def test_what_is_degraded_is_said_and_can_be_read_by_anybody(
    database_url: str, conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Redis, and a LISTEN that hears nothing."""
    monkeypatch.setattr("app.main.Timings", partial(Timings, pong_s=0.3, retest_s=1.0))
    async with wire(database_url) as (carrier, listen_url):
        carrier.deaf = True
        settings = web_settings(database_url, "", tmp_path, listen_url=listen_url)
        async with bench_of(settings, conn, says="Live, degraded") as bench:
            notices = bench.page.locator("#notices")
            await expect(notices).to_contain_text("Live progress degraded")
            await expect(notices).to_contain_text("the server is polling its database")
            assert await narrow_too(bench.page) == []
            await bench.run_slowly()
            await bench.desk.open(f"/records/{bench.made.record_id}")
            await expect(bench.page.locator("record-detail > .notice:visible")).to_contain_text(
                "the step and percentage may be old"
            )
            assert await narrow_too(bench.page) == []
            carrier.deaf = False
            await expect(notices).not_to_contain_text("polling")
            await expect(notices).to_contain_text("Live progress degraded")
