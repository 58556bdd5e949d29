"""The pages of operations in a real Chromium on a real service: what is said, and that each act does what it says."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route, expect

from app.core.access import create_link, create_user
from sql import Connection
from tests.browser.desk import Desk, at_desk
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.factories import Project, make_device, make_project, make_record, value
from tests.service import Service
from tests.sql.test_failures import failed
from tests.web.test_jobs import demo_device

SHOTS = os.environ.get("ASBUILT_TEST_SHOTS", "")
"""A folder to leave pictures of the pages in, for people to look at."""

HOSTILE = "<img src=x onerror=alert(1)> \u202egpj.exe"
LOOKED = "select ops.answer_outcome(%s, false, null, 'seen by somebody else')"
WORKER = "insert into worker (name, version, places, beat_s) values (%s, '0.1.0', 4, 10)"


@asynccontextmanager
async def seated(
    served: Service, conn: Connection, path: str, *, role: Any = "operator", also: Project | None = None, **view: Any
) -> AsyncIterator[Desk]:
    """A person at a page, signed in already; `also`: a second project that is operated."""
    user, _ = await create_user(
        conn, email=f"{uuid4().hex[:8]}@example.com", name="Person", project="demo", role=role, password=False
    )
    if also:
        await conn.execute("insert into membership values (%s, %s, 'operator')", [user, also.id])
    answer = await served.http.post("/api/session", json={"code": await create_link(conn, user)})
    secret = answer.cookies["asbuilt"]
    served.http.cookies.clear()
    async with at_desk(served, **view) as desk:
        await desk.page.context.add_cookies([{"name": "asbuilt", "value": secret, "url": served.url}])
        await desk.open(path)
        yield desk


async def picture(desk: Desk, name: str) -> None:
    if SHOTS:
        await desk.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


async def whole(desk: Desk) -> None:
    """Everything that can be used has a name, and nothing stands out of the window."""
    assert await problems(desk.page) == []
    assert await overflow(desk.page) <= 0


async def test_the_overview_says_loudly_that_nobody_works_and_follows_what_happens(
    served: Service, conn: Connection
) -> None:
    device = await demo_device(conn)
    await make_record(conn, device=device)
    async with seated(served, conn, "/operations") as desk:
        page = desk.page
        await expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
        await expect(page.locator(".ops-alarms")).to_contain_text("No workers")
        await expect(page.locator(".ops-alarms")).to_contain_text("1 job waits for one")
        ready = page.locator(".ops-figure").filter(has_text="Waiting for a worker").locator(".value")
        await expect(ready).to_have_text("1")
        # Nobody tells the page but the stream.
        await conn.execute(WORKER, [f"host-{HOSTILE}:7"])
        await make_record(conn, device=device)
        await expect(ready).to_have_text("2")
        await expect(page.locator(".ops-alarms")).not_to_contain_text("No workers")
        await expect(page.locator(".ops-workers")).to_contain_text("<img src=x")
        running = await make_record(conn, device=device, state="processing")
        await make_record(conn, device=device, state="completed")
        await conn.execute("update worker set name = 'worker-1'")
        await conn.execute("update automation_job set seq = seq")
        await expect(page.locator(".ops-workers a")).to_have_attribute("href", f"/records/{running.record_id}")
        # What changes takes nobody's place: neither the link one stands on, nor how far a table was scrolled.
        queued = page.get_by_role("region", name="Backlog").get_by_role("link", name="Queued")
        await page.locator(".ops-two .scroll").first.evaluate("(table) => { table.style.width = '90px'; table.scrollLeft = 40; window.seen = table; }")  # fmt: skip
        for link in (page.locator(".ops-workers a"), page.locator(".ops-figures a").last, queued):
            await link.focus()
            await make_record(conn, device=device)
            number = await value(conn, "select count(*)::int from automation_job where state = 'queued'")
            await expect(ready).to_have_text(str(number))
            await expect(link).to_be_focused()
        assert await page.evaluate("() => [seen.isConnected, seen.scrollLeft]") == [True, 40]
        await page.get_by_role("button", name="Hour", exact=True).click()
        await expect(page).to_have_url(re.compile("window=hour"))
        chart = page.locator("figure").filter(has_text="Attempts that ended")
        await expect(chart).to_contain_text("1 completed")
        await chart.get_by_text("As a table").click()
        await expect(chart.locator("tbody tr")).to_have_count(12)
        await whole(desk)
        await picture(desk, "operations")


EMPTY = {
    "": "Nothing is on its way",
    "/failures": "Nothing fails",
    "/portals": "closed: the portal works",
    "/questions": "Nobody is waited for",
    "/audit": "Nothing on record",
}


async def test_each_page_is_whole_when_narrow_and_dark_and_says_that_nothing_is_there(
    served: Service, conn: Connection
) -> None:
    view: dict[str, Any] = {"viewport": {"width": 320, "height": 800}, "color_scheme": "dark"}
    async with seated(served, conn, "/operations", **view) as desk:
        links = desk.page.get_by_role("navigation", name="Operations").get_by_role("link")
        await expect(links).to_have_count(len(EMPTY))
        for at, (path, said) in enumerate(EMPTY.items()):
            await links.nth(at).click()
            await expect(desk.page).to_have_url(re.compile(f"/operations{path}$"))
            await expect(desk.page.locator("main")).to_contain_text(said)
            await whole(desk)
            await picture(desk, f"narrow-dark{path.replace('/', '-')}")


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
    async with seated(served, conn, "/operations/failures") as desk:
        page, dialog = desk.page, desk.page.get_by_role("dialog")
        group = page.locator(".ops-failures > li").filter(has_text="FIELD_REFUSED")
        await group.get_by_role("button", name="Retry all 3…").click()
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
    rows = await conn.execute("select job_id, action from audit_event where reason in ('the form is mended', 'they look into it') order by id")  # fmt: skip
    acts = await rows.fetchall()
    assert {job for job, action in acts if action == "job.retry"} == {each.job_id for each in made}
    assert acts[-1] == (other.job_id, "job.hold")


async def test_a_portal_is_paused_resumed_and_narrowed(served: Service, conn: Connection) -> None:
    async with seated(served, conn, "/operations/portals") as desk:
        page, dialog = desk.page, desk.page.get_by_role("dialog")
        card = page.locator(".ops-portals > li")
        await card.get_by_role("button", name="Pause…").click()
        await dialog.get_by_label("Reason").fill(f"they migrate {HOSTILE}")
        await page.keyboard.press("Enter")
        await expect(dialog).to_be_hidden()
        await expect(card).to_contain_text("Paused by a person")
        # The button is gone; what undoes it stands in its place.
        await expect(card.get_by_role("button", name="Resume…")).to_be_focused()
        await expect(card.locator(".why")).to_contain_text("<img src=x")
        await picture(desk, "portals")
        await card.get_by_role("button", name="Resume…").click()
        await dialog.get_by_label("Reason").fill("done")
        await page.keyboard.press("Enter")
        await expect(card.locator(".pill")).to_have_text("Open")
        await card.get_by_role("button", name="Limits…").click()
        await dialog.get_by_label("Runs at once").fill("3")
        await dialog.get_by_label("Starts a minute").fill("12")
        assert await problems(page, "dialog") == []
        await dialog.get_by_label("Reason").fill("their letter")
        await page.keyboard.press("Enter")
        await expect(card).to_contain_text("0 of 3")
        await expect(card).to_contain_text("12 a minute")
        await expect(card.get_by_role("button", name="Limits…")).to_be_focused()
        await conn.execute("update portal_account set breaker_until = now() + interval '9 min', breaker_reason = 'PORTAL_ERROR: 500', breaker_openings = 1")  # fmt: skip
        await make_record(conn, device=await demo_device(conn))
        await card.get_by_role("button", name="Close the breaker…").click()
        await dialog.get_by_label("Reason").fill("it answers")
        await page.keyboard.press("Enter")
        await expect(card).to_contain_text("closed: the portal works")
        await whole(desk)
    assert await value(conn, "select max_runs from portal_account where portal_key = 'npl'") == 3


async def test_a_question_is_answered_where_it_stands(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    made = await make_record(conn, state="needs_input", device=device)
    async with seated(served, conn, "/operations/questions") as desk:
        page = desk.page
        card = page.locator(".ops-questions > li")
        await expect(card).to_contain_text("Did the portal take it?")
        await expect(card).to_contain_text("no deadline")
        await card.get_by_role("button", name="Answer…").click()
        await card.get_by_label("Reason").fill("not in the portal’s list")
        await whole(desk)
        await picture(desk, "questions")
        await card.get_by_role("button", name="It did not").click()
        await expect(page.locator("main")).to_contain_text("Nobody is waited for")
        await expect(page.get_by_role("alert")).to_be_hidden()

        # Somebody else says it a moment before, and while one still writes.
        async def quicker(route: Route) -> None:
            await conn.execute(LOOKED, [second.job_id])
            await route.continue_()

        second = await make_record(conn, state="needs_input", device=device)
        desk.provokes("409", "/outcome")
        await page.route("**/outcome", quicker)
        await card.get_by_role("button", name="Answer…").click()
        await card.get_by_label("Reason").fill("not there")
        await card.get_by_role("button", name="It did not").click()
        await expect(card).to_have_count(0)
        await expect(page.get_by_role("alert")).to_contain_text("Not sent: ")
        third = await make_record(conn, state="needs_input", device=device)
        await card.get_by_role("button", name="Answer…").click()
        await card.get_by_label("Reason").fill("about to say")
        await conn.execute(LOOKED, [third.job_id])
        await expect(card).to_have_count(0)
        await expect(page.get_by_role("alert")).to_contain_text("it was answered by somebody else")
    assert await value(conn, "select state from automation_job where id = %s", made.job_id) == "queued"


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
        await conn.execute("select ops.review(%s, 'approved', 'it is as planned')", (made.record_id,))
        await expect(rows.first).to_contain_text("it is as planned")
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
        await expect(rows).to_have_count(1)
        late.set()
        if answer := await (await asked.value).response():
            await answer.finished()
        await page.evaluate("() => fetch('/health/live').then((answer) => answer.text())")  # what came before is drawn
        await expect(rows).to_have_text([re.compile("it is as planned")])


async def test_whose_numbers_they_are_can_be_chosen_and_others_are_shut_out(served: Service, conn: Connection) -> None:
    await make_record(conn, device=await demo_device(conn))
    other = await make_device(conn, await make_project(conn))
    await make_record(conn, device=other)
    async with seated(served, conn, "/operations", role="reviewer") as desk:
        for part in ("", "/failures", "/questions", "/audit"):
            await desk.open(f"/operations{part}")
            await expect(desk.page.locator("main")).to_contain_text("This is for operators")
        await expect(desk.page.get_by_role("navigation", name="Main")).not_to_contain_text("Operations")
        await desk.open("/operations/portals")
        await expect(desk.page.locator(".ops-portals > li").first).to_be_visible()
    async with seated(served, conn, "/?project=demo", also=other.project) as desk:
        page = desk.page
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="Operations").click()
        ready = page.locator(".ops-figure").filter(has_text="Waiting for a worker").locator(".value")
        await expect(ready).to_have_text("1")
        await page.get_by_role("link", name="All my projects").click()
        await expect(ready).to_have_text("2")
        # The other pages are about the same projects, and the stream tells of them all.
        await expect(page.get_by_role("link", name="Failures").first).to_have_attribute("href", re.compile("scope=all"))
        await make_record(conn, device=other)
        await expect(ready).to_have_text("3")
