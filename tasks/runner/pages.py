"""Judging the page at hand: finding what a recipe names, and racing every wait against the recipe's detectors."""

from __future__ import annotations

import asyncio

from tasks.engines.events import Drift
from tasks.runner.asking import Asker, Nobody
from tasks.runner.attribution import attributed
from tasks.runner.driver import Driver, RunError, matches
from tasks.runner.narrator import Narrator
from tasks.runner.recipe import Ask, Detector, Page, Recipe, Target

_LOOK_S = 0.05
"""Between two looks at a page that may still change."""

_ASKED = 3
"""So often one question is put: who is wrong three times will not be right the fourth, and portals lock accounts."""

_FIELD_S = 15.0


class Pages:
    """The eyes of a run."""

    def __init__(self, driver: Driver, recipe: Recipe, narrator: Narrator, *, asker: Asker | None = None) -> None:
        self._driver = driver
        self._recipe = recipe
        self._narrator = narrator
        self._asker = asker or Nobody()
        self._asked: dict[str, int] = {}
        self._answering = False
        self.signing_in = False
        """On the way in, a sign-in page and its hints are no trouble."""

    async def find(self, target: Target, *, limit_s: float) -> Target:
        """The way of naming `target` that hits exactly one element; a later way than the first is told as drift."""
        clock = asyncio.get_running_loop().time
        limit = clock() + limit_s
        while True:
            for position, way in enumerate(target.ways):
                count = await self._driver.count(way)
                if count > 1:
                    raise RunError("AMBIGUOUS_TARGET", f"{way.describe()} is there {count} times")
                if count == 1:
                    if position:
                        self._narrator.emit("drift", Drift(target=target.describe(), used=way.describe()))
                    return way
            await self.detect()
            if clock() > limit or not await self._driver.wait(_LOOK_S):
                raise RunError("ELEMENT_TIMEOUT", f"{target.describe()} was not found on the page")

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

    async def expect(self, page: Page, *, limit_s: float) -> None:
        """Wait until the condition holds, or a detector does. Raises `UNKNOWN_PAGE` when neither does in time."""
        clock = asyncio.get_running_loop().time
        limit = clock() + limit_s
        while not await self.holds(page):
            await self.detect()
            if clock() > limit or not await self._driver.wait(_LOOK_S):
                raise RunError("UNKNOWN_PAGE", f"the portal did not show what was expected ({_words(page)})")

    async def detect(self) -> None:
        """Raise the first detector that matches the page at hand; one with a question asks it, and the run goes on."""
        for each in self._watched():
            if await self.holds(each.when):
                break
        else:
            return
        # The page may have changed between two looks: judge it again, from the first detector, when it is whole.
        await self._driver.settle()
        for each in self._watched():
            if await self.holds(each.when):
                trouble = await self._trouble(each)
                if each.ask is None or self._asked.get(each.code, 0) >= _ASKED:
                    raise trouble
                await self.answer(each.ask, code=each.code, said=str(trouble) if trouble.messages else "")
                return

    async def answer(self, question: Ask, *, code: str, said: str = "") -> None:
        """Put a question to a person, type the answer and send it off. Raises `RunError` when none came."""
        self._asked[code] = self._asked.get(code, 0) + 1
        prompt = f"{question.sentence} ({said})" if said else question.sentence
        values = await self._asker.ask(question, prompt=prompt, code=code, shot=await self._driver.shot())
        self._answering = True
        try:
            for blank in question.blanks:
                way = await self.find(blank.at, limit_s=_FIELD_S)
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
}


def _attribute(name: str | None) -> str | None:
    return name.removeprefix("@") if name else None


def _words(page: Page) -> str:
    if page.at is not None:
        return page.at.describe()
    return page.url or page.css or f"status {page.status}"
