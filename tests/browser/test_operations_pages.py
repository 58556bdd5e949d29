"""The pages of operations in a real Chromium on a real service: what is said, and that each act does what it says."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.async_api import Route, expect

from app.core.access import create_link, create_user
from sql import Connection
from tests.browser.desk import Desk, at_desk
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.factories import Device, Project, make_device, make_project, make_record, value
from tests.service import Service
from tests.web.test_jobs import demo_device

SHOTS = os.environ.get("ASBUILT_TEST_SHOTS", "")
"""A folder to leave pictures of the pages in, for people to look at."""

HOSTILE = "<img src=x onerror=alert(1)> \u202egpj.exe"
LOOKED = "select ops.answer_outcome(%s, false, null, 'seen by somebody else')"
WORKER = "insert into worker (name, version, places, beat_s) values (%s, '0.1.0', 4, 600)"


GOING = """insert into worker (name, version, places, beat_s, seen_at, draining_at)
    values ('going:1', '0.1.0', 2, 600, now(), now()), ('gone:1', '0.1.0', 2, 600, now() - interval '9 h', null)"""
SPANS = ((2, 60), (30, 154), (12, 90))
"""How long completed attempts waited for their worker, and ran, in seconds."""


async def ended(conn: Connection, device: Device) -> None:
    """Completed attempts of SPANS, all in one piece of the hour."""
    jobs = [(await make_record(conn, device=device, state="completed")).job_id for _ in SPANS]
    await conn.execute(
        "update automation_attempt set ended_at = now(), started_at = now() - make_interval(secs => ran),"
        " queued_at = now() - make_interval(secs => ran + waited)"
        " from unnest(%s::uuid[], %s::int[], %s::int[]) as of (job, waited, ran) where job_id = of.job",
        (jobs, [waited for waited, _ in SPANS], [ran for _, ran in SPANS]),
    )


@asynccontextmanager
async def seated(
    served: Service, conn: Connection, path: str, *, role: Any = "operator", also: Project | None = None, **view: Any
) -> AsyncIterator[Desk]:
    """A person at a page, signed in already; `also`: a second project that is operated; one at another portal is looked at."""
    user, _ = await create_user(
        conn, email=f"{uuid4().hex[:8]}@example.com", name="Person", project="demo", role=role, password=False
    )
    if also:
        await conn.execute("insert into membership values (%s, %s, 'operator')", [user, also.id])
        await conn.execute("insert into membership select %s, id, 'viewer' from project where code = 'harbor'", [user])
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
        await ended(conn, device)
        await conn.execute("update worker set name = 'worker-1'")
        await conn.execute(GOING)
        await conn.execute("update automation_job set seq = seq")
        await expect(page.locator(".ops-workers a")).to_have_attribute("href", f"/records/{running.record_id}")
        for name, state in (("worker-1", "Alive"), ("going:1", "Draining"), ("gone:1", "Lost")):
            await expect(page.locator(".ops-workers > li").filter(has_text=name).locator(".pill")).to_have_text(state)
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
        await expect(chart).to_contain_text("3 completed")
        await chart.get_by_text("As a table").click()
        await expect(chart.locator("tbody tr")).to_have_count(12)
        for title, half, most in (
            ("Wait for a worker", "12 s", "30 s"),
            ("Time a run takes", "1 min 30 s", "2 min 34 s"),
        ):
            chart = page.locator("figure").filter(has=page.get_by_role("heading", name=title))
            await expect(chart).to_contain_text(f"In all: half within {half}, 95 of 100 within {most}")
            await chart.get_by_text("As a table").click()
            await expect(chart.locator("tbody tr").filter(has_not_text="–").locator("td")).to_have_text([half, most])
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
        # The theme that a person chooses holds over the system's, and after a reload.
        theme, grounds = desk.page.get_by_role("button", name="Theme"), list[str]()
        await desk.page.set_viewport_size({"width": 1280, "height": 800})
        await desk.page.emulate_media(color_scheme="dark")
        for chosen in ("light", "dark", "as the system"):
            await theme.click()
            await desk.page.reload()
            await expect(theme).to_have_attribute("title", f"Theme: {chosen}")
            grounds.append(await desk.page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
        assert grounds[0] != grounds[1] == grounds[2]


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
        # The list of all projects is narrowed by the portal, and by when a record was captured.
        await page.get_by_label("Project").select_option("*")
        await page.get_by_role("navigation", name="Main").get_by_role("link", name="Forms").click()
        rows = page.locator("tr[data-id]")
        await expect(rows).to_have_count(3)
        await page.get_by_label("Portal").select_option("harbor")
        await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
        await page.get_by_label("Portal").select_option("npl")
        await expect(rows).to_have_count(3)
        await page.get_by_label("Captured", exact=True).select_option("Captured in 7 days")
        await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
        await conn.execute(
            "update asbuilt_record set captured_at = now() - interval '3 days' where project_id = %s",
            [other.project.id],
        )
        await expect(rows).to_have_count(2)
        await expect(page).to_have_url(re.compile("portal=npl&captured=7d"))
