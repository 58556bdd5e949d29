"""Text from phones, portals, workers and people stays text: shown as it was written, run by nobody, whatever page it comes to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from sql import Connection
from tests.browser.desk import Crew, Desk, Person, at_desk
from tests.browser.hostile import NEVER, UNSEEN, accounted, nasty, plain, seen, shown
from tests.browser.hostile_rows import IN_TROUBLE, Day, hostile_day, sql
from tests.browser.test_dashboard import overflow
from tests.service import service, until, web_settings
from tests.web.live import say

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
FRAME = '"><iframe srcdoc="<script>parent.alert(3)</script>"></iframe>'
TURNED = "\u202egpj.exe"
# Every word that is on the page to be read, by eye or by ear.
WORDS = """() => [document.title, document.body.innerText,
  ...[...document.querySelectorAll('svg title')].map((each) => each.textContent),
  ...[...document.querySelectorAll('[title], [aria-label], [alt]')].flatMap((each) => [each.title, each.ariaLabel, each.alt]),
].join('\\n')"""
# What must not be there: elements and addresses made of text, and characters that cannot be seen.
MADE = """(unseen) => {
  const bad = new RegExp(unseen, 'u');
  const found = [...document.querySelectorAll('img[src="x"], [onerror], [onload], iframe, object, embed, [srcdoc]')].map((each) => each.outerHTML);
  for (const element of document.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      if (/^\\W*(javascript|vbscript|data:text)/i.test(value)) found.push(`${name}=${value}`);
      if (!name.startsWith('data-') && name !== 'value' && bad.test(value)) found.push(`unseen in ${name}: ${value}`);
    }
    for (const node of element.childNodes) if (node.nodeType === 3 && bad.test(node.data)) found.push(`unseen: ${node.data}`);
  }
  if (bad.test(document.title)) found.push(`unseen: ${document.title}`);
  return found;
}"""
LATE_S = 60
"""Only what is not there is waited for so long."""
OPEN = "() => document.querySelectorAll('details').forEach((each) => { each.open = true; })"
COLUMNS = (
    "select table_name || '.' || column_name from information_schema.columns where table_schema = 'public'"
    " and data_type in ('text', 'json', 'jsonb', 'character varying', 'ARRAY') and table_name not like 'procrastinate%%'"
    " and table_name in (select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE')"
)


# Names what stands out of the page, the innermost first: its parents stand out because of it.
WIDER = """() => [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroll, svg'))
  .reverse().slice(0, 6).map((each) => `${each.tagName} ${each.className} in ${each.parentElement.className}: ${each.textContent.slice(0, 60)}`)"""


async def look(page: Page, screen: str, *, says: bool = True) -> list[str]:
    """What is wrong with a screen: text it must show and does not, what is there and must not be, what stands out wide or narrow."""

    async def missing() -> list[str]:
        words = plain(await page.evaluate(WORDS))
        return [column for column in shown()[screen] if seen(column) not in words]

    wrong = []
    if says:
        with suppress(TimeoutError):
            await until(missing, lambda columns: columns == [], within_s=LATE_S)
        wrong = [f"not shown: {column}" for column in await missing()]
    wrong += await page.evaluate(MADE, UNSEEN)
    size = page.viewport_size
    assert size is not None
    for width in (size["width"], 360):
        await page.set_viewport_size({"width": width, "height": size["height"]})
        if await overflow(page) > 0:
            wrong += [f"wider than {width}: {each}" for each in await page.evaluate(WIDER)]
    await page.set_viewport_size(size)
    return [f"{screen}: {each}" for each in wrong]


async def test_each_column_of_text_is_walked_or_has_its_reason(conn: Connection) -> None:
    """A new column that holds text is added to tests/browser/hostile.py: to what is shown, or to why it never is."""
    there = {row[0] for row in await (await conn.execute(COLUMNS)).fetchall()}
    assert accounted() == there
    bound = {
        row[0]
        for row in await (
            await conn.execute(
                "select c.conrelid::regclass || '.' || a.attname from pg_constraint as c join pg_attribute as a"
                " on a.attrelid = c.conrelid and a.attnum = any(c.conkey) where c.contype = 'c'"
                " and pg_get_constraintdef(c.oid) like '%= ANY (ARRAY[%'"
            )
        ).fetchall()
    }
    assert set(NEVER["a CHECK allows but few words"].split()) <= bound


@pytest.fixture
async def office(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> AsyncIterator[tuple[Day, Desk]]:
    """The records with their text, and an operator at the desk."""
    settings = web_settings(database_url, redis_url, tmp_path)
    day = await hostile_day(conn, settings.blobs)
    async with service(settings) as served, at_desk(served) as desk:
        await desk.sign_in(day.operator)
        yield day, desk


async def test_text_from_outside_is_shown_as_text_on_the_list_and_on_records(
    office: tuple[Day, Desk], redis_url: str
) -> None:
    (day, desk), wrong = office, list[str]()
    page = desk.page
    wrong += await look(page, "list")
    for screen, made in (("live", day.live), ("completed", day.completed)):
        await desk.open_record({"record_id": made.record_id})
        if screen == "live":
            label, message = (nasty(column) for column in shown()[screen])
            await say(redis_url, made, attempt=1, percent=40, label=label, message=message)
        await page.evaluate(OPEN)
        wrong += await look(page, screen)
        await page.keyboard.press("Escape")
        # It closes by a step back, which would abort the way to another address.
        await expect(page).not_to_have_url(re.compile("record="))
    await desk.open(f"/records/{day.failed.record_id}")
    await expect(page.locator("record-detail .timeline li").first).to_be_visible()
    await page.evaluate(OPEN)
    wrong += await look(page, "record")
    for button in ("Waive…", "Open photo", "Open screenshot"):
        await page.get_by_role("button", name=button).first.click()
        await expect(page.locator("dialog[open]")).to_be_visible()
        wrong += await look(page, "record", says=False)
        await page.keyboard.press("Escape")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.slow
async def test_text_from_outside_is_shown_as_text_on_the_pages_of_operations(
    office: tuple[Day, Desk], conn: Connection
) -> None:
    desk, wrong = office[1], list[str]()
    page = desk.page
    for screen in ("operations", "failures", "portals", "questions", "audit"):
        await desk.open("/operations" if screen == "operations" else f"/operations/{screen}")
        await expect(page.locator(".ops-body > *").first).to_be_visible()
        if screen == "questions":
            await page.get_by_role("button", name="Answer…").first.click()
        await page.evaluate(OPEN)
        wrong += await look(page, screen)
        if screen == "portals":
            await page.get_by_role("button", name="Resume…").first.click()
            await expect(page.locator("dialog[open]")).to_be_visible()
            wrong += await look(page, screen, says=False)
            for statement in IN_TROUBLE:
                await conn.execute(sql(statement))
            await desk.open("/operations/portals")
            wrong += await look(page, "breaker")
    assert wrong == [], "\n".join(wrong)


async def test_hostile_text_is_shown_and_never_run(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(
        photos=False,
        asset=SCRIPT,
        crew=IMAGE,
        fields={"notes": FRAME, "crew_lead": TURNED, IMAGE: IMAGE, "pole_material": [{SCRIPT: IMAGE}]},
    )
    await desk.sign_in(operator)
    await expect(desk.row(sent)).to_contain_text(SCRIPT)
    await expect(desk.row(sent)).to_contain_text(IMAGE)
    dialog = await desk.open_record(sent)
    await expect(dialog.locator("h2")).to_have_text(SCRIPT)
    await expect(dialog.locator(".fields")).to_contain_text(FRAME)
    await expect(dialog.locator(".fields")).to_contain_text(IMAGE)
    # A character that turns the text around it is spelled out instead.
    await expect(dialog.locator(".fields")).to_contain_text("⟨U+202E⟩gpj.exe")
    assert await desk.page.locator("dialog script, dialog iframe, dialog img[src=x]").count() == 0
    # What ran would have raised a dialog or a report; `desk` fails on either at its end.
    await desk.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
