"""Judging the page at hand: finding what a recipe names, and racing every wait against the recipe's detectors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from tasks.engines.events import Drift, Retrying
from tasks.runner.asking import Asker, Nobody
from tasks.runner.attribution import attributed
from tasks.runner.driver import Driver, RunError, matches
from tasks.runner.narrator import Narrator
from tasks.runner.recipe import Ask, Detector, Recipe
from tasks.runner.secret_hosts import SecretHosts
from tasks.runner.target import Page, Target, drifted

Result = TypeVar("Result")

_LOOK_S = 0.05
"""Between two looks at a page that may still change."""

_ASKED = 3
"""So often one question is put: who is wrong three times will not be right the fourth, and portals lock accounts."""

_FIELD_S = 15.0
_RELOADS = 4
_RELOAD_S = 0.3
_RENDER_S = 2.0


class Pages:
    """The eyes of a run."""

    def __init__(
        self,
        driver: Driver,
        recipe: Recipe,
        narrator: Narrator,
        *,
        hosts: SecretHosts,
        asker: Asker | None = None,
    ) -> None:
        self._driver = driver
        self._hosts = hosts
        self._recipe = recipe
        self._narrator = narrator
        self._asker = asker or Nobody()
        self._drifts: set[str] = set()
        self._asked: dict[str, int] = {}
        self._answering = False
        self._answered_s = 0.0
        self._reloads = 0
        self.signing_in = False
        """On the way in, a sign-in page and its hints are no trouble."""

    async def find(self, target: Target, *, limit_s: float) -> Target:
        """The way of naming `target` that hits exactly one element; a later way than the first is told as drift."""
        over = self.patience(limit_s)
        while True:
            way = await self._way(target)
            if way is not None:
                if way is not target.ways[0]:
                    self._tell_drift(target, way)
                return way
            if await self.detect():
                continue
            if over() or not await self._driver.wait(_LOOK_S):
                raise RunError("ELEMENT_TIMEOUT", f"{target.describe()} was not found on the page")

    async def _way(self, target: Target) -> Target | None:
        """The first way that hits now."""
        for position, way in enumerate(target.ways):
            count = await self._driver.count(way)
            if count > 1:
                raise RunError("AMBIGUOUS_TARGET", f"{way.describe()} is there {count} times")
            if count == 1:
                # A page that was drawn between two questions has not changed its names.
                late = [earlier for earlier in target.ways[:position] if await self._driver.count(earlier)]
                return await self._way(target) if late else way
        return None

    def _tell_drift(self, target: Target, way: Target) -> None:
        text = drifted(target, way)
        if text not in self._drifts:
            self._drifts.add(text)
            self._narrator.emit("drift", Drift(target=target.describe(), used=way.describe(), text=text))

    async def skips(self, target: Target, *, unless: Target | None) -> bool:
        """Whether `target` shows; a page that is still being made shows it, or what is keyed otherwise, in a moment."""
        over = self.patience(_FIELD_S)
        while not await self.shows(target):
            if unless is None or await self.shows(unless):
                return False
            if await self.detect():
                continue
            if over() or not await self._driver.wait(_LOOK_S):
                return False
        return True

    async def holds(self, page: Page) -> bool:
        """Whether the condition holds now."""
        if page.url is not None:
            return matches(page.url, self._driver.url)
        if page.status is not None:
            return page.has_status(self._driver.status)
        if page.css is not None:
            if page.text is None:
                return await self._driver.count(Target(css=page.css)) > 0
            texts = await self._driver.texts(page.css, attribute=None)
            return any(page.text in each.text for each in texts)
        return page.at is not None and await self.shows(page.at)

    async def shows(self, target: Target) -> bool:
        """Whether any way of naming `target` hits something now."""
        for way in target.ways:
            if await self._driver.count(way):
                return True
        return False

    async def reads(self, target: Target, wanted: str, *, limit_s: float) -> str:
        """The text of `target`; a page made by scripts has a moment to come to show what is wanted."""
        limit = asyncio.get_running_loop().time() + _RENDER_S
        while True:
            shown = (await self._driver.text(await self.find(target, limit_s=limit_s))).strip()
            late = asyncio.get_running_loop().time() > limit
            if shown == wanted or late or not await self._driver.wait(_LOOK_S):
                return shown

    async def expect(self, page: Page, *, limit_s: float) -> None:
        """Wait until the condition holds, or a detector does. Raises `UNKNOWN_PAGE` when neither does in time."""
        over = self.patience(limit_s)
        while not await self.holds(page):
            if await self.detect():
                continue
            if over() or not await self._driver.wait(_LOOK_S):
                raise RunError("UNKNOWN_PAGE", f"the portal did not show what was expected ({_words(page)})")

    async def detect(self) -> bool:
        """Raise the first detector that matches the page at hand; one with a question asks it, and the run goes on.

        True when a question was answered or the page loaded again: it is another one now, and worth a look.
        """
        for each in self._watched():
            if await self.holds(each.when):
                break
        else:
            return False
        # The page may have changed between two looks: judge it again, from the first detector, when it is whole.
        await self._driver.settle()
        for each in self._watched():
            if await self.holds(each.when):
                if each.code == "PORTAL_ERROR" and await self._loaded_again():
                    return True
                trouble = await self._trouble(each)
                if each.ask is None or self._asked.get(each.code, 0) >= _ASKED:
                    raise trouble
                await self.answer(each.ask, code=each.code, said=str(trouble) if trouble.messages else "")
                return True
        return False

    async def _loaded_again(self) -> bool:
        """A page that came as an error of the portal's own and was only read: a few times a run that is worth a retry."""
        if self._reloads >= _RELOADS:
            return False
        self._reloads += 1
        await asyncio.sleep(_RELOAD_S)
        if not await self._driver.again():
            return False
        self._narrator.emit(
            "retrying", Retrying(why="the portal answered with an error of its own; its page was loaded again")
        )
        return True

    async def answer(self, question: Ask, *, code: str, said: str = "") -> None:
        """Put a question to a person, type the answer and send it off. Raises `RunError` when none came."""
        self._asked[code] = self._asked.get(code, 0) + 1
        prompt = f"{question.sentence} ({said})" if said else question.sentence
        shot = await self._driver.shot()
        asked_at = asyncio.get_running_loop().time()
        values = await self.unless_gone(self._asker.ask(question, prompt=prompt, code=code, shot=shot))
        self._answered_s += asyncio.get_running_loop().time() - asked_at
        self._answering = True
        try:
            for blank in question.blanks:
                way = await self.find(blank.at, limit_s=_FIELD_S)
                if question.secret:
                    self._hosts.check(self._driver.url)
                    await self._driver.conceal(way)
                type_in = self._driver.select if blank.type == "choice" else self._driver.fill
                await type_in(way, values[blank.key])
            if question.submit is not None:
                left = self._driver.url
                await self._driver.click(await self.find(question.submit, limit_s=_FIELD_S))
                await self._leave(left)
        finally:
            self._answering = False

    async def _leave(self, url: str) -> None:
        """A page that has taken an answer stands there for a moment longer: it must not be asked about twice."""
        limit = asyncio.get_running_loop().time() + _FIELD_S
        while self._driver.url == url and asyncio.get_running_loop().time() < limit:
            if not await self._driver.wait(_LOOK_S):
                return

    async def unless_gone(self, waited_for: Coroutine[object, object, Result]) -> Result:
        """What is waited for. Raises `BROWSER_LOST` or `PAGE_CRASHED` when the page dies first: nobody else would notice."""
        wanted = asyncio.create_task(waited_for)
        gone = asyncio.create_task(self._driver.gone())
        try:
            await asyncio.wait({wanted, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not wanted.done():
                raise gone.result()
            return wanted.result()
        finally:
            wanted.cancel()
            gone.cancel()
            await asyncio.gather(wanted, gone, return_exceptions=True)

    def patience(self, limit_s: float) -> Callable[[], bool]:
        """Tells whether so much time has passed since; the time that people took to answer is not counted."""
        clock = asyncio.get_running_loop().time
        limit = clock() - self._answered_s + limit_s
        return lambda: clock() - self._answered_s > limit

    def _watched(self) -> list[Detector]:
        passed_over = {"SESSION_EXPIRED", "PORTAL_REJECTED"} if self.signing_in else set()
        asks = self._answering
        return [each for each in self._recipe.detect if each.code not in passed_over and not (asks and each.ask)]

    async def _trouble(self, detector: Detector) -> RunError:
        collect = detector.collect
        found = [] if collect is None else await self._driver.texts(collect.css, attribute=_attribute(collect.field))
        said = "; ".join(each.text for each in found)
        return RunError(
            detector.code,
            f"the portal says: {said}" if said else _SENTENCES.get(detector.code, f"the portal shows {detector.code}"),
            error_class=detector.error_class,
            messages=attributed(found, self._recipe),
            retry_after_s=self._driver.retry_after_s,
        )


_SENTENCES = {
    "PORTAL_MAINTENANCE": "the portal is closed for maintenance",
    "PORTAL_ERROR": "the portal answered with an error of its own",
    "SESSION_EXPIRED": "the portal ended the session",
    "LOGIN_REJECTED": "the portal refused the sign-in",
    "OTP_REQUIRED": "the portal asks for a one-time code",
    "FILE_REFUSED": "the portal refused a photo",
    "CAPTCHA": "the portal asks to prove that a person is there",
    "ACCOUNT_LOCKED": "the portal has locked the account",
    "DRAFT_GONE": "the portal does not know the draft",
}


def _attribute(name: str | None) -> str | None:
    return name.removeprefix("@") if name else None


def _words(page: Page) -> str:
    if page.at is not None:
        return page.at.describe()
    return page.url or page.css or f"status {page.status}"
