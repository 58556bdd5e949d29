"""The page of the audit in a real Chromium on a real service: what it says of whom, and that nothing is missing in it."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, expect

from sql import Connection
from tests.browser.test_operations_pages import HOSTILE, picture, seated, whole
from tests.factories import make_record
from tests.service import Service
from tests.web.test_jobs import demo_device


async def test_the_audit_is_filtered_by_its_address_and_goes_back_in_time(served: Service, conn: Connection) -> None:
    made = await make_record(conn, device=await demo_device(conn))
    for n in range(30):
        await conn.execute("select ops.hold(%s, %s)", (made.job_id, f"{n} {HOSTILE}"))
        await conn.execute("select ops.release(%s, 'x')", (made.job_id,))
    async with seated(served, conn, "/operations/audit?action=job.") as desk:
        page = desk.page
        rows = page.locator(".ops-audit > li")
        await expect(rows).to_have_count(50)
        await expect(rows.nth(1)).to_contain_text("Put on hold")
        await expect(rows.nth(1)).to_contain_text("State: Queued → Held")
        await expect(rows.nth(1)).to_contain_text("<img src=x")
        await page.get_by_role("button", name="Show older").click()
        await expect(rows).to_have_count(60)
        await conn.execute("select ops.hold(%s, 'just now')", (made.job_id,))
        await expect(rows.first).to_contain_text("just now")
        await whole(desk)
        await picture(desk, "audit")
        # More at once than a page takes, as a bulk act does: none is missing between what is new and what was known.
        await conn.execute("select ops.release(%s, n::text), ops.hold(%s, n::text) from generate_series(1, 80) as n", (made.job_id, made.job_id))  # fmt: skip
        await expect(rows.first).to_contain_text("80")
        for shown in (111, 161, 211, 221):
            await page.get_by_role("button", name="Show older").click()
            await expect(rows).to_have_count(shown)
        await expect(page.get_by_role("button", name="Show older")).to_be_hidden()
        await page.get_by_label("Who").fill("nobody")
        await expect(page.locator("main")).to_contain_text("Nothing on record")
        await expect(page).to_have_url(re.compile("action=job.&actor=nobody"))
        await page.get_by_label("Who").fill("")
        await page.get_by_label("What").select_option("portal.")
        await expect(page).to_have_url(re.compile("action=portal."))


async def test_the_audit_shows_acts_that_change_no_job_and_none_of_another_filter(
    served: Service, conn: Connection
) -> None:
    made = await make_record(conn, device=await demo_device(conn), state="completed")
    await conn.execute("select ops.set_limit('npl', 1 + n, 'step ' || n) from generate_series(1, 60) as n")
    async with seated(served, conn, "/operations/audit") as desk:
        page, late = desk.page, asyncio.Event()
        await page.clock.install()
        await page.reload()
        rows = page.locator(".ops-audit > li")
        await expect(rows).to_have_count(50)
        await expect(page.locator(".as-of")).to_contain_text("live")
        # Nothing is read by the clock while the page takes itself for hidden: the stream tells of the review.
        await page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        # Twice, since the page reads once more when the stream has begun.
        for note in ("as it seems", "it is as planned"):
            await conn.execute("select ops.review(%s, 'approved', %s)", (made.record_id, note))
            await expect(rows.first).to_contain_text(note)
        await page.evaluate("() => delete document.hidden")
        await conn.execute("select ops.set_limit('npl', 7, 'their letter')")
        await page.clock.fast_forward(10_000)
        await expect(rows.first).to_contain_text("their letter")

        async def hold(route: Route) -> None:
            await late.wait()
            with suppress(PlaywrightError):  # the page has let go of it
                await route.continue_()

        await page.route(re.compile("cursor="), hold)
        async with page.expect_request(re.compile("cursor=")) as asked:
            await page.get_by_role("button", name="Show older").click()
        await page.get_by_label("What").select_option("record.")
        await page.clock.fast_forward(1000)
        await expect(rows).to_have_count(2)
        late.set()
        if answer := await (await asked.value).response():
            await answer.finished()
        await page.evaluate("() => fetch('/health/live').then((answer) => answer.text())")  # what came before is drawn
        await expect(rows).to_have_text([re.compile("it is as planned"), re.compile("as it seems")])
