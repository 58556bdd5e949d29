"""A detector with a question, on a real portal: the person's answer is typed, a wrong one is asked about again, thrice."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running
from tasks.runner import drivers
from tasks.runner.actions import Hands, scope_of
from tasks.runner.asking import Asker, Nobody
from tasks.runner.driver import RunError, Shot
from tasks.runner.finder import NAMES
from tasks.runner.narrator import Silent
from tasks.runner.pages import Pages
from tasks.runner.recipe import Ask, Goto, Step
from tasks.runner.recipe_file import shipped

BROWSERS = ["none", *[name for name in NAMES if shutil.which(name)][:1]]


class Person:
    """Reads the demo's phone, and types what `answer` makes of it."""

    def __init__(self, http: httpx.AsyncClient, answer: Callable[[str], str]) -> None:
        self._http = http
        self._answer = answer
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []

    async def ask(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> Mapping[str, str]:
        del shot
        self.asked.append((code, prompt, tuple(blank.label for blank in question.blanks)))
        messages = (await self._http.get("/_demo/phone.json")).json()["messages"]
        newest: str = messages[0]["text"]
        return {blank.key: self._answer(newest) for blank in question.blanks}


@pytest.fixture(params=BROWSERS, ids=lambda name: "forms" if name == "none" else "chromium")
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    log = tmp_path / "portal.jsonl"
    return Settings(database_url=database_url, portal_port=0, portal_log=log, browser=request.param)


@pytest.fixture
async def portal(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        await _quirks(http, preset="calm", think_min_s=0, think_max_s=0)
        yield http


async def _quirks(http: httpx.AsyncClient, **switches: object) -> None:
    (await http.post("/_demo/quirks", json=switches)).raise_for_status()


@asynccontextmanager
async def at_the_door(
    settings: Settings, portal: httpx.AsyncClient, asker: Asker
) -> AsyncIterator[tuple[Hands, Pages]]:
    recipe = shipped().get("npl-asbuilt")
    assert recipe is not None
    async with drivers.chosen(settings, submit_s=30) as chosen:
        driver = await chosen.driver(dialogs=recipe.dialogs)
        pages = Pages(driver, recipe, Silent(), asker=asker)
        secret = {"user": settings.npl_user, "password": settings.npl_password}
        scope = scope_of(form={}, external_ref="", record_id="", secret=secret, photos=(), maps={})
        try:
            yield Hands(driver, pages, scope=scope, base_url=str(portal.base_url)), pages
        finally:
            await driver.close()


def _sign_in() -> Step:
    recipe = shipped().get("npl-asbuilt")
    assert recipe is not None
    return recipe.steps[0]


async def _enter(hands: Hands, pages: Pages) -> None:
    step = _sign_in()
    pages.signing_in = True
    for action in (Goto(url="/"), *step.actions):
        await hands.do(action)
    await pages.expect(step.done.page, limit_s=30)


async def test_a_code_and_a_word_are_asked_for_typed_and_the_run_goes_on(
    settings: Settings, portal: httpx.AsyncClient
) -> None:
    await _quirks(portal, otp_every=1, captcha_every=1)
    person = Person(portal, lambda text: text)
    async with at_the_door(settings, portal, person) as (hands, pages):
        await _enter(hands, pages)
    assert [(code, labels) for code, _, labels in person.asked] == [
        ("CAPTCHA", ("Type the word",)),
        ("OTP_REQUIRED", ("6-digit code",)),
    ]
    assert "phone" in person.asked[1][1]


async def test_a_wrong_code_is_asked_about_again(settings: Settings, portal: httpx.AsyncClient) -> None:
    await _quirks(portal, otp_every=1)
    tries = iter(["000000", ""])
    person = Person(portal, lambda text: next(tries) or text)
    async with at_the_door(settings, portal, person) as (hands, pages):
        await _enter(hands, pages)
    assert [code for code, _, _ in person.asked] == ["OTP_REQUIRED"] * 2


async def test_with_nobody_to_ask_the_run_ends_with_the_code(settings: Settings, portal: httpx.AsyncClient) -> None:
    await _quirks(portal, otp_every=1)
    async with at_the_door(settings, portal, Nobody()) as (hands, pages):
        with pytest.raises(RunError) as stopped:
            await _enter(hands, pages)
    assert (stopped.value.code, stopped.value.error_class) == ("OTP_REQUIRED", "needs_human")
