"""Failures in a real Chromium on a real service: their groups, and the acts on a whole group and on rows that are chosen."""

from __future__ import annotations

from playwright.async_api import expect

from sql import Connection
from tests.browser.test_operations_pages import HOSTILE, picture, seated, whole
from tests.service import Service
from tests.sql.test_failures import failed
from tests.web.test_jobs import demo_device


async def test_failures_stand_in_groups_with_their_jobs_until_they_go_on(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    for n in range(3):
        await failed(conn, device, f"{HOSTILE} row {n}", again=n == 0)
    await failed(conn, device, "no answer", code="PORTAL_TIMEOUT", again=True)
    gone = await failed(conn, device, "the list is empty", code="ROW_MISSING")
    await conn.execute("select ops.retry(%s, 'x')", (gone.job_id,))
    async with seated(served, conn, "/operations/failures") as desk:
        page = desk.page
        group = page.locator(".ops-failures > li").filter(has_text="FIELD_REFUSED")
        await expect(group.locator(".numbers")).to_have_text("3 jobs (2 failed, 1 trying again)")
        await expect(group.locator(".shape")).to_contain_text("<img src=x onerror=alert(‹n›)> ⟨U+202E⟩gpj.exe row ‹n›")
        await expect(page.locator(".ops-past")).to_contain_text("ROW_MISSING")
        await group.locator("summary").click()
        await expect(group.locator(".jobs li")).to_have_count(3)
        await whole(desk)
        await picture(desk, "failures")
        await conn.execute("select ops.retry(id, 'mended') from automation_job where state in ('failed', 'retrying')")
        await expect(page.locator("main")).to_contain_text("Nothing fails")
        await expect(page.locator(".ops-past")).to_contain_text("FIELD_REFUSED")


async def test_a_group_of_failures_is_retried_and_another_held(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = [await failed(conn, device, f"row {n} is refused", again=n == 0) for n in range(3)]
    other = await failed(conn, device, "no answer", code="PORTAL_TIMEOUT", again=True)
    async with seated(served, conn, "/operations") as desk:
        page, dialog = desk.page, desk.page.get_by_role("dialog")
        group = page.locator(".ops-failures > li").filter(has_text="FIELD_REFUSED")
        links = page.get_by_role("navigation", name="Operations")
        # A dialog goes with its page.
        for name, button in (("Portals", "Pause…"), ("Failures", "Retry all 3…")):
            await links.get_by_role("link", name=name).click()
            await page.get_by_role("button", name=button).dblclick()
            await expect(dialog).to_have_count(1)
            await page.go_back()
            await expect(page.locator("main h1")).to_have_text("Operations")
            await expect(dialog).to_have_count(0)
        await links.get_by_role("link", name="Failures").click()
        await group.get_by_role("button", name="Retry all 3…").dblclick()
        await dialog.get_by_label("Reason").fill("the form is mended")
        await page.keyboard.press("Enter")
        await expect(dialog).to_contain_text("3 jobs sent on their way again")
        await dialog.get_by_role("button", name="Close").click()
        await expect(group).to_have_count(0)
        held = page.locator(".ops-failures > li").filter(has_text="PORTAL_TIMEOUT")
        await held.get_by_role("button", name="Hold the 1 that tries again…").click()
        await dialog.get_by_label("Reason").fill("they look into it")
        await page.keyboard.press("Enter")
        await expect(dialog).to_contain_text("1 job put on hold")
        await dialog.get_by_role("button", name="Close").click()
        await expect(page.locator("main")).to_contain_text("Nothing fails")
        # The same acts, on rows that are chosen in the list.
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="Forms").click()
        await expect(page.locator("tr[data-id]")).to_have_count(4)
        for act, state, said in (
            ("Hold", "held", "3 jobs put on hold. 1 left as they are:"),
            ("Release", "queued", "4 jobs released."),
            ("Cancel jobs", "cancelled", "4 jobs cancelled."),
            ("Retry", "queued", "4 jobs sent on their way again."),
        ):
            await page.get_by_label("Select all rows that are shown").check()
            await page.get_by_role("region", name="Selected records").get_by_role("button", name=act).click()
            await dialog.get_by_label("Reason").fill("as they say")
            await page.keyboard.press("Enter")
            await expect(dialog).to_contain_text(said)
            await dialog.get_by_role("button", name="Close").click()
            await expect(page.locator(f"tr automation-status-badge[data-state={state}]")).to_have_count(4)
    rows = await conn.execute("select job_id, action from audit_event where reason in ('the form is mended', 'they look into it') order by id")  # fmt: skip
    acts = await rows.fetchall()
    assert {job for job, action in acts if action == "job.retry"} == {each.job_id for each in made}
    assert acts[-1] == (other.job_id, "job.hold")
