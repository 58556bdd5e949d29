"""Choosing records at the dashboard, acting on them all, and taking them along."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

from playwright.async_api import Route, expect

from tests.browser.desk import Crew, Desk, Person, make_person
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.e2e.stacks import Stack

FILES = {
    "Table for Excel": "asbuilt-records-demo.csv",
    "Map": "asbuilt-records-demo.geojson",
    "Photos": "asbuilt-photos-demo.zip",
}
"""What the menu offers, by the beginning of its words."""


# What the bar says when the number of all that match cannot be had.
UNCOUNTED = """async () => {
  const { RowChoice } = await import('/static/elements/review/choice.js');
  const list = { shown: () => ['a'], total: () => ({ count: 2 }), count: () => Promise.reject(new Error('no database')), changed: () => choice.show() };
  const choice = new RowChoice({ acts: [], api: null, list });
  choice.toggle('a', { range: false });
  [...choice.element.querySelectorAll('button')].find((button) => button.textContent === 'Select all 2 that match').click();
  await new Promise((done) => setTimeout(done));
  return choice.element.textContent;
}"""


def bar(desk: Desk) -> Any:
    return desk.page.get_by_role("region", name="Selected records")


async def test_some_are_chosen_by_mouse_and_keys_and_cancelled_with_a_reason(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    sent = [crew.send(photos=False, asset=f"P-PICK-{at}") for at in range(5)][::-1]
    page = desk.page
    await desk.sign_in(operator, "/?q=P-PICK")
    await expect(page.locator("tr[data-id]")).to_have_count(5)
    await expect(bar(desk)).to_be_hidden()
    boxes = [desk.row(each).get_by_role("checkbox") for each in sent]
    await boxes[0].click()
    await boxes[2].click(modifiers=["Shift"])
    await expect(bar(desk)).to_contain_text("3 selected")
    # Beside the box, on its label.
    await desk.row(sent[4]).locator(".tick").click(modifiers=["Shift"], position={"x": 4, "y": 4})
    await expect(bar(desk)).to_contain_text("5 selected")
    await page.keyboard.press("Escape")
    await desk.row(sent[1]).focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Shift+Space")
    await expect(bar(desk)).to_contain_text("3 selected")
    assert [await box.is_checked() for box in boxes] == [False, True, True, True, False]
    assert await problems(page) == []
    # One of them has ended meanwhile: it is told, and the others are done.
    crew.http.post(f"/api/jobs/{sent[1]['automation_job_id']}/cancel", json={"reason": "first"}).raise_for_status()
    await bar(desk).get_by_role("button", name="Cancel jobs").click()
    dialog = page.get_by_role("dialog", name="Cancel jobs: 3 records")
    await dialog.get_by_role("button", name="Cancel jobs").click()
    await expect(dialog.get_by_label("Reason")).to_be_focused()
    await dialog.get_by_label("Reason").fill("<b>drawn</b> twice")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("2 jobs cancelled. 1 left as they are:")
    await expect(dialog).to_contain_text("1: a job that is cancelled cannot be cancelled")
    await dialog.get_by_role("button", name="Close").click()
    await expect(bar(desk)).to_be_hidden()
    for each, state in zip(sent, ("held", "cancelled", "cancelled", "cancelled", "held"), strict=True):
        await expect(desk.row(each).locator("automation-status-badge")).to_have_attribute("data-state", state)


async def test_everything_that_matches_is_said_honestly_and_done_to_the_last(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    for at in range(53):
        crew.send(photos=False, asset=f"P-EVERY-{at:02}")
    page = desk.page
    await desk.sign_in(operator, "/operations")
    await page.get_by_role("link", name="Forms").click()
    await page.get_by_label("Search records").fill("P-EVERY")
    await page.locator(".chip").filter(has_text="Held").click()
    await expect(page.get_by_text("50 of 53 records")).to_be_visible()
    await page.get_by_label("Select all rows that are shown").check()
    await expect(bar(desk)).to_contain_text("50 selected")
    all_of_them = bar(desk).get_by_role("button", name="Select all 53 that match")
    await all_of_them.click()
    await expect(bar(desk)).to_contain_text("Everything that matches: 53 records")
    dialog = page.locator("dialog[open]")
    await leave_in_the_middle(desk)
    await page.get_by_label("Select all rows that are shown").check()
    await all_of_them.click()
    late = crew.send(photos=False, asset="P-EVERY-LATE")
    await bar(desk).get_by_role("button", name="Cancel jobs").click()
    await dialog.get_by_label("Reason").fill("the storm")
    await dialog.get_by_role("button", name="Cancel jobs").click()
    desk.provokes("409", "/api/jobs/bulk")
    await expect(dialog).to_contain_text("By now 54 records match")
    assert crew.job(late)["state"] == "held", "swept in though nobody had seen it"
    await dialog.get_by_role("button", name="Cancel jobs").click()
    await expect(dialog).to_contain_text("54 jobs cancelled.")
    await dialog.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


async def leave_in_the_middle(desk: Desk) -> None:
    """Press Back while a bulk act is at its first piece: the dialog goes with its page, and no further piece is asked for."""
    page, asked, gone = desk.page, list[str](), asyncio.Event()

    async def piece(route: Route) -> None:
        asked.append(route.request.url)
        await gone.wait()
        await route.fulfill(json={"done": 1, "items": [], "next": "more", "left": 52})

    await page.route("**/api/jobs/bulk", piece)
    await bar(desk).get_by_role("button", name="Cancel jobs").click()
    await page.locator("dialog[open]").get_by_label("Reason").fill("never mind")
    async with page.expect_request("**/api/jobs/bulk"):
        await page.keyboard.press("Enter")
    await page.go_back()
    await expect(page.locator("main h1")).to_have_text("Operations")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    async with page.expect_response("**/api/jobs/bulk"):
        gone.set()
    await page.go_forward()
    await expect(page.get_by_text("50 of 53 records")).to_be_visible()
    assert len(asked) == 1, "it went on unseen"
    await page.unroute("**/api/jobs/bulk")


async def test_a_viewer_chooses_nothing_and_a_reviewer_is_not_offered_a_hold(
    stack: Stack, desk: Desk, crew: Crew
) -> None:
    sent = crew.send(photos=False)
    await desk.sign_in(make_person(stack, "viewer"))
    await expect(desk.row(sent)).to_be_visible()
    await expect(desk.page.get_by_role("checkbox")).to_have_count(0)
    await desk.page.get_by_role("button", name="Sign out").click()
    await expect(desk.page.get_by_label("E-mail")).to_be_visible()
    await desk.sign_in(make_person(stack, "reviewer"))
    await desk.row(sent).get_by_role("checkbox").check()
    await expect(bar(desk).get_by_role("button", name="Retry")).to_be_visible()
    await expect(bar(desk).get_by_role("button", name="Hold")).to_have_count(0)
    assert "Not selected: no database" in await desk.page.evaluate(UNCOUNTED)


async def test_what_is_shown_is_exported(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(asset="P-EXPORT-1")
    crew.send(photos=False, asset="P-EXPORT-OTHER")
    page = desk.page
    await desk.sign_in(operator, "/?q=p-export-1")
    await expect(desk.row(sent)).to_be_visible()
    saved: dict[str, bytes] = {}
    for label, name in FILES.items():
        await page.locator(".menu summary").click()
        async with page.expect_download() as download:
            await page.get_by_role("link", name=label).click()
        file = await download.value
        assert file.suggested_filename == name
        saved[label] = Path(await file.path()).read_bytes()  # noqa: ASYNC240 - a small file
    rows = list(csv.DictReader(io.StringIO(saved["Table for Excel"].decode("utf-8-sig"), newline="")))
    assert [row["id"] for row in rows] == [sent["record_id"]]
    assert [each["id"] for each in json.loads(saved["Map"])["features"]] == [sent["record_id"]]
    assert saved["Photos"].startswith(b"PK") and b"manifest.csv" in saved["Photos"]
    await page.route(
        "**/photos.zip*", lambda route: route.fulfill(status=422, json={"detail": "At most 5000 records."})
    )
    desk.provokes("422", "/photos.zip")
    await page.locator(".menu summary").click()
    await page.get_by_role("link", name="Photos").click()
    await expect(page.get_by_role("alert").filter(has_text="Not exported: At most 5000 records.")).to_be_visible()
    assert await overflow(page) <= 0
    # Back leads away from a picture, too, and leaves nothing standing over the list.
    await page.evaluate(
        "(to) => Object.assign(document.querySelector('.nav a'), { href: to })", f"/records/{sent['record_id']}"
    )
    await page.locator(".nav a").first.click()
    await page.locator("record-detail .photos button").first.click()
    await expect(page.locator("dialog.lightbox")).to_be_visible()
    await page.go_back()
    await expect(desk.row(sent)).to_be_visible()
    await expect(page.locator("dialog[open]")).to_have_count(0)
