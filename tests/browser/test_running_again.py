"""An operator has a completed record entered a second time, behind a dialog that says what that does."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.async_api import expect

from app.core.access import create_link
from sql import Connection
from tests.browser.eyes import problems
from tests.browser.test_operations_pages import seated
from tests.factories import claim, complete, fail, finish, make_record, value
from tests.service import Service
from tests.web.test_jobs import demo_device

SHOTS = os.environ.get("ASBUILT_TEST_SHOTS", "")
"""A folder to leave pictures of the dialog in, for people to look at."""

LONG_AGO = [
    "update automation_job set started_at = started_at - interval '40 days', finished_at = finished_at - interval '40 days' where id = %s",
    "update automation_attempt set started_at = started_at - interval '40 days', ended_at = ended_at - interval '40 days' where job_id = %s",
    "update job_event set at = at - interval '40 days' where job_id = %s",
    "update portal_submission set intent_at = intent_at - interval '40 days' where job_id = %s",
]
DAY_AND_TIME = re.compile(r"^[A-Z][a-z]{2} \d{1,2}(, \d{4})?, \d\d:\d\d:\d\d$")


async def test_a_completed_record_is_run_again_and_both_numbers_stay(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    reference = await value(conn, "select external_ref from asbuilt_record")
    for change in LONG_AGO:
        await conn.execute(change, [made.job_id])
    async with seated(served, conn, f"/records/{made.record_id}") as desk:
        page = desk.page
        number = page.locator(".run .number")
        await expect(number).to_have_text("NPL-1")
        # A page that outlives its job for months says of which day it speaks.
        for place in (".run time", ".attempts p time", ".timeline time >> nth=-1"):
            await expect(page.locator(place)).to_have_text(DAY_AND_TIME)
            await expect(page.locator(place)).to_have_attribute("title", re.compile(r"\d{4}, \d\d:\d\d:\d\d"))
        await page.get_by_role("group", name="Acts on the job").get_by_role("button", name="Run again…").click()
        ask = page.get_by_role("dialog", name="Submit this record once more?")
        await expect(ask).to_contain_text("number NPL-1, stays there unless the portal removes it")
        assert await problems(page, "dialog.waive") == []
        if SHOTS:
            await page.screenshot(path=str(Path(SHOTS) / "run-again.png"))
        await ask.get_by_label("Reason").fill("The customer deleted the entry")
        # Enter is not enough: it asks for the tick.
        await page.keyboard.press("Enter")
        await expect(ask).to_be_visible()
        assert await value(conn, "select times from automation_job") == 1
        await ask.get_by_role("checkbox").check()
        await ask.get_by_role("button", name="Submit it again").click()
        await expect(ask).to_have_count(0)
        run = page.get_by_role("region", name="Automation", exact=True)
        await expect(run).to_contain_text(f"number NPL-1, reference {reference}")
        await expect(run.locator("time")).to_have_text(DAY_AND_TIME)
        attempt = await claim(conn, made.job_id)
        assert await complete(conn, made.job_id, attempt, confirmation="NPL-2")
        await finish(conn, made.job_id, attempt)
        await expect(number).to_have_text("NPL-2")
        timeline = page.locator(".timeline")
        for text in ("The customer deleted the entry", "Confirmation NPL-1", "Confirmation NPL-2"):
            await expect(timeline).to_contain_text(text)


async def test_a_page_that_is_behind_submits_nothing_and_a_reviewer_is_not_asked(
    served: Service, conn: Connection
) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    path = f"/records/{made.record_id}"
    async with seated(served, conn, path) as desk:
        await desk.page.get_by_role("button", name="Run again…").click()
        ask = desk.page.get_by_role("dialog", name="Submit this record once more?")
        await ask.get_by_label("Reason").fill("The customer deleted the entry")
        await ask.get_by_role("checkbox").check()
        # Somebody else does so first, and it goes through.
        await conn.execute("select ops.run_again(%s, 'they lost it')", [made.job_id])
        attempt = await claim(conn, made.job_id)
        assert await complete(conn, made.job_id, attempt, confirmation="NPL-2")
        desk.provokes("409", "/run-again")
        await ask.get_by_role("button", name="Submit it again").click()
        await expect(ask.get_by_role("alert")).to_contain_text("the portal's number is NPL-2 by now")
    assert await value(conn, "select times from automation_job") == 2
    async with seated(served, conn, path, role="reviewer") as desk:
        await expect(desk.page.locator(".run .number")).to_have_text("NPL-2")
        await expect(desk.page.get_by_role("button", name="Run again…")).to_have_count(0)


async def test_a_reason_that_is_being_typed_outlives_the_attempts_of_its_job(served: Service, conn: Connection) -> None:
    """Each attempt wiped it: in a row of them nobody came to the end of a sentence."""
    made = await make_record(conn, state="retrying", device=await demo_device(conn))
    async with seated(served, conn, f"/records/{made.record_id}") as desk:
        page = desk.page
        await page.get_by_label("Reason").press_sequentially("The portal")
        attempt = await claim(conn, made.job_id)
        await expect(page.get_by_role("region", name="Automation", exact=True)).to_contain_text("Happening now")
        assert await page.evaluate("() => document.activeElement.tagName") == "H1"
        await fail(conn, made.job_id, attempt, again=True)
        await expect(page.get_by_label("Reason")).to_be_focused()
        await page.keyboard.type(" is back")
        await expect(page.get_by_label("Reason")).to_have_value("The portal is back")
        await page.keyboard.press("Enter")
        await expect(page.locator(".timeline")).to_contain_text("“The portal is back”")

        # A log that is open is read again when there is one.
        attempt = await claim(conn, made.job_id)
        log = page.locator(".attempts > details").first
        await expect(log).to_contain_text(f"Attempt {attempt}")
        await log.get_by_text("Log", exact=True).click()
        await expect(log).to_contain_text("The attempt still runs")
        await fail(conn, made.job_id, attempt)
        await expect(log.locator(".log-body")).to_contain_text("Nothing was logged")
        await conn.execute("update automation_attempt set log = 'it began' where attempt = %s", [attempt])
        await expect(log.locator("pre")).to_have_text("it began")
        # Who is taken off the project is not kept waiting for it.
        person = await value(conn, "delete from membership returning user_id")
        answer = await served.http.post("/api/session", json={"code": await create_link(conn, person)})
        served.http.cookies.clear()
        await page.context.add_cookies([{"name": "asbuilt", "value": answer.cookies["asbuilt"], "url": served.url}])
        await desk.open("/")
        await expect(page.get_by_role("heading", name="No project yet")).to_be_visible()
        await expect(page.locator("connection-status")).to_be_hidden()
