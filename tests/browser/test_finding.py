"""Finding records at the dashboard: filters that live in the address, all projects, keys, and lists that cannot be had."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.desk import Crew, Desk, Person, make_person
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.e2e.stacks import Stack, asbuilt

TIMES = """async ([span, now]) => {
  const { timesOf } = await import('/static/filters.js');
  return timesOf(span, new Date(now));
}"""

# In one breath: the second before any answer to the first.
PRESS = """(words) => words.forEach(
  (word) => [...document.querySelectorAll('.chip')].find((chip) => chip.textContent.startsWith(word)).click())"""


async def test_filters_are_in_the_address_and_back_undoes_what_was_opened(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    bad = crew.send(photos=False, asset="P-FIND-BAD", crew="Finders")
    page = desk.page
    await desk.sign_in(operator, "/?q=p-find")
    await page.get_by_label("Findings").select_option(label="Blockers")
    await expect(page).to_have_url(re.compile(r"severity=blocker"))
    await expect(desk.row(bad)).to_be_visible()
    await page.get_by_label("Review").select_option(label="Approved")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Review")).to_have_value("approved")
    await page.get_by_role("button", name="Clear filters").click()
    await expect(page).to_have_url(re.compile(r"/$"))
    await expect(page.get_by_role("searchbox")).to_have_value("")
    await expect(page.get_by_role("button", name=re.compile("^Held"))).to_be_visible()
    await page.evaluate(PRESS, ["Held", "Cancelled"])
    await expect(page).to_have_url(re.compile(r"state=held%2Ccancelled"))
    await expect(page.locator(".chip[aria-pressed=true]")).to_have_count(2)
    await page.get_by_label("Received", exact=True).select_option(label="Received today")
    await expect(desk.row(bad)).to_be_visible()
    await page.get_by_label("Received", exact=True).select_option(label="Received between…")
    await page.get_by_label("Received until").fill("2020-02-29")
    await expect(page).to_have_url(re.compile(r"received=\.\.2020-02-29"))
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    assert await problems(page) == []


async def test_days_are_the_viewers_own(desk: Desk) -> None:
    """In the browser's zone, also over the hour that the clock loses or gains."""
    await desk.open("/sign-in")
    now = "2026-03-30T10:00:00Z"
    zone = await desk.page.evaluate("() => new Date(2026, 2, 30).toISOString()")
    assert (await desk.page.evaluate(TIMES, ["today", now]))["from"] == zone
    assert await desk.page.evaluate(TIMES, ["..", now]) == {"from": None, "until": None}
    assert await desk.page.evaluate(TIMES, ["2026-02-31..", now]) == {"from": None, "until": None}
    assert await desk.page.evaluate(TIMES, ["toString", now]) == {"from": None, "until": None}
    both = await desk.page.evaluate(TIMES, ["2026-03-01..2026-03-29", now])
    assert both["until"] == zone, "the last day is whole"


async def test_all_projects_are_one_list_and_each_row_says_whose_it_is(stack: Stack, desk: Desk, crew: Crew) -> None:
    first = make_person(stack, "operator")
    of_both = ("--email", first.email, "--project", "harbor", "--role", "viewer")
    password = asbuilt("user", "create", *of_both, "--home", str(stack.home)).stdout.strip()
    person = Person(email=first.email, password=password)
    sent = crew.send(photos=False, asset="P-ALL-1")
    page = desk.page
    await desk.sign_in(person)
    await page.get_by_label("Project").select_option(label="All projects")
    await expect(page).to_have_url(re.compile(r"project=%2A|project=\*"))
    await expect(desk.row(sent).locator(".tag")).to_have_text("demo")
    await expect(page.locator("connection-status")).to_have_text("Live")
    crew.http.post(f"/api/jobs/{sent['automation_job_id']}/cancel", json={"reason": "x"}).raise_for_status()
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "cancelled")
    await page.reload()
    await expect(page.get_by_label("Project")).to_have_value("*")
    dialog = await desk.open_record(sent)
    await expect(dialog.get_by_role("button", name="Retry", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_label("Project").select_option(label="Harbor demo")
    await expect(page.get_by_role("heading", name="No records yet")).to_be_visible()


async def test_the_list_is_worked_by_keys_and_they_are_listed(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = [crew.send(photos=False, asset=f"P-KEYS-{at}") for at in range(3)]
    page = desk.page
    await desk.sign_in(operator, "/?q=P-KEYS")
    await expect(page.locator("tr[data-id]")).to_have_count(3)
    await expect(page.get_by_text("3 records", exact=True)).to_be_visible()
    await page.keyboard.press("j")
    await expect(desk.row(sent[2])).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(desk.row(sent[0])).to_be_focused()
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.detail h2")).to_have_text("P-KEYS-1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keyboard")
    await expect(help_dialog).to_contain_text("Next record")
    assert await overflow(page) <= 0
    await page.keyboard.press("Escape")
    await expect(help_dialog).to_be_hidden()
