"""Asks a portal for a submission by our reference. Only an answer that was really read counts; all else is no answer."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.engines.contract import Absent, Found
from tasks.runner.actions import NAVIGATION_S, Hands, scope_of
from tasks.runner.driver import Driver, RunError
from tasks.runner.drivers import Forms
from tasks.runner.execution import Workshop
from tasks.runner.narrator import Silent
from tasks.runner.pages import Pages
from tasks.runner.portals import PortalConfig
from tasks.runner.questions import Unattended
from tasks.runner.recipe import LookupRule, Recipe, Step
from tasks.runner.redact import Redactor
from tasks.runner.refusals import LookupFailed, LookupUnsupported
from tasks.runner.runs import secrets_of
from tasks.runner.secret_hosts import SecretHosts
from tasks.runner.sessions import Session
from tasks.runner.target import Page


async def look_up(
    recipe: Recipe, portal: PortalConfig, *, account: str, external_ref: str, shop: Workshop
) -> Found | Absent:
    """Raises `LookupFailed` whenever the portal did not tell, and `LookupUnsupported` when it never can."""
    if recipe.lookup == "none":
        raise LookupUnsupported(f"{recipe.portal} cannot be searched by our reference")
    drivers = Forms(submit_s=shop.limits.submit_s) if recipe.lookup.via == "forms" else shop.drivers
    redactor = Redactor(secrets_of(portal.accounts[account]))
    try:
        driver = await drivers.driver(dialogs=recipe.dialogs, pace=shop.pace(recipe.portal))
        try:
            search = _Search(recipe, recipe.lookup, portal, driver=driver, account=account, external_ref=external_ref)
            return await search.run(shop.sessions.of(recipe.portal, account))
        finally:
            await driver.close()
    except RunError as exc:
        raise LookupFailed(redactor.text(f"{exc.code}: {exc}"), retry_after_s=exc.retry_after_s) from exc


class _Search:
    """One look-up in one portal session."""

    def __init__(
        self,
        recipe: Recipe,
        rule: LookupRule,
        portal: PortalConfig,
        *,
        driver: Driver,
        account: str,
        external_ref: str,
    ) -> None:
        self._recipe = recipe
        self._rule = rule
        self._driver = driver
        hosts = SecretHosts(portal.base_url, portal.allowed_hosts)
        known = portal.accounts[account].values()
        asker = Unattended(known.get("totp", ""))
        self._pages = Pages(driver, recipe, Silent(), hosts=hosts, asker=asker)
        scope = scope_of(
            form={},
            external_ref=external_ref,
            record_id="",
            secret=known,
            photos=(),
            maps=recipe.maps,
        )
        self._hands = Hands(driver, self._pages, scope=scope, base_url=portal.base_url, hosts=hosts)

    async def run(self, session: Session) -> Found | Absent:
        try:
            await self._sign_in(session)
            return await self._ask()
        except RunError as exc:
            if exc.code != "SESSION_EXPIRED":
                raise
        # The shared sign-in had ended: once more with a fresh one.
        await self._sign_in(session)
        return await self._ask()

    async def _sign_in(self, session: Session) -> None:
        for step in self._recipe.steps:
            if step.session:
                async with session.entering(self._driver):
                    await self._enter(step)

    async def _enter(self, step: Step) -> None:
        self._pages.signing_in = True
        try:
            if step.open is not None:
                await self._driver.open(self._hands.absolute(step.open))
                await self._pages.detect()
            if step.skip_if is not None and await self._pages.skips(step.skip_if, unless=step.first_target):
                return
            for action in step.actions:
                await self._hands.do(action)
            await self._pages.expect(step.done.page, limit_s=NAVIGATION_S)
        finally:
            self._pages.signing_in = False

    async def _ask(self) -> Found | Absent:
        as_of = datetime.now(UTC)
        for action in self._rule.actions:
            await self._hands.do(action)
        found = Page(at=self._rule.found)
        if not await self._pages.holds(found):
            if not await self._pages.shows(self._rule.absent):
                await self._pages.expect(found, limit_s=NAVIGATION_S)
            elif self._driver.status == 200:
                return Absent(as_of=as_of, index_lag_s=self._rule.index_lag_s)
        number = await self._driver.text(self._rule.found.number)
        if not number:
            raise RunError("UNKNOWN_PAGE", "the portal shows a submission without its number")
        return Found(confirmation_number=number, evidence_url=self._driver.url)
