"""Each screen by keyboard alone: everything that can be used is reached, and one sees where one is; at 200 % zoom, too."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.desk import Crew, Desk, Person
from tests.browser.test_dashboard import overflow
from tests.e2e.stacks import Stack

pytestmark = pytest.mark.slow

# Where the focus is now: what it is called, and what is wrong with that; null at the end of the page.
HERE = """() => {
  window.walked ??= new Set();
  const at = document.activeElement;
  // A date has stops within it.
  if (at === window.last && at.type === 'date') return { what: 'within', wrong: [] };
  window.last = at;
  if (at === document.body || walked.has(at)) return null;
  walked.add(at);
  const box = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  const wrong = [];
  if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) wrong.push('no ring');
  if (box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) wrong.push('out of sight');
  return { what: at.outerHTML.slice(0, 120), wrong };
}"""
PASSED_OVER = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0 && !walked.has(each))
  .map((each) => each.outerHTML.slice(0, 120))"""
# Outside its box a time says the moment itself, for who points at it and for machines.
VAGUE = """() => [...document.querySelectorAll('time')].filter((each) => each.checkVisibility() && each.textContent
  && !(each.title && !Number.isNaN(Date.parse(each.dateTime)))).map((each) => each.outerHTML)"""
MOST = 400


async def walk(page: Page) -> list[str]:
    """Tab through the page; what is wrong on the way."""
    await page.evaluate(
        "() => { delete window.walked; delete window.last; document.activeElement.blur(); window.scrollTo(0, 0); }"
    )
    wrong: list[str] = []
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        here = await page.evaluate(HERE)
        if here is None:
            break
        wrong += [f"{each}: {here['what']}" for each in here["wrong"]]
    return wrong + [f"passed over: {each}" for each in await page.evaluate(PASSED_OVER)]


async def test_every_screen_is_walked_by_keyboard(stack: Stack, desk: Desk, crew: Crew, operator: Person) -> None:
    page = desk.page
    sent = crew.send(asset="P-BY-KEY", fields={"pole_height_ft": 140, "earth_resistance_ohm": 31.4})
    await desk.sign_in(operator)
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "failed")
    seen: dict[str, list[str]] = {}
    for path in ("/?q=P-BY-KEY", f"/records/{sent['record_id']}", "/operations", "/operations/failures", "/operations/portals",
                 "/operations/questions", "/operations/audit"):  # fmt: skip
        await desk.open(path)
        await expect(
            page.locator("tr[data-id], record-detail .timeline li, .ops-body .card, .ops-body .section").first
        ).to_be_visible()
        await expect(page.locator("connection-status")).to_have_text("Live")
        seen[path] = await walk(page) + [f"vague: {each}" for each in await page.evaluate(VAGUE)]
        # A window of 1280 pixels at 200 %.
        await page.set_viewport_size({"width": 640, "height": 450})
        seen[path] += ["too wide at 200 %"] if await overflow(page) > 0 else []
        await page.set_viewport_size({"width": 1280, "height": 900})
    assert {path: wrong for path, wrong in seen.items() if wrong} == {}


async def test_the_way_past_the_bar_is_the_first_stop(desk: Desk, operator: Person) -> None:
    await desk.sign_in(operator)
    await desk.page.reload()
    await expect(desk.page.locator("main h1")).to_be_visible()
    await desk.page.keyboard.press("Tab")
    await expect(desk.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("main")).to_be_focused()
