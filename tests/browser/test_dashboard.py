"""The dashboard at work: real server, real worker, real portal, real browser."""

from __future__ import annotations

import os
import re
import signal
from urllib.parse import unquote

from playwright.async_api import Page, Request, Route, expect

from tests.browser.desk import SHOTS, Crew, Desk, Person, make_person
from tests.e2e.stacks import Stack

# Writes down every state and percentage a record's badge shows, and that the page was never loaded again.
RECORDER = """(id) => {
  window.seen = { states: [], percents: [] };
  const look = () => {
    const badge = document.querySelector(`tr[data-id="${id}"] automation-status-badge`);
    const state = badge?.dataset.state;
    if (state && seen.states.at(-1) !== state) seen.states.push(state);
    const bar = badge?.querySelector('progress');
    if (bar && !bar.hidden && bar.hasAttribute('value') && seen.percents.at(-1) !== bar.value) seen.percents.push(bar.value);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


async def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    wide: int = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return wide


async def test_the_badge_goes_from_queued_through_a_moving_bar_to_completed_without_a_reload(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    await desk.sign_in(operator)
    identity = "0198a0b0-0000-4000-8000-" + os.urandom(6).hex()
    await desk.page.evaluate(RECORDER, identity)
    sent = crew.send(id=identity, asset="P-LIVE-1")
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "completed")
    seen = await desk.page.evaluate("() => window.seen")
    assert seen["states"][-2:] == ["processing", "completed"]
    assert set(seen["states"]) <= {"queued", "processing", "completed"}
    assert seen["percents"] == sorted(seen["percents"])
    assert len(seen["percents"]) >= 3, "the bar did not move"
    await expect(desk.row(sent)).to_contain_text(crew.job(sent)["confirmation"])


async def test_the_record_page_shows_everything_and_gives_the_focus_back(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    sent = crew.send(asset="P-PAGE-1", fields={"earth_resistance_ohm": 31.4})
    await desk.sign_in(operator)
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "completed")
    dialog = await desk.open_record(sent)
    await expect(desk.page).to_have_url(re.compile(f"record={sent['record_id']}"))
    job = crew.job(sent)
    await expect(dialog.locator(".number")).to_have_text(job["confirmation"])
    await expect(dialog.get_by_role("link", name="Open in the portal")).to_have_attribute("href", job["portal_url"])
    await expect(dialog.locator(".fields")).to_contain_text("Earth resistance")
    await expect(dialog.locator(".findings-items")).to_contain_text("31.4")
    await expect(dialog.locator(".photos img")).to_have_count(3)
    await expect(dialog.locator(".timeline li").first).to_contain_text("Completed")
    record = crew.http.get(f"/api/records/{sent['record_id']}").raise_for_status().json()
    steps = record["attempts"][0]["steps"]
    await expect(dialog.locator(".steps li")).to_have_count(len(steps))
    await expect(dialog.locator(".steps img")).to_have_count(sum(step["screenshot"] is not None for step in steps))
    await dialog.locator(".photos button").first.click()
    await expect(desk.page.locator("dialog.lightbox img")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.locator("dialog.lightbox")).to_have_count(0)
    await desk.page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(desk.row(sent)).to_be_focused()
    await expect(desk.page).not_to_have_url(re.compile("record="))


async def test_a_refused_record_says_why_and_is_retried_with_a_reason(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(asset="P-FAIL-1", fields={"pole_height_ft": 140})
    await desk.sign_in(operator)
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "failed")
    dialog = await desk.open_record(sent)
    await expect(dialog.get_by_role("region", name="Automation")).to_contain_text("The portal rejected the data")
    await expect(dialog.get_by_role("region", name="Automation")).to_contain_text("Pole height")
    await dialog.get_by_label("Reason").fill("The office spoke to the utility")
    await dialog.get_by_role("button", name="Retry", exact=True).click()
    await expect(dialog.locator(".attempts details:not(.log)")).to_have_count(2)
    await expect(dialog.locator(".timeline")).to_contain_text("“The office spoke to the utility”")


async def test_a_retry_that_comes_too_late_is_refused_in_words(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(asset="P-FAIL-2", fields={"pole_height_ft": 140})
    await desk.sign_in(operator)
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "failed")
    dialog = await desk.open_record(sent)
    await dialog.get_by_label("Reason").fill("Once more")

    async def too_late(route: Route) -> None:
        """Somebody else is quicker by a moment, before the page can have heard of it."""
        crew.retry(sent, "The crew was quicker")
        await route.continue_()

    desk.provokes("409", "/retry")
    await desk.page.route("**/retry", too_late)
    await dialog.get_by_role("button", name="Retry", exact=True).click()
    # The card it was said in is gone at once; what was said stays, also when the other's run is over.
    await expect(dialog.locator(".timeline")).to_contain_text("“The crew was quicker”")
    await expect(dialog.locator(".attempts details:not(.log)")).to_have_count(2)
    refused = dialog.get_by_role("alert").filter(has_text="What you see has been refreshed")
    await expect(refused).to_contain_text(re.compile(r"Not retried: .+ cannot be retried\. What you see"))
    await expect(dialog.get_by_label("Reason")).to_have_value("Once more")
    await refused.get_by_role("button", name="Close the notice").click()
    await expect(refused).to_be_hidden()


async def test_a_viewer_may_look_but_is_offered_no_retry(stack: Stack, desk: Desk, crew: Crew) -> None:
    sent = crew.send(asset="P-FAIL-3", fields={"pole_height_ft": 140})
    await desk.sign_in(make_person(stack, "viewer"))
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "failed")
    dialog = await desk.open_record(sent)
    await expect(dialog.get_by_role("region", name="Automation")).to_contain_text("Your role in this project can look")
    await expect(dialog.get_by_role("button", name="Retry", exact=True)).to_have_count(0)


async def turn_keys(desk: Desk, *, on: bool) -> None:
    """Keys of one character can be turned off (WCAG 2.1.4)."""
    await desk.page.get_by_role("button", name="Keyboard shortcuts").click()
    await desk.page.get_by_label("Single-key shortcuts").set_checked(on)
    await desk.page.keyboard.press("Escape")


async def test_search_and_filter_live_in_the_address(desk: Desk, crew: Crew, operator: Person) -> None:
    held = [crew.send(photos=False, asset=f"P-HELD-{at}") for at in range(3)]
    await desk.sign_in(operator)
    search = desk.page.get_by_role("searchbox")
    await turn_keys(desk, on=False)
    for key in "?/":
        await desk.page.keyboard.press(key)
    await expect(desk.page.locator("dialog.keys")).to_be_hidden()
    await expect(search).not_to_be_focused()
    await desk.page.reload()
    await expect(search).to_be_visible()
    await expect(desk.page.locator(".search kbd")).to_be_hidden()
    await turn_keys(desk, on=True)
    await desk.page.keyboard.press("/")
    await expect(search).to_be_focused()
    await desk.page.keyboard.type("p-held-1")
    await expect(desk.row(held[1])).to_be_visible()
    await expect(desk.page.locator("tr[data-id]")).to_have_count(1)
    await desk.page.reload()
    await expect(desk.page.get_by_role("searchbox")).to_have_value("p-held-1")
    await expect(desk.page.locator("tr[data-id]")).to_have_count(1)
    await desk.page.get_by_role("searchbox").fill("no such thing")
    await expect(desk.page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await desk.page.get_by_role("button", name="Show all records").click()
    await desk.page.get_by_role("button", name=re.compile("^Held")).click()
    await expect(desk.page).to_have_url(re.compile("state=held"))
    await expect(desk.row(held[0])).to_be_visible()
    await expect(desk.page.locator("tr automation-status-badge:not([data-state=held])")).to_have_count(0)


async def test_more_records_than_a_page_are_loaded_on_demand_each_once(
    desk: Desk, crew: Crew, operator: Person
) -> None:
    for at in range(55):
        crew.send(photos=False, asset=f"P-MANY-{at:02}")
    await desk.sign_in(operator, "/?q=P-MANY")
    await expect(desk.page.locator("tr[data-id]")).to_have_count(50)
    await desk.page.get_by_role("button", name="Load more").click()
    await expect(desk.page.locator("tr[data-id]")).to_have_count(55)
    await expect(desk.page.get_by_role("button", name="Load more")).to_be_hidden()
    # Not innerText, which is empty for what is out of sight.
    assets = await desk.page.locator("tr .asset").all_text_contents()
    assert assets == [f"P-MANY-{at:02}" for at in reversed(range(55))]


async def test_a_lost_connection_is_said_and_mended_and_nothing_is_missing(
    stack: Stack, desk: Desk, crew: Crew, operator: Person
) -> None:
    await desk.sign_in(operator)
    desk.provokes("net::ERR_")
    os.kill(stack.children()["api"].pid, signal.SIGKILL)
    await desk.page.wait_for_selector("connection-status[data-phase=reconnecting]")
    await expect(desk.page.locator("#notices")).to_contain_text("Reconnecting")
    await expect(desk.page.locator("connection-status")).to_have_text("Live")
    await expect(desk.page.locator("#notices")).to_be_empty()
    sent = crew.send(photos=False, asset="P-AFTER")
    await expect(desk.row(sent).locator("automation-status-badge")).to_have_attribute("data-state", "held")


ASK = """async () => {
  const { apiOf } = await import('/static/api.js');
  return apiOf().get('/api/records', { limit: 1 }).then(() => null, (problem) => [problem.name, problem.passing]);
}"""


async def test_a_list_that_could_not_be_loaded_comes_by_itself(desk: Desk, crew: Crew, operator: Person) -> None:
    sent = crew.send(photos=False, asset="P-BY-ITSELF")
    desk.provokes("503", "/api/records?")
    await desk.page.route("**/api/records?*", lambda route: route.fulfill(status=503, json={}))
    await desk.sign_in(operator)
    await expect(desk.page.get_by_text("The records could not be loaded")).to_be_visible()
    await desk.page.unroute_all()
    await expect(desk.row(sent)).to_be_visible()
    # Nor is the page itself given up where nobody can say who is signed in.
    desk.provokes("503", "/api/me")
    await desk.page.route("**/api/me", lambda route: route.fulfill(status=503, json={}))
    await desk.page.reload()
    await expect(desk.page.locator("#notices")).to_contain_text("Trying again…")
    await desk.page.unroute_all()
    await expect(desk.row(sent)).to_be_visible()
    await expect(desk.page.locator("#notices")).to_be_empty()
    # An answer that was cut short is none, either.
    half = {"status": 200, "content_type": "application/json", "body": '{"items": ['}
    await desk.page.route("**/api/records?*", lambda route: route.fulfill(**half))
    assert await desk.page.evaluate(ASK) == ["ApiProblem", True]


WITH_TOKEN = """async ([job, record, token]) => {
  await import('/static/elements/automation-status-badge.js');
  await import('/static/elements/record-detail.js');
  for (const [name, attributes] of [['automation-status-badge', { 'job-id': job, detailed: '' }], ['record-detail', { record }]]) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries({ ...attributes, token })) element.setAttribute(key, value);
    document.body.append(element);
  }
}"""


async def test_elements_with_a_token_follow_by_themselves_and_no_secret_is_logged_or_leaves_in_an_address(
    stack: Stack, desk: Desk, crew: Crew, operator: Person
) -> None:
    """As in another page than ours: no session, a bearer token. Then with a session beside it, and by a link to another site."""
    page, asked = desk.page, list[Request]()

    def note(request: Request) -> None:
        asked.append(request)

    page.context.on("request", note)
    sent = crew.send(asset="P-TOKEN-1")
    await desk.open("/sign-in")
    await page.evaluate(WITH_TOKEN, [sent["automation_job_id"], sent["record_id"], crew.token])
    badge = page.locator("automation-status-badge")
    await expect(badge).to_have_attribute("data-state", "completed")
    await expect(badge).to_contain_text(crew.job(sent)["confirmation"])
    await expect(page.locator("record-detail .photos img")).to_have_count(len(SHOTS))

    await desk.sign_in(operator, f"/records/{sent['record_id']}")
    await expect(page.locator("record-detail .photos img")).to_have_count(len(SHOTS))
    csrf = await page.evaluate("() => fetch('/api/me').then((answer) => answer.json()).then((me) => me.csrf)")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Open in the portal").click()
    await (await opened.value).wait_for_load_state()

    secrets = {
        operator.password,
        crew.token,
        csrf,
        *(each["value"] for each in await page.context.cookies(desk.site.url)),
    }
    assert len(secrets) == 4
    addresses = "\n".join(unquote(request.url) for request in asked)
    assert "/api/events" in addresses and "/photos/" in addresses
    assert not [secret for secret in secrets if secret in addresses]
    left = [request for request in asked if not request.url.startswith((desk.site.url, "blob:"))]
    assert left, "the portal is another site"
    assert not [headers for request in left if "referer" in (headers := await request.all_headers())]
    logs = "\n".join(path.read_text() for path in (stack.home / "logs").glob("*.log"))
    for path in ("/api/events", "/api/session", f"/api/records/{sent['record_id']}"):
        assert f'"path":"{path}"' in logs, "nothing was logged of it, so nothing could be found"
    assert not [secret for secret in secrets if secret in logs]
