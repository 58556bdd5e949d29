"""Many changes at once on many rows: each row is right at the end, none is made anew, only those in sight are laid out, and a
burst is few frames."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Page, Route, expect

from app.core.access import create_user
from sql import Connection
from tests.browser.desk import Person, at_desk
from tests.factories import make_device, make_project, make_record
from tests.service import service, web_settings

ROWS, ROUNDS, AGAIN = 60, 10, 10

# Frames in which the list changed, the texts and attributes that did, and whether a row was taken out or put in.
WATCH = """() => {
  window.seen = { frames: 0, mutations: 0, rows: 0 };
  let frame = null;
  new MutationObserver((list) => {
    seen.mutations += list.length;
    seen.rows += list.filter((one) => one.target.localName === 'tbody').length;
    if (frame === null) frame = requestAnimationFrame(() => { frame = null; seen.frames += 1; });
  }).observe(document.querySelector('tbody'), { childList: true, characterData: true, attributes: true, subtree: true });
}"""
SHOWN = """() => [...document.querySelectorAll('tr[data-id]')].map((row) => {
  const badge = row.querySelector('automation-status-badge');
  return [row.dataset.id, badge.dataset.state, badge.querySelector('.note').textContent];
})"""


# Which rows have been laid out, by their place in the list, and how high all of them are thought to be.
LAID_OUT = """() => {
  const rows = [...document.querySelectorAll('tr[data-id]')];
  const at = rows.flatMap((row, n) => row.firstElementChild.checkVisibility({ contentVisibilityAuto: true }) ? [n] : []);
  return { at, high: document.querySelector('tbody').offsetHeight };
}"""


# Every sentence that is read aloud, wherever on the page.
HEAR = """() => {
  window.heard = [];
  const regions = [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')];
  new MutationObserver((list) => list.forEach(({ target }) => {
    const region = target.nodeType === 1 ? target.closest('[role=status], [role=alert], [aria-live]') : target.parentElement.closest('[role=status], [role=alert], [aria-live]');
    if (region && !region.hidden) heard.push(region.textContent);
  })).observe(document.body, { childList: true, characterData: true, subtree: true });
  return regions.length;
}"""
SENTENCE = """async (states) => {
  const { sentenceOf } = await import('/static/elements/review/news.js');
  return sentenceOf(states.map((state, n) => ({ state, external_ref: `AB-${n}` })), (job) => job.external_ref);
}"""


@pytest.fixture
async def page(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Page]:
    project = await make_project(conn)
    device = await make_device(conn, project)
    for n in range(ROWS):
        await make_record(conn, device=device, state="failed" if n < AGAIN else "completed")
    email = f"{uuid4().hex[:6]}@example.com"
    _, password = await create_user(conn, email=email, name="Desk", project=project.code, role="operator")
    async with service(web_settings(database_url, redis_url, tmp_path)) as served, at_desk(served) as desk:
        await desk.sign_in(Person(email=email, password=password))
        await desk.page.get_by_role("button", name="Load more").click()
        await expect(desk.page.locator("tr[data-id]")).to_have_count(ROWS)
        yield desk.page


async def test_a_storm_of_changes_ends_with_every_row_right_and_lays_out_those_in_sight(
    page: Page, conn: Connection
) -> None:
    await _lays_out_what_is_in_sight(page)
    await page.evaluate(WATCH)
    for _ in range(ROUNDS):
        await conn.execute(
            "update automation_job set confirmation = 'NPL-' || right(id::text, 4) || '-' || (seq + 1) where state = 'completed'"
        )
    await conn.execute("select ops.retry(id, 'for the test') from automation_job where state = 'failed'")
    rows = await (
        await conn.execute("select record_id::text, state, coalesce(confirmation, '') from automation_job")
    ).fetchall()
    wanted = {record: (state, note) for record, state, note in rows}
    assert sorted({state for state, _ in wanted.values()}) == ["completed", "queued"]
    await page.wait_for_function(
        "(queued) => document.querySelectorAll('tr [data-state=queued]').length === queued", arg=AGAIN
    )
    shown = {record: (state, note) for record, state, note in await page.evaluate(SHOWN)}
    assert {record: state for record, (state, _) in shown.items()} == {r: state for r, (state, _) in wanted.items()}
    assert all(shown[record][1] == note for record, (state, note) in wanted.items() if state == "completed")
    seen = await page.evaluate("() => seen")
    assert seen["rows"] == 0, "rows were taken out or put in"
    # Each change is the text of one row; a browser that redrew all rows for each would have sixty times as many.
    assert seen["mutations"] <= 4 * ROWS * ROUNDS
    assert seen["frames"] <= ROWS * ROUNDS / 2, "a burst is told in one breath, and drawn in few frames"


async def _lays_out_what_is_in_sight(page: Page) -> None:
    seen = []
    for place, end in (("first", "at[0] === 0"), ("last", f"at.at(-1) === {ROWS - 1}")):
        await getattr(page.locator("tr[data-id]"), place).scroll_into_view_if_needed()
        found = await page.wait_for_function(
            f"() => {{ const {{ at, high }} = ({LAID_OUT})(); return {end} && {{ at, high }}; }}"
        )
        seen.append(await found.json_value())
    top, bottom = seen
    assert max(len(top["at"]), len(bottom["at"])) < ROWS / 2, "five hundred rows would be laid out for a change of one"
    assert set(top["at"]).isdisjoint(bottom["at"]), "a row that was left is laid out no more"
    assert bottom["high"] == pytest.approx(top["high"], abs=ROWS), "rows are as high as was thought, or the page jumps"


async def test_fifty_changes_in_two_seconds_are_read_aloud_as_few_sentences(page: Page, conn: Connection) -> None:
    assert await page.evaluate(HEAR) >= 3
    jobs = await (await conn.execute("select id from automation_job where state = 'failed'")).fetchall()
    for _ in range(5):
        for (job,) in jobs:
            await conn.execute("select ops.retry(%s, 'for the test')", (job,))
            await conn.execute("select ops.cancel(%s, 'for the test')", (job,))
    await page.wait_for_function(
        "(all) => document.querySelectorAll('tr [data-state=cancelled]').length === all", arg=len(jobs)
    )
    await page.wait_for_function("() => heard.some((said) => said.includes('records changed'))")
    heard = await page.evaluate("() => heard")
    assert len(heard) <= 3, heard
    assert await page.evaluate(SENTENCE, ["completed"]) == "AB-0: Completed"
    many = ["completed"] * 3 + ["needs_input", "queued"] + ["failed"] * 2
    assert await page.evaluate(SENTENCE, many) == "7 records changed: Failed 2, Needs a person 1, Completed 3, Queued 1"


SLOW_S = 1.5
CREW = "update asbuilt_record set crew = 'Crew ' || %s::text where id = %s"


@asynccontextmanager
async def busy_on_a_slow_line(page: Page, conn: Connection, record: str) -> AsyncIterator[None]:
    """Each answer about records takes longer than the page waits between two, and something of one changes all the time."""

    async def change() -> None:
        for n in count():
            await conn.execute(CREW, (n, record))
            await asyncio.sleep(0.2)

    async def delay(route: Route) -> None:
        await asyncio.sleep(SLOW_S)
        await route.continue_()

    await page.route("**/api/records/*", delay)
    await page.route("**/api/records?*", delay)
    changing = asyncio.create_task(change())
    yield
    assert not changing.done(), "it changed to the end"
    changing.cancel()
    await page.unroute_all(behavior="wait")


@pytest.mark.slow
async def test_on_a_slow_line_changes_that_come_quicker_than_answers_are_shown_all_the_same(
    page: Page, conn: Connection
) -> None:
    rows, more = page.locator("tr[data-id]"), page.get_by_role("button", name="Load more")
    await page.reload()
    await expect(more).to_be_visible()
    record = await rows.first.get_attribute("data-id")
    assert record is not None
    async with busy_on_a_slow_line(page, conn, record):
        await expect(rows.first).to_contain_text(re.compile("Crew [0-9]"))
        async with page.expect_request("**/api/records?*"):
            pass
        await more.click()
        await expect(more).to_be_hidden()
        await expect(rows).to_have_count(ROWS)
        # A filter that is chosen while rows of the old one are under way has its own rows, and no other.
        async with page.expect_request("**/api/records?*"):
            pass
        await page.get_by_role("button", name=re.compile("^Failed")).click()
        await expect(rows).to_have_count(AGAIN)
    await page.goto(page.url.partition("?")[0] + f"records/{record}")
    crew = page.get_by_text(re.compile("^Crew [0-9]+$")).first
    shown = await crew.inner_text()
    async with busy_on_a_slow_line(page, conn, record):
        await expect(page.get_by_text(shown, exact=True)).to_have_count(0)
