"""A reviewer lets findings stand at the dashboard, and the record goes on to the portal."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.desk import Crew, Desk, make_person
from tests.e2e.stacks import Stack


async def test_a_blocker_is_waived_with_a_reason_and_the_record_goes_on(stack: Stack, desk: Desk, crew: Crew) -> None:
    sent = crew.send(photos=False, fields={"earth_resistance_ohm": None})
    assert sent["job_status"] == "held"
    await desk.sign_in(make_person(stack, "reviewer"))
    dialog = await desk.open_record(sent)
    blockers = dialog.locator(".findings-items li[data-status=open]").filter(has=desk.page.get_by_text("Blocker"))
    left = await blockers.count()
    assert left == 4
    while left:
        await blockers.first.get_by_role("button", name="Waive…").click()
        ask = desk.page.locator("dialog.waive")
        await expect(ask.get_by_role("heading")).to_have_text("Let this finding stand?")
        # Without a reason nothing is sent.
        await ask.get_by_role("button", name="Waive").click()
        await expect(ask).to_be_visible()
        await ask.get_by_label("Reason").fill("Photos and test follow by <b>mail</b>")
        await desk.page.keyboard.press("Enter")
        left -= 1
        await expect(ask).to_have_count(0)
        await expect(blockers).to_have_count(left)
    closed = dialog.locator(".findings-items li[data-status=waived]")
    await expect(closed).to_have_count(4)
    await expect(closed.first).to_contain_text("Photos and test follow by <b>mail</b>")
    assert crew.job(sent)["state"] != "held"


async def test_a_viewer_is_offered_no_waiver(stack: Stack, desk: Desk, crew: Crew) -> None:
    sent = crew.send(photos=False)
    await desk.sign_in(make_person(stack, "viewer"))
    dialog = await desk.open_record(sent)
    await expect(dialog.locator(".findings-items li").first).to_be_visible()
    await expect(dialog.get_by_role("button", name="Waive…")).to_have_count(0)
