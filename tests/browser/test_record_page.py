"""The page of a record: a reviewer decides, people talk, a crew corrects, and all of it shows at once. The stack is real."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from playwright.async_api import Page, expect

from sql import Connection
from tests.browser.desk import SHOTS, Crew, Desk, Person, make_person
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.e2e.stacks import Stack, asbuilt
from tests.factories import value
from tests.service import listed, multipart, record, until
from tests.unit.pictures import jpeg

IMAGE = "<img src=x onerror=alert(2)>"
PICTURES = os.environ.get("RECORD_PICTURES")


@pytest.fixture(scope="session")
def reviewer(stack: Stack) -> Person:
    return make_person(stack, "reviewer")


@pytest.fixture
async def psql(stack: Stack) -> AsyncIterator[Connection]:
    """A DBA's own way in."""
    env = dict(line.split("=", 1) for line in asbuilt("env", "--home", str(stack.home)).stdout.splitlines())
    async with await psycopg.AsyncConnection.connect(env["DATABASE_URL"], autocommit=True) as conn:
        yield conn


def sent_by(crew: Crew, **changed: Any) -> dict[str, Any]:
    """A record whose document is kept, for a correction of it."""
    body = record(photos=listed(SHOTS), **changed)
    files = {name: jpeg(shade=90 + 20 * at) for at, name in enumerate(SHOTS)}
    answer = crew.http.post("/api/mobile/records", **multipart(body, files))
    assert answer.status_code == 201, answer.text
    return body


def section(page: Page, name: str) -> Any:
    return page.get_by_role("region", name=name, exact=True)


async def decide(page: Page, button: str, note: str, submit: str) -> Any:
    await section(page, "Review").get_by_role("button", name=button).click()
    ask = page.locator("dialog.waive")
    await ask.get_by_role("textbox").fill(note)
    await ask.get_by_role("button", name=submit, exact=True).click()
    return ask


async def test_a_reviewer_decides_and_people_talk(
    stack: Stack, desk: Desk, crew: Crew, reviewer: Person, psql: Connection
) -> None:
    sent = crew.send(photos=False, asset="P-PAGE-1")
    page = desk.page
    await desk.sign_in(reviewer, f"/records/{sent['record_id']}")
    review, comments = section(page, "Review"), section(page, "Comments")
    await expect(review).to_contain_text("Received")
    # Nobody approves over an open blocker.
    await expect(review.get_by_role("button", name="Approve…")).to_be_disabled()
    ask = await decide(page, "Send back…", f"Photos are missing {IMAGE}", "Send back")
    await expect(ask).to_have_count(0)
    await expect(review).to_contain_text(f"Photos are missing {IMAGE}")
    await expect(page.locator(".record-title")).to_contain_text("Has issues")
    inbox = crew.http.get("/api/mobile/inbox").json()["items"]
    assert next(each for each in inbox if each["record_id"] == sent["record_id"])["review_note"].startswith("Photos")

    # Who looked at something else decides on nothing, and keeps what was typed.
    await review.get_by_role("button", name="Reject…").click()
    await psql.execute("select ops.review(%s, 'has_issues', 'by somebody else')", [sent["record_id"]])
    await expect(review).to_contain_text("by somebody else")
    await ask.get_by_role("textbox").fill("not any more")
    desk.provokes("412", "/review")
    await ask.get_by_role("button", name="Reject", exact=True).click()
    await expect(ask.get_by_role("alert")).to_contain_text("has changed since")
    assert await problems(page, "dialog.waive") == []
    await expect(ask.get_by_role("textbox")).to_have_value("not any more")
    await page.keyboard.press("Escape")
    ask = await decide(page, "Reject…", "The wrong pole", "Reject")
    await expect(ask).to_have_count(0)
    await expect(page.locator(".timeline")).to_contain_text("The wrong pole")
    # With its last blocker settled the record is approved, to the end.
    await psql.execute(
        "select ops.waive(id, 'the crew came back') from defect where record_id = %s and severity = 'blocker'",
        [sent["record_id"]],
    )
    ask = await decide(page, "Approve…", "Seen on site", "Approve")
    await expect(ask).to_have_count(0)
    await expect(review).to_contain_text("Seen on site")
    await expect(page.locator(".record-title")).to_contain_text("Approved")
    await expect(review.get_by_role("button", name="Approve…")).to_have_count(0)
    decided = "select review_state || ' by ' || reviewed_by from asbuilt_record where id = %s"
    assert await value(psql, decided, sent["record_id"]) == f"approved by user:{reviewer.email}"

    await comments.get_by_role("textbox").fill(f"Called them {IMAGE}")
    await page.keyboard.press("Control+Enter")
    await expect(comments.get_by_role("listitem")).to_have_count(1)
    await expect(comments.get_by_role("textbox")).to_have_value("")
    await psql.execute("select ops.comment(%s, 'The DBA looked, too')", [sent["record_id"]])
    await expect(comments.get_by_role("listitem").first).to_contain_text("The DBA looked, too")
    await expect(comments.get_by_role("listitem").last).to_contain_text(f"Called them {IMAGE}")
    await expect(comments.get_by_role("status")).to_contain_text("New comment by")
    assert await page.locator("img[src=x]").count() == 0
    assert await problems(page) == []


async def test_a_correction_photos_with_findings_and_the_place(
    desk: Desk, crew: Crew, reviewer: Person, psql: Connection
) -> None:
    body = sent_by(crew, asset="P-PAGE-2")
    page = desk.page
    await page.set_viewport_size({"width": 1440, "height": 900})
    await desk.sign_in(reviewer, f"/records/{body['id']}")
    photos = section(page, "Photos")
    await expect(photos.get_by_role("listitem").first).to_be_visible()
    await psql.execute(
        "insert into defect (record_id, revision, rule, severity, photo, message) values (%s, 1, 'dark', 'major', 'tag', %s)",
        [body["id"], f"Too dark {IMAGE}"],
    )
    await psql.execute("update asbuilt_record set crew = 'Crew 8' where id = %s", [body["id"]])
    await expect(page.locator(".about")).to_contain_text("Crew 8")
    marked = photos.get_by_role("button", name="1 finding")
    await expect(marked).to_be_visible()
    await expect(photos.locator(".picture-notes li")).to_contain_text(f"Too dark {IMAGE}")
    await marked.click()
    box = page.locator("dialog.lightbox")
    await expect(box.locator(".picture-notes")).to_contain_text("Too dark")
    assert await problems(page, "dialog.lightbox") == []
    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)

    place = section(page, "Place")
    await expect(place.locator(".record-at").first).to_be_visible()
    # A hundredth of a degree of latitude is 1,113 m, wherever one stands. The demo's site is a circle of 8 km.
    for north, words in (
        (0.01, "1.1 km from the site’s centre, within its 8 km"),
        (0.1, "11 km from the site’s centre, outside its 8 km"),
    ):
        await psql.execute(
            "update asbuilt_record as r set lat = p.site_lat + %s, lon = p.site_lon from project as p where p.id = r.project_id and r.id = %s",
            [north, body["id"]],
        )
        await expect(place.get_by_role("img")).to_have_attribute(
            "aria-label", re.compile(f"^The record is {words}, accurate to 4 m[.;]")
        )
        await expect(place.locator("p")).to_contain_text(words)

    await expect(section(page, "Revisions")).to_be_hidden()
    job = crew.http.get(f"/api/jobs/record/{body['id']}").json()["items"][0]
    # The demo portal takes it within seconds; what was submitted is not corrected. So the job is ended first, if it can be.
    if job["state"] != "completed":
        crew.http.post(f"/api/jobs/{job['id']}/cancel", json={"reason": "to correct it"})
    await psql.execute(
        "insert into record_revision (record_id, revision, fields, by, content)"
        " select record_id, 2, fields || '{\"depth_m\": 1.9}', 'device:phone', content from record_revision"
        " where record_id = %s and revision = 1",
        [body["id"]],
    )
    await psql.execute("update asbuilt_record set revision = 2 where id = %s", [body["id"]])
    revisions = section(page, "Revisions")
    await expect(revisions.get_by_role("row").nth(1)).to_contain_text("2.1")
    await expect(revisions.get_by_role("row").nth(1)).to_contain_text("1.9")
    await revisions.get_by_label("with revision").select_option("1")
    await expect(revisions).to_contain_text("They hold the same.")
    assert await problems(page) == []
    await _look(page, "record-page")
    for width in (1024, 390, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await overflow(page) <= 0, width
    await _look(page, "record-narrow")


async def test_an_operator_holds_releases_and_cancels(
    desk: Desk, crew: Crew, operator: Person, reviewer: Person
) -> None:
    sent = crew.send(photos=False, asset="P-PAGE-4")
    page = desk.page
    await desk.sign_in(operator, f"/records/{sent['record_id']}")
    acts, badge = page.get_by_role("group", name="Acts on the job"), page.locator(".title automation-status-badge")
    # In another tab one has signed in anew meanwhile.
    desk.provokes("403", "/hold")
    await desk.sign_in_beside(operator)
    for button, submit, then in (
        ("Hold…", "Hold", "An operator put this on hold"),
        ("Release…", "Release", "An open blocker finding holds this record"),
        ("Cancel the job…", "Cancel the job", "Retry"),
    ):
        await acts.get_by_role("button", name=button).click()
        ask = page.locator("dialog.waive")
        await ask.get_by_role("textbox").fill(f"{submit}: the crew called")
        await ask.get_by_role("button", name=submit, exact=True).click()
        await expect(ask).to_have_count(0)
        await expect(section(page, "Automation")).to_contain_text(then)
        await expect(page.locator(".timeline")).to_contain_text(f"{submit}: the crew called")
    await expect(badge).to_have_attribute("data-state", "cancelled")
    await expect(acts).to_be_hidden()
    # Somebody else has: nothing is done in their name by who sits before what was shown to another.
    desk.provokes("403", "/retry")
    await desk.sign_in_beside(reviewer)
    await page.get_by_label("Reason").fill("in whose name?")
    await page.get_by_role("button", name="Retry", exact=True).click()
    await expect(page.locator("#who")).to_have_text(reviewer.email)
    await expect(page.locator(".timeline")).to_contain_text("Cancel the job: the crew called")
    await expect(badge).to_have_attribute("data-state", "cancelled")


async def test_a_viewer_looks_and_what_is_gone_is_said(stack: Stack, desk: Desk, crew: Crew, psql: Connection) -> None:
    sent = crew.send(photos=False, asset="P-PAGE-3")
    page = desk.page
    await desk.sign_in(make_person(stack, "viewer"), f"/records/{sent['record_id']}")
    await expect(section(page, "Review")).to_contain_text("can look, but not decide")
    await expect(section(page, "Review").get_by_role("button")).to_have_count(0)
    await expect(section(page, "Comments").get_by_role("textbox")).to_be_hidden()
    desk.provokes("404", f"/api/records/{sent['record_id']}")
    await psql.execute("update asbuilt_record set deleted_at = now() where id = %s", [sent["record_id"]])
    await expect(page.get_by_role("heading", level=1)).to_have_text("No record here")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such record")
    await expect(page.locator(".detail-body")).to_be_hidden()
    await psql.execute("update asbuilt_record set deleted_at = null where id = %s", [sent["record_id"]])
    unknown = f"/records/{uuid4()}"
    desk.provokes("404", f"/api{unknown}")
    await desk.open(unknown)
    await expect(page.get_by_role("alert")).to_contain_text("There is no such record")


# What paper shows of the page: things to press, boxes that hold more than they show, and the colour of the ink.
PAPER = """() => {
  const drawn = (names) => [...document.querySelectorAll(names)].filter((each) => each.checkVisibility());
  return {
    pressed: drawn('button:not(.thumb), a.button, input, textarea, select, .bar').map((each) => each.outerHTML),
    cut: drawn('.scroll').filter((each) => each.scrollHeight > each.clientHeight + 1).length,
    ago: drawn('time').filter((each) => getComputedStyle(each, '::after').content !== `"${each.title}"`).length,
    ink: getComputedStyle(document.querySelector('h1')).color,
  };
}"""
# Where colours are the system's: what a ground alone told apart has an edge, and what is not the current one has none.
EDGES = """() => [
  ...[...document.querySelectorAll('.pill')].map((each) => parseFloat(getComputedStyle(each).borderTopWidth) > 0),
  getComputedStyle(document.querySelector('.nav a:not([aria-current])')).borderBottomColor === getComputedStyle(document.body).backgroundColor,
  getComputedStyle(document.querySelector('.nav a[aria-current]')).outlineStyle === 'solid',
]"""


async def test_what_was_sent_stands_beside_what_the_portal_showed(
    stack: Stack, desk: Desk, crew: Crew, operator: Person, psql: Connection
) -> None:
    # The portal drops the blank behind it, and the run sees that before it submits.
    blank = crew.send(asset="P-PAGE-6", fields={"work_order": "WO-48213 "})
    sent = crew.send(asset="P-PAGE-5")
    page = desk.page
    await page.set_viewport_size({"width": 1440, "height": 900})
    await desk.sign_in(operator, f"/records/{sent['record_id']}")
    exchange = section(page, "Sent and shown")
    await expect(page.locator(".title automation-status-badge")).to_have_attribute("data-state", "completed")
    await expect(exchange.get_by_role("row", name=re.compile("Our reference AB-"))).to_contain_text("Same")
    await expect(exchange.get_by_text("Not read back").first).to_be_visible()
    await expect(exchange).to_contain_text("The portal confirmed it as")
    # The worker keeps the log after the job has ended.
    logged = "select log from automation_attempt where job_id = %s"
    await until(lambda: value(psql, logged, sent["automation_job_id"]), lambda log: "step began" in log)
    attempts = section(page, "Attempts")
    await attempts.get_by_text("Log", exact=True).click()
    await expect(attempts.get_by_role("group", name="Log of attempt 1")).to_contain_text("step began")
    await _look(page, "record-completed")
    await page.emulate_media(color_scheme="dark")
    await _look(page, "record-dark")
    await page.emulate_media(media="print")
    assert await page.evaluate(PAPER) == {"pressed": [], "cut": 0, "ago": 0, "ink": "rgb(20, 32, 45)"}
    await page.emulate_media(media="null", forced_colors="active")
    assert set(await page.evaluate(EDGES)) == {True}
    await page.emulate_media(forced_colors="null", color_scheme="light")

    await desk.open(f"/records/{blank['record_id']}")
    await expect(section(page, "Automation")).to_contain_text("READ_BACK_DIFFERS")
    finding = section(page, "Findings").get_by_role("listitem").filter(has_text="the record has 'WO-48213 '")
    await expect(finding).to_contain_text("Work order number shows 'WO-48213'")
    await expect(finding.locator(".where")).to_have_text("Work order number")
    await expect(exchange).to_contain_text(
        "NPL shows something else than was sent: Work order number (in its blanks only). Nothing was submitted."
    )
    await expect(exchange.locator("h3")).to_contain_text("1 of 2 values differ")
    first = exchange.get_by_role("row").nth(1)
    await expect(first).to_contain_text("Differs")
    await expect(first.get_by_role("cell")).to_contain_text(["WO-48213␣", "WO-48213", "Differs"])
    await expect(first.locator(".pill svg")).to_be_visible()
    await expect(exchange.get_by_role("row", name=re.compile("Our reference"))).to_contain_text("Same")
    # What a portal shows is hostile text, too.
    await psql.execute(
        "update automation_attempt set exchange = jsonb_set(exchange, '{read_back,1,shown}', to_jsonb(%s::text)) where job_id = %s",
        [IMAGE, blank["automation_job_id"]],
    )
    await page.reload()
    await expect(first).to_contain_text(IMAGE)
    assert await page.locator("img[src=x]").count() == 0
    assert await problems(page) == []
    await _look(page, "record-differs")


async def _look(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
