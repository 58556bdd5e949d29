"""Signing in by form and by one-time link, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.browser.desk import Desk, Person
from tests.e2e.stacks import Stack


async def test_the_link_of_the_ready_line_signs_in_once_and_leaves_the_address_bar(desk: Desk, stack: Stack) -> None:
    link = stack.ready_line.removeprefix("ready ")
    await desk.page.goto(link)
    await expect(desk.page.locator("connection-status")).to_have_text("Live")
    code = link.partition("#")[2]
    assert code not in desk.page.url
    await desk.page.go_back()
    assert code not in desk.page.url, "the code can be read from the history"
    await desk.page.context.clear_cookies()
    await desk.page.goto("about:blank")
    desk.provokes("401", "/api/session")
    await desk.page.goto(link)
    await expect(desk.page.locator("#message")).to_contain_text("used already")
    assert code not in desk.page.url


async def test_a_wrong_password_is_answered_in_words_and_the_right_one_leads_where_one_wanted_to_go(
    desk: Desk, operator: Person
) -> None:
    await desk.open("/?state=failed")
    await expect(desk.page).to_have_url(re.compile(r"/sign-in\?next="))
    await desk.page.get_by_label("E-mail").fill(operator.email)
    await desk.page.get_by_label("Password").fill("guess")
    desk.provokes("401", "/api/session")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_role("alert")).to_contain_text("do not match")
    await expect(desk.page.get_by_label("Password")).to_be_focused()
    await desk.page.get_by_label("Password").fill(operator.password)
    await desk.page.keyboard.press("Enter")
    await expect(desk.page).to_have_url(re.compile(r"/\?state=failed$"))
    await expect(desk.page.locator("connection-status")).to_have_text("Live")


async def test_signing_in_never_leads_to_another_site(desk: Desk, operator: Person) -> None:
    await desk.sign_in(operator, "/sign-in?next=https://evil.example/")
    assert desk.page.url.startswith(desk.site.url)


async def test_signing_out_closes_the_page(desk: Desk, operator: Person) -> None:
    await desk.sign_in(operator)
    # A session that could not be ended is not said to be over.
    desk.provokes("503", "/api/session")
    await desk.page.route("**/api/session", lambda route: route.fulfill(status=503, json={}))
    await desk.page.get_by_role("button", name="Sign out").click()
    await expect(desk.page.locator("#notices")).to_contain_text("You are still signed in")
    await desk.page.unroute_all()
    await desk.page.get_by_role("button", name="Try again").click()
    await expect(desk.page).to_have_url(re.compile(r"/sign-in"))
    await desk.open("/")
    await expect(desk.page).to_have_url(re.compile(r"/sign-in"))


async def test_a_form_sent_before_its_script_runs_keeps_the_password_out_of_the_address(desk: Desk) -> None:
    """It once did not: a fast typist's password stood in the address bar, the history and the server's log."""
    desk.provokes("net::ERR_FAILED", "/sign-in.js")
    await desk.page.route("**/sign-in.js", lambda route: route.abort())
    await desk.open("/sign-in")
    await expect(desk.page.get_by_label("Password")).to_be_disabled()
    assert await desk.page.locator("form").get_attribute("method") == "post"
