"""The shell: addresses, links, history, focus, and a broken view that stays alone. The stack is real."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.desk import Crew, Desk, Person
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow

FOCUSED = "() => document.activeElement.tagName"
RELOADED = "() => window.mark === undefined"


async def test_the_page_of_a_record_is_reached_by_its_link_left_by_back_and_never_loaded_again(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    sent = crew.send(photos=False, asset="P-SHELL-1")
    page = desk.page
    await desk.sign_in(operator)
    await expect(page).to_have_title("Forms · Asbuilt")
    await page.evaluate("() => { window.mark = 1; }")
    dialog = await desk.open_record(sent)
    await dialog.get_by_role("link", name="Open as a page").click()
    await expect(page).to_have_url(re.compile(f"/records/{sent['record_id']}$"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("P-SHELL-1")
    await expect(page).to_have_title("P-SHELL-1 · Asbuilt")
    assert await page.evaluate(FOCUSED) == "H1"
    await expect(page.locator("record-detail .about dd").first).to_be_visible()
    await expect(page.get_by_role("navigation").get_by_role("link", name="Forms")).to_have_attribute(
        "aria-current", "page"
    )
    assert await problems(page) == []
    assert await overflow(page) <= 0
    await page.go_back()
    await expect(dialog).to_be_visible()
    await page.go_back()
    await expect(dialog).to_be_hidden()
    await expect(desk.row(sent)).to_be_visible()
    await page.go_forward()
    await page.go_forward()
    await expect(page.get_by_role("heading", level=1)).to_have_text("P-SHELL-1")
    await page.get_by_role("navigation").get_by_role("link", name="Forms").click()
    await expect(desk.row(sent)).to_be_visible()
    assert await page.evaluate(FOCUSED) == "H1"
    assert not await page.evaluate(RELOADED)


async def test_a_record_page_opens_by_its_address_and_shows_the_same_record_live(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    sent = crew.send(photos=False, asset="P-SHELL-2")
    await desk.sign_in(operator, f"/records/{sent['record_id']}")
    badge = desk.page.locator(".title automation-status-badge")
    await expect(badge).to_have_attribute("data-state", "held")
    crew.http.post(f"/api/jobs/{sent['automation_job_id']}/cancel", json={"reason": "drawn twice"}).raise_for_status()
    await expect(badge).to_have_attribute("data-state", "cancelled")
    await expect(desk.page.locator(".timeline")).to_contain_text("drawn twice")


async def test_one_comes_back_to_where_one_had_scrolled_to(desk: Desk, crew: Crew, operator: Person) -> None:
    for at in range(20):
        crew.send(photos=False, asset=f"P-SCROLL-{at:02}")
    await desk.sign_in(operator, "/?q=P-SCROLL")
    row = desk.page.locator("tr[data-id]").nth(15)
    await row.scroll_into_view_if_needed()
    await desk.page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    place = await desk.page.evaluate("() => scrollY")
    assert place > 300
    record = await row.get_attribute("data-id")
    await desk.page.evaluate(
        "(id) => { const a = document.createElement('a'); a.href = `/records/${id}`; document.body.append(a); a.click(); a.remove(); }",
        record,
    )
    await expect(desk.page.locator("record-detail .about dd").first).to_be_visible()
    assert await desk.page.evaluate("() => scrollY") == 0
    await desk.page.go_back()
    await desk.page.wait_for_function("(y) => Math.abs(scrollY - y) < 2", arg=place)


async def test_a_link_that_is_opened_in_a_new_tab_stays_a_link(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(photos=False, asset="P-SHELL-3")
    await desk.sign_in(operator)
    dialog = await desk.open_record(sent)
    async with desk.page.context.expect_page() as opened:
        await dialog.get_by_role("link", name="Open as a page").click(modifiers=["Control"])
    tab = await opened.value
    await expect(tab.get_by_role("heading", level=1)).to_have_text("P-SHELL-3")
    await expect(dialog).to_be_visible()


async def test_a_view_that_is_broken_says_so_and_the_others_work(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(photos=False)
    desk.provokes("broken")
    await desk.page.route(
        "**/views/record.js",
        lambda route: route.fulfill(
            status=200,
            content_type="text/javascript",
            body="export const title = 'R'; export function mount() { throw new Error('broken'); }",
        ),
    )
    await desk.sign_in(operator, f"/records/{sent['record_id']}")
    await expect(desk.page.get_by_role("heading", name="This page could not be shown")).to_be_visible()
    await desk.page.get_by_role("navigation").get_by_role("link", name="Forms").click()
    await expect(desk.row(sent)).to_be_visible()


async def test_a_record_that_is_not_there_is_said_in_words(desk: Desk, operator: Person) -> None:
    desk.provokes("404", "/api/records/0198a0b0")
    await desk.sign_in(operator, "/records/0198a0b0-0000-4000-8000-000000000000")
    await expect(desk.page.get_by_role("alert")).to_contain_text("There is no such record")
    await expect(desk.page.locator(".detail-body")).to_be_hidden()
