"""Every page and dialog as the accessibility checker sees it, in both themes; the stack is real, and the browser complains of nothing."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.desk import Crew, Desk, Person
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.e2e.stacks import Stack

SPOIL = """() => {
  const line = document.createElement('p');
  line.textContent = 'Hardly to be read';
  line.style.color = 'light-dark(#111, #333)';
  document.querySelector('main').append(document.createElement('button'), line);
}"""
NARROW, WIDE = 320, 1280
MAIN = ("list", "record", "operations")
"""What is laid out anew on a phone, so much that the checker looks again."""
OPERATIONS = ("", "/failures", "/portals", "/questions", "/audit")


class Walk:
    """Looks at one page after another, and keeps what it saw for one verdict."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: dict[str, list[str]] = {}

    async def look(self, place: str, within: str = "html") -> None:
        self.seen[place] = await problems(self.page, within)
        for width in (NARROW, WIDE):
            await self.page.set_viewport_size({"width": width, "height": 900})
            over = await overflow(self.page)
            self.seen[place] += [f"{over} px too wide for {width}"] if over > 0 else []
            if width == NARROW and place in MAIN:
                self.seen[place] += [f"{NARROW} px: {said}" for said in await problems(self.page, within)]

    async def dialog(self, place: str, opener: Any) -> None:
        """Open it, look, and close it by Escape: the focus is where it was."""
        await opener.click()
        await expect(self.page.locator("dialog[open]").last).to_be_visible()
        await self.look(place, "dialog[open]:last-of-type")
        await self.page.keyboard.press("Escape")
        await expect(opener).to_be_focused()


async def test_no_page_and_no_dialog_has_anything_to_be_found_fault_with(
    stack: Stack, desk: Desk, crew: Crew, operator: Person
) -> None:
    page, walk = desk.page, Walk(desk.page)
    failed = crew.send(
        asset="P-" + "SEEN" * 20,
        crew="Crew " + "long" * 20,
        fields={"pole_height_ft": 140, "earth_resistance_ohm": 31.4},
    )
    held = crew.send(photos=False, asset="P-SEEN-2")
    await desk.open("/sign-in")
    await expect(page.get_by_label("E-mail")).to_be_enabled()
    await walk.look("sign in")
    await desk.open("/problems/job-not-retryable")
    await walk.look("problem")

    await desk.sign_in(operator)
    await expect(desk.row(failed).locator("automation-status-badge")).to_have_attribute("data-state", "failed")
    await walk.look("list")
    await walk.dialog("keys", page.get_by_role("button", name="Keyboard shortcuts"))
    await desk.row(held).get_by_role("checkbox").check()
    await walk.look("list with a choice")
    await walk.dialog("bulk act", page.locator(".bulk").get_by_role("button", name="Hold"))
    await page.locator("connection-status button").click()
    await walk.look("connection")
    await page.keyboard.press("Escape")
    await desk.open_record(failed)
    await walk.look("record in its dialog")
    await walk.dialog("lightbox", page.locator(".photos button").first)

    await desk.open(f"/records/{held['record_id']}")
    await expect(page.locator("record-detail .about dd").first).to_be_visible()
    await walk.look("record")
    await walk.dialog("waive", page.get_by_role("button", name="Waive").first)
    await walk.dialog("hold", page.get_by_role("group", name="Acts on the job").get_by_role("button", name="Hold…"))
    for path in OPERATIONS:
        await desk.open(f"/operations{path}")
        await expect(page.locator(".ops-body").first).not_to_be_empty()
        await walk.look(f"operations{path}")
        if path == "/portals":
            await walk.dialog("pause", page.get_by_role("button", name="Pause…").first)
    await desk.open("/?q=nothing-has-this")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await walk.look("empty list")
    assert {place: seen for place, seen in walk.seen.items() if seen} == {}


async def test_the_checker_finds_what_is_wrong_also_where_only_one_theme_has_it(desk: Desk) -> None:
    """One that is not let in by the policy, or looks at nothing, would find nothing for ever."""
    await desk.open("/sign-in")
    await expect(desk.page.get_by_label("E-mail")).to_be_enabled()
    await desk.page.evaluate(SPOIL)
    found = {line.partition(" at ")[0] for line in await problems(desk.page)}
    assert found == {"light: button-name", "dark: color-contrast"}
