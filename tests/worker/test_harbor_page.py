"""The second demo portal's page in a real Chromium: the wizard to its receipt, and what it shows when things go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Dialog, Page, async_playwright, expect

from app.core.settings import Settings
from tasks.demo_portal import running
from tests.machine import browser
from tests.worker.contractor import jpeg
from tests.worker.harbor_crew import PLANT, SITE, HarborCrew

_DEADLINE_MS = 60_000
expect.set_options(timeout=_DEADLINE_MS)
LABELS = {
    "enclosure": "Enclosure",
    "fibers": "Fibers",
    "loss": "Worst splice, dB",
    "lat": "Latitude",
    "lon": "Longitude",
}


@pytest.fixture
async def crew(database_url: str, tmp_path: Path) -> AsyncIterator[HarborCrew]:
    settings = Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        made = HarborCrew(client)
        await made.quirks(preset="calm", think_min_s=0, think_max_s=0)
        yield made


@pytest.fixture
async def page(crew: HarborCrew) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=browser(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        made = await chromium.new_page(base_url=str(crew.client.base_url))
        made.set_default_timeout(_DEADLINE_MS)
        errors: list[str] = []
        made.on("pageerror", lambda error: errors.append(str(error)))
        yield made
        await chromium.close()
        assert errors == []


async def sign_in(page: Page) -> None:
    await page.goto("/harbor/")
    await page.get_by_label("User name").fill("crew")
    await page.get_by_label("Password").fill("lighthouse")
    await page.get_by_role("button", name="Open my desk").click()


async def key_site(page: Page, reference: str, *, ticket: str = "Job ticket", onward: str = "Next") -> None:
    await page.get_by_label(ticket).fill(SITE["ticket"])
    await page.get_by_label("Your reference").fill(reference)
    await page.get_by_role("combobox", name="Service area").click()
    await page.get_by_role("option", name=SITE["area"]).click()
    await page.get_by_label("Finished on").fill(SITE["finished"])
    await page.get_by_label("Crew lead").fill(SITE["lead"])
    await page.get_by_role("button", name=onward).click()


async def key_rest(page: Page, tmp_path: Path, *, onward: str = "Next") -> None:
    for key, label in LABELS.items():
        await page.get_by_label(label).fill(PLANT[key])
    await page.get_by_role("button", name=onward).click()
    photo = tmp_path / 'the "tray".jpg'
    photo.write_bytes(jpeg())
    await page.get_by_label("Add photos").set_input_files(photo)
    await expect(page.locator("[data-file][data-state=done]")).to_have_count(1)
    await page.get_by_role("button", name=onward).click()
    await page.wait_for_url("**/finish")


async def test_the_wizard_leads_to_a_receipt(page: Page, crew: HarborCrew, tmp_path: Path) -> None:
    await sign_in(page)
    await page.get_by_role("button", name="Start a close-out").click()
    await page.wait_for_url("**/harbor/app#/closeout/C*/site")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("[role=alert] li")).to_have_count(5)
    await key_site(page, "AB-PAGE01")
    await page.wait_for_url("**/plant")
    await key_rest(page, tmp_path)
    await expect(page.locator("dd[data-key=area]")).to_have_text("Harbor")
    await expect(page.locator("[data-count=photos]")).to_have_text("1")
    await page.get_by_role("button", name="Send close-out").click()
    await page.get_by_role("button", name="Keep editing").click()
    assert await crew.submissions("AB-PAGE01") == []
    await page.get_by_role("button", name="Send close-out").click()
    await page.get_by_role("button", name="Yes, send it").click()
    shown = await page.get_by_label("Receipt number").text_content()
    [held] = await crew.submissions("AB-PAGE01")
    assert shown == held["confirmation"]
    await page.reload()
    await expect(page.locator("#banner[data-code=gone]")).to_be_visible()


async def test_a_draft_saves_itself_and_survives_a_lost_session(page: Page, crew: HarborCrew) -> None:
    await sign_in(page)
    await page.get_by_role("button", name="Start a close-out").click()
    await page.get_by_label("Job ticket").fill("WO-4711")
    await expect(page.locator("#saved")).to_have_text("Saved")
    await page.context.clear_cookies()
    await page.get_by_label("Crew lead").fill("Osei")
    await page.get_by_role("button", name="Next").click()
    await expect(page.locator("#banner[data-code=signed-out]")).to_be_visible()
    await page.get_by_label("User name").fill("crew")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Open my desk").click()
    await expect(page.locator("#banner[data-code=sign-in-failed]")).to_be_visible()
    await page.get_by_label("Password").fill("lighthouse")
    await page.get_by_role("button", name="Open my desk").click()
    await page.wait_for_url("**/site")
    await expect(page.get_by_label("Job ticket")).to_have_value("WO-4711")


async def test_an_unconfirmed_send_is_said_to_be_one_and_not_repeated(
    page: Page, crew: HarborCrew, tmp_path: Path
) -> None:
    await sign_in(page)
    await page.get_by_role("button", name="Start a close-out").click()
    await key_site(page, "AB-PAGE02")
    await key_rest(page, tmp_path)
    await crew.quirks(submit={"ok": 0, "error": 1})
    await page.get_by_role("button", name="Send close-out").click()
    await page.get_by_role("button", name="Yes, send it").click()
    await expect(page.locator("#banner[data-code=unsure]")).to_be_visible()
    await expect(page.get_by_role("button", name="Send close-out")).to_be_disabled()
    assert await crew.submissions("AB-PAGE02") == []


async def test_drift_renames_and_asks_once_more(page: Page, crew: HarborCrew, tmp_path: Path) -> None:
    await crew.quirks(drift_button=True, drift_label=True, drift_dialog=True)
    await sign_in(page)
    await page.get_by_role("button", name="Start a close-out").click()
    await key_site(page, "AB-PAGE03", ticket="Ticket number", onward="Continue")
    await key_rest(page, tmp_path, onward="Continue")
    asked: list[str] = []

    async def accept(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    page.on("dialog", accept)
    await page.get_by_role("button", name="File close-out").click()
    await page.get_by_role("button", name="Yes, send it").click()
    await expect(page.get_by_label("Receipt number")).to_be_visible()
    assert asked == ["Really send this close-out now?"]
    assert len(await crew.submissions("AB-PAGE03")) == 1
