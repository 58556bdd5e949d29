"""Plays a recipe: steps in order, checkpoints, sign-in again when the session ends, and the commit through its gate."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import UTC, datetime

import msgspec

from tasks.engines.contract import PortalMessage, Result, RunSpec
from tasks.engines.events import (
    ActionCompleted,
    ActionStarted,
    Log,
    ReadBack,
    ReadValue,
    Retrying,
    Review,
    StepConfirmed,
    StepResumed,
    StepStarted,
)
from tasks.runner import values
from tasks.runner.actions import NAVIGATION_S, Hands
from tasks.runner.attribution import field_of, place_of
from tasks.runner.driver import Driver, RunError, Shot
from tasks.runner.gate import CommitGate
from tasks.runner.narrator import Narrator
from tasks.runner.pages import Pages
from tasks.runner.recipe import Action, Click, Recipe, Step, describe
from tasks.runner.sessions import Session

_SIGN_INS = 3


class Interpreter:
    """One run of one recipe. `step` and `action` say where it stands, for the error message."""

    def __init__(
        self,
        *,
        recipe: Recipe,
        spec: RunSpec,
        driver: Driver,
        hands: Hands,
        pages: Pages,
        gate: CommitGate,
        session: Session,
        narrator: Narrator,
        scope: values.Scope,
    ) -> None:
        self._recipe = recipe
        self._spec = spec
        self._driver = driver
        self._hands = hands
        self._pages = pages
        self._gate = gate
        self._session = session
        self._narrator = narrator
        self._scope = scope
        self._started = asyncio.get_running_loop().time()
        self._actions = {step.id: [each for each in step.actions if hands.applies(each.when)] for step in recipe.steps}
        self._total = sum(map(len, self._actions.values()))
        self.step: Step | None = None
        self.action: str | None = None
        self._review_shot: str | None = None

    async def play(self) -> Result:
        """Every step that no earlier attempt has confirmed. Raises `RunError`, and `DryRun` at the gate."""
        rule = self._recipe.steps[-1].commits
        if rule is None:
            raise RunError("RECIPE_UNKNOWN", "the recipe does not commit")
        await self._driver.hold(rule, self._gate)
        confirmed = self._resume()
        self._tell_resumed(confirmed)
        resumed, entering, sign_ins, position = bool(confirmed), True, 0, 0
        while position < len(self._recipe.steps):
            step = self._recipe.steps[position]
            if step.id in confirmed:
                position, entering = position + 1, True
                continue
            try:
                await self._play_step(step, entering=entering)
            except RunError as exc:
                entering = True
                if exc.code == "DRAFT_GONE" and resumed and not self._gate.requested:
                    self._narrator.emit("retrying", Retrying(why="the draft of the attempt before is gone"))
                    confirmed, resumed, position = frozenset(), False, 0
                    self._hands.out.clear()
                    continue
                if exc.code != "SESSION_EXPIRED" or self._gate.requested or sign_ins >= _SIGN_INS:
                    raise
                sign_ins += 1
                self._narrator.emit("retrying", Retrying(why="the portal ended the session"))
                await self._sign_in_again(before=position)
                continue
            # A session may be shorter than a run: only one that ends again and again at the same step is trouble.
            position, entering, sign_ins = position + 1, step.session, 0
        return self._result()

    def _resume(self) -> frozenset[str]:
        """Steps to pass over: confirmed before, keyed from the same values, and with nothing redone before them."""
        resume = self._spec.resume
        if resume is None:
            return frozenset()
        kept: set[str] = set()
        for step in self._recipe.steps:
            if step.session:
                continue
            known = resume.hashes.get(step.id)
            if step.commits or step.id not in resume.steps or known not in {None, self._hash(step)}:
                break
            kept.add(step.id)
        if kept:
            self._hands.out.update(resume.outputs)
        return frozenset(kept)

    def _tell_resumed(self, confirmed: frozenset[str]) -> None:
        total = len(self._recipe.steps)
        for index, step in enumerate(self._recipe.steps, start=1):
            if step.id in confirmed:
                taken = StepResumed(
                    index=index,
                    total=total,
                    id=step.id,
                    label=step.label,
                    outputs=dict(self._hands.out),
                    input_hash=self._hash(step),
                )
                self._narrator.emit("step.resumed", taken)

    async def _sign_in_again(self, *, before: int) -> None:
        for step in self._recipe.steps[:before]:
            if step.session:
                await self._play_step(step, entering=True)

    async def _play_step(self, step: Step, *, entering: bool) -> None:
        self.step, self.action = step, None
        index = self._recipe.steps.index(step) + 1
        total = len(self._recipe.steps)
        self._narrator.emit("step.started", StepStarted(index=index, total=total, id=step.id, label=step.label))
        if step.session:
            async with self._session.entering(self._driver):
                self._pages.signing_in = True
                try:
                    shot = await self._key(step, entering=entering)
                finally:
                    self._pages.signing_in = False
        else:
            shot = await self._key(step, entering=entering)
        confirmed = StepConfirmed(id=step.id, outputs=dict(self._hands.out), input_hash=self._hash(step))
        self._narrator.emit("step.confirmed", confirmed)
        if self._spec.screenshots != "off":
            self._narrator.frame(shot or await self._driver.shot(), step=step.id)
        self.action = None

    async def _key(self, step: Step, *, entering: bool) -> Shot | None:
        """All actions of a step until the portal has saved it; the page as keyed, if that is the step's frame."""
        if entering and step.open is not None:
            await self._driver.open(self._hands.absolute(step.open))
            if self._driver.status in {404, 410}:
                raise RunError("DRAFT_GONE", "the portal does not know the draft")
            await self._pages.detect()
        if step.skip_if is not None and await self._pages.skips(step.skip_if, unless=step.first_target):
            return None
        actions = self._actions[step.id]
        last_click = max((n for n, each in enumerate(actions) if isinstance(each, Click)), default=-1)
        shot: Shot | None = None
        for number, action in enumerate(actions):
            if number == last_click:
                shot = await self._before_last_click(step)
            await self._act(step, number, action)
        await self._saved(step)
        return shot if step.frame == "keyed" else None

    async def _before_last_click(self, step: Step) -> Shot | None:
        if step.commits is not None:
            await self._verify(step)
            self._gate.review = self._review
        if self._spec.screenshots == "off" or not (step.commits or step.frame == "keyed"):
            return None
        shot = await self._driver.shot()
        if step.commits is not None:
            self._review_shot = self._narrator.frame(shot, step=step.id)
        return shot

    async def _act(self, step: Step, number: int, action: Action) -> None:
        before = 0
        for each in self._recipe.steps:
            if each.id == step.id:
                break
            before += len(self._actions[each.id])
        index, label = before + number + 1, describe(action)
        self.action = label
        self._narrator.emit("action.started", ActionStarted(index=index, total=self._total, label=label))
        began = asyncio.get_running_loop().time()
        await self._hands.do(action)
        ms = round((asyncio.get_running_loop().time() - began) * 1000)
        self._narrator.emit("action.completed", ActionCompleted(index=index, ms=ms))

    async def _saved(self, step: Step) -> None:
        """Wait for what proves that the portal saved the step; time at the gate does not count."""
        if step.commits is not None:
            over = self._pages.patience(NAVIGATION_S)
            while not self._gate.requested:
                if await self._pages.detect():
                    continue
                alive = await self._driver.wait(0.02)
                # Looked at again: a page that waits at the gate may answer only when its request has ended there.
                if not self._gate.requested and (not alive or over()):
                    raise RunError("UNKNOWN_PAGE", "the click did not lead to the submission")
            await self._pages.unless_gone(self._gate.opened())
            await self._gate.finished()
        await self._pages.expect(step.done.page, limit_s=NAVIGATION_S)
        if step.done.at is not None and step.done.as_ is not None:
            text = await self._driver.text(await self._pages.find(step.done.at, limit_s=NAVIGATION_S))
            found = re.search(step.done.matches or ".+", text)
            if found is None:
                raise RunError("UNKNOWN_PAGE", f"{step.done.as_} could not be read from the portal's answer")
            self._hands.out[step.done.as_] = found[0]

    async def _verify(self, step: Step) -> None:
        checks = [check for check in step.verify if self._hands.applies(check.when)]
        read: list[ReadValue] = []
        for check in checks:
            wanted, field = self._hands.render(check.equals), field_of(check.equals)
            shown = await self._pages.reads(check.at, wanted, limit_s=NAVIGATION_S)
            place = place_of(field, self._recipe) or check.equals.strip("{} ")
            read.append(ReadValue(at=place, field=field, sent=wanted, shown=shown))
            if shown != wanted:
                self._narrator.emit("read_back", ReadBack(step=step.id, values=tuple(read)))
                words = f"{place} shows {shown!r}, the record has {wanted!r}"
                said = PortalMessage(field=place, text=words, record_field=field)
                raise RunError("READ_BACK_DIFFERS", words, messages=(said,))
        if checks:
            self._narrator.emit("read_back", ReadBack(step=step.id, values=tuple(read)))
            self._narrator.emit("log", Log(level="info", text=f"read back {len(checks)} values, all as recorded"))

    def _review(self) -> Review:
        return Review(keyed=dict(self._hands.keyed), photo_count=len(self._spec.files), frame=self._review_shot)

    def _hash(self, step: Step) -> str:
        """What this step keys, apart from secrets and from what it reads on the way."""
        scope = msgspec.structs.replace(self._scope, secret={}, out={})
        templates = re.findall(r"\{\{[^}]*\}\}", msgspec.json.encode(step).decode())
        keyed = [values.render(each, scope) if values.present(each, scope) else None for each in templates]
        files = [(each.name, each.sha256) for each in self._spec.files]
        body = msgspec.json.encode([self._recipe.recipe, self._recipe.version, step.id, templates, keyed, files])
        return hashlib.sha256(body).hexdigest()[:32]

    def _result(self) -> Result:
        answer = self._gate.answer
        return Result(
            external_ref=self._spec.external_ref,
            confirmation_number=self._hands.out.get("confirmation_number"),
            submitted_at=self._gate.sent_at or datetime.now(UTC),
            keyed=dict(self._hands.keyed),
            photos=tuple(self._hands.photos),
            portal_url=self._driver.url,
            evidence={} if answer is None else {"status": answer.status, "location": answer.location},
            steps=len(self._recipe.steps),
            actions=self._total,
            duration_ms=round((asyncio.get_running_loop().time() - self._started) * 1000),
        )
