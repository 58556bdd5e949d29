"""A person answers in a real Chromium, and the run that asked goes on: dashboard, API, worker and service are real."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Route, expect
from psycopg.types.json import Jsonb

from app.core.access import create_user
from sql import Connection
from tests.browser.desk import Desk, Person, at_desk
from tests.browser.eyes import problems
from tests.browser.test_dashboard import overflow
from tests.worker.office import CODE, Office, opened

SHOTS = os.environ.get("ASBUILT_TEST_SHOTS", "")
"""A folder to leave pictures of the cards in, for people to look at."""

ERROR = {"code": "PORTAL_TIMEOUT", "class": "transient", "message": "the portal did not answer", "step": "submit"}


@pytest.fixture
async def office(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def person(office: Office, role: Any = "operator") -> Person:
    email = f"{role}-{uuid4().hex[:6]}@example.com"
    _, password = await create_user(office.works.conn, email=email, name="Desk", project="demo", role=role)
    return Person(email=email, password=password)


async def asked(office: Office, desk: Desk, *, role: Any = "operator") -> tuple[UUID, Any]:
    """A job that asks, and the card of it."""
    job = await office.works.upload()
    await office.works.reaches(job, "needs_input")
    return job, await card(office, desk, job, role=role)


async def card(office: Office, desk: Desk, job: UUID, *, role: Any = "operator") -> Any:
    record = await office.column("record_id", job)
    await desk.sign_in(await person(office, role), f"/?record={record}")
    shown = desk.page.locator("dialog.detail .question")
    await expect(shown).to_be_visible()
    return shown


async def picture(desk: Desk, name: str) -> None:
    if SHOTS:
        await desk.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


async def test_a_code_is_typed_and_the_run_goes_on(office: Office) -> None:
    async with office.worker(), at_desk(office.works.served, color_scheme="dark") as desk:
        job, shown = await asked(office, desk)
        await expect(shown).to_contain_text("Enter the code that was sent to the phone")
        await expect(shown.locator(".screen img")).to_be_visible()
        await expect(shown.get_by_role("timer")).to_contain_text("left")
        field = shown.get_by_label("6-digit code")
        await expect(field).to_have_attribute("autocomplete", "one-time-code")
        assert await problems(desk.page) == []
        await picture(desk, "otp-dark")
        await field.fill(CODE)
        await desk.page.keyboard.press("Enter")
        await office.works.reaches(job, "completed")
        await expect(shown).to_be_hidden()
        await expect(desk.page.locator("dialog.detail .run .number")).to_contain_text("NPL-")
        # Where the keyboard was is gone, so it stands on the record's title.
        assert await desk.page.evaluate("() => document.activeElement.id") == "detail-title"
        assert CODE not in await desk.page.content()
    assert list(office.service.received.values()) == [[{"code": CODE}]]


async def test_a_question_that_comes_while_the_page_is_open_is_there_at_once(office: Office) -> None:
    async with at_desk(office.works.served) as desk:
        job = await office.works.upload()
        await desk.sign_in(await person(office), f"/?record={await office.column('record_id', job)}")
        await expect(desk.page.locator("dialog.detail .about dd").first).to_be_visible()
        async with office.worker():
            await expect(desk.page.locator("dialog.detail .question").get_by_label("6-digit code")).to_be_visible()
            await expect(desk.page.locator("form-stats-cards")).to_contain_text("1 waiting for an answer")


async def test_what_is_typed_stays_when_the_page_gets_news_and_a_late_answer_is_said(office: Office) -> None:
    async with office.worker(), at_desk(office.works.served) as desk:
        job, shown = await asked(office, desk)
        await shown.get_by_label("6-digit code").fill("12")
        await office.works.conn.execute("update automation_job set seq = seq where id = %s", (job,))
        await expect(shown.get_by_label("6-digit code")).to_have_value("12")
        await office.answer(job)
        await office.works.reaches(job, "completed")
        await expect(shown).to_be_hidden()


async def test_an_answer_that_comes_too_late_is_said_when_its_card_is_gone(office: Office) -> None:
    async with office.worker(), at_desk(office.works.served) as desk:
        job, shown = await asked(office, desk)

        async def quicker(route: Route) -> None:
            assert (await office.answer(job)).is_success
            await route.continue_()

        desk.provokes("409", "/inputs/")
        await desk.page.route("**/inputs/*", quicker)
        await shown.get_by_label("6-digit code").fill("000000")
        await shown.get_by_role("button", name="Send the answer").click()
        await office.works.reaches(job, "completed")
        await expect(shown).to_be_hidden()
        said = desk.page.locator("dialog.detail").get_by_role("alert")
        await expect(said).to_contain_text("Not sent: it was answered by user:")
        assert await problems(desk.page) == []
        assert await desk.page.evaluate("() => document.activeElement.id") == "detail-title"


async def test_a_viewer_sees_what_is_asked_and_is_not_asked(office: Office) -> None:
    async with office.worker(), at_desk(office.works.served) as desk:
        _job, shown = await asked(office, desk, role="viewer")
        await expect(shown).to_contain_text("can look, but not answer")
        await expect(shown.locator("input")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_an_approval_shows_what_was_keyed_and_is_given_with_a_reason(
    office: Office, scheme: Any, width: int
) -> None:
    office.service.asks = False
    office.service.keyed = {"Pole height (ft)": "45", "Notes": "<img src=x onerror=alert(1)>" + "long " * 60}
    await office.works.conn.execute("update project set approval = true")
    view = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    async with office.worker(), at_desk(office.works.served, **view) as desk:
        job, shown = await asked(office, desk)
        await expect(shown).to_contain_text("Pole height (ft)")
        await expect(shown).to_contain_text("<img src=x")
        await expect(shown).to_contain_text("3 photos")
        assert await overflow(desk.page) <= 0
        assert await problems(desk.page) == []
        await picture(desk, f"approval-{scheme}")
        await shown.get_by_label("Why").fill("compared with the photos")
        await shown.get_by_role("button", name="Approve and submit").click()
        await office.works.reaches(job, "completed")
        await expect(shown).to_be_hidden()
        await expect(desk.page.locator("dialog.detail .timeline")).to_contain_text("compared with the photos")


async def test_a_refusal_ends_the_job(office: Office) -> None:
    office.service.asks = False
    await office.works.conn.execute("update project set approval = true")
    async with office.worker(), at_desk(office.works.served) as desk:
        job, shown = await asked(office, desk)
        await shown.get_by_role("button", name="Refuse").click()
        await office.works.reaches(job, "failed")
        await expect(desk.page.locator("dialog.detail .run:not(.question)")).to_contain_text("NOT_APPROVED")
    assert office.service.submitted == {}


async def unproven(office: Office) -> UUID:
    """A job whose submission's outcome nobody knows."""
    job = await office.works.upload()
    row = await office.column("queue_job_id", job)
    await office.works.conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", (row,))
    await office.works.conn.execute("select claim_attempt(%s, %s::bigint, 'w', 60)", (job, row))
    await office.works.conn.execute("select record_intent(%s, 1)", (job,))
    await office.works.conn.execute("select settle_parked(%s, 1, 'outcome_unknown', %s)", (job, Jsonb(ERROR)))
    return job


@pytest.mark.parametrize("took", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_person_says_whether_the_portal_took_it(office: Office, took: bool) -> None:
    job = await unproven(office)
    async with at_desk(office.works.served) as desk:
        shown = await card(office, desk, job)
        await expect(shown).to_contain_text("take the submission?")
        await expect(shown).to_contain_text(await office.column("external_ref", job))
        await shown.get_by_label("Reason").fill("seen in the portal’s list")
        if took:
            await shown.get_by_role("button", name="It did", exact=True).click()
            await expect(shown.get_by_role("alert")).to_contain_text("number is needed")
            assert await office.works.state(job) == "needs_input"
            await shown.get_by_label("Confirmation number").fill("NPL-2026-000101")
            await picture(desk, "outcome-light")
            await shown.get_by_role("button", name="It did", exact=True).click()
        else:
            await shown.get_by_role("button", name="It did not").click()
        await office.works.reaches(job, "completed" if took else "queued")
        await expect(shown).to_be_hidden()
        assert await problems(desk.page) == []
    number = "NPL-2026-000101" if took else None
    assert await office.works.one("select state, confirmation from portal_submission") == (
        "confirmed" if took else "absent", number,
    )  # fmt: skip
    assert await office.works.one("select starts_with(actor, 'user:'), reason from audit_event where action = 'job.outcome'") == (
        True, "seen in the portal’s list",
    )  # fmt: skip
