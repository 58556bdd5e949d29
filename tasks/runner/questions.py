"""The questions of one run: held open for a person's answer, or answered from the account's authenticator.

Answers go to the page and to the run's redactor, nowhere else.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from tasks.engines.events import InputField, InputReceived, InputRequired, Log
from tasks.runner.driver import RunError, Shot
from tasks.runner.recipe import Ask
from tasks.runner.refusals import InputAnswered, InputExpired, InputInvalid, InputUnknown
from tasks.runner.totp import Authenticator

_ANSWER_CHARS = 2000


class Asking(Protocol):
    """The run that asks."""

    def emit(self, kind: str, data: msgspec.Struct) -> None: ...

    def frame(self, shot: Shot | None, *, step: str) -> str | None: ...

    def held(self) -> AbstractContextManager[None]:
        """The run's deadline stands still meanwhile."""

    def learn(self, secret: str) -> None:
        """From now on this text is kept out of all that is told."""

    @property
    def step_id(self) -> str: ...


class _Open(msgspec.Struct, frozen=True):
    question: Ask
    answer: asyncio.Future[dict[str, str]]


class Questions:
    """`patience_s` is what a person has when the recipe does not say; `totp_secret` answers one-time codes, if there is one."""

    def __init__(self, run: Asking, *, patience_s: float, totp_secret: str = "") -> None:
        self._run = run
        self._patience_s = patience_s
        self._authenticator = Authenticator(totp_secret)
        self._by_id: dict[str, _Open] = {}

    def answer(self, input_id: str, values: Mapping[str, str]) -> None:
        """Give the answer to a question. Raises `InputUnknown`, `InputAnswered`, `InputExpired`, `InputInvalid`."""
        asked = self._by_id.get(input_id)
        if asked is None:
            raise InputUnknown(f"the run has not asked {input_id[:40]!r}")
        if asked.answer.cancelled():
            raise InputExpired
        if asked.answer.done():
            raise InputAnswered
        _check(asked.question, values)
        if asked.question.secret:
            for value in values.values():
                self._run.learn(value)
        asked.answer.set_result(dict(values))
        self._run.emit("input.received", InputReceived(id=input_id))

    async def ask(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> Mapping[str, str]:
        """The answers by the keys of the question's blanks. Raises `RunError` of `code` when none came in time."""
        if question.kind == "otp" and self._authenticator.ready:
            return await self._from_authenticator(question)
        return await self._from_person(question, prompt=prompt, code=code, shot=shot)

    async def _from_authenticator(self, question: Ask) -> dict[str, str]:
        code = await self._authenticator.code()
        self._run.learn(code)
        self._run.emit("log", Log(level="info", text="The one-time code came from the account's authenticator secret"))
        return {blank.key: code for blank in question.blanks}

    async def _from_person(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> dict[str, str]:
        input_id = f"inp_{secrets.token_hex(8)}"
        patience_s = question.timeout or self._patience_s
        answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._by_id[input_id] = _Open(question, answer)
        with self._run.held():
            self._run.emit(
                "input.required",
                InputRequired(
                    id=input_id,
                    kind=question.kind,
                    prompt=prompt,
                    fields=_fields(question),
                    expires_at=datetime.now(UTC) + timedelta(seconds=patience_s),
                    frame=self._run.frame(shot, step=self._run.step_id),
                ),
            )
            try:
                return await asyncio.wait_for(answer, patience_s)
            except TimeoutError:
                # Unless a detector or the recipe says otherwise, nobody having come is a matter for people.
                raise RunError(
                    code, f"nobody answered in {patience_s:g} s: {prompt}", error_class="needs_human"
                ) from None


class Unattended:
    """For look-ups, which no person follows: only an authenticator's secret can answer, and only for one-time codes."""

    def __init__(self, totp_secret: str) -> None:
        self._authenticator = Authenticator(totp_secret)

    async def ask(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> Mapping[str, str]:
        """Raises `RunError` of `code` for all else."""
        del shot
        if question.kind != "otp" or not self._authenticator.ready:
            raise RunError(code, prompt)
        answer = await self._authenticator.code()
        return {blank.key: answer for blank in question.blanks}


def _fields(question: Ask) -> tuple[InputField, ...]:
    return tuple(
        InputField(key=each.key, label=each.label, type=each.type, options=each.options) for each in question.blanks
    )


def _check(question: Ask, values: Mapping[str, str]) -> None:
    """Raises `InputInvalid`, which names fields and never what was typed."""
    wanted = {blank.key: blank for blank in question.blanks}
    problems = [f"{key} is not asked for" for key in values if key not in wanted]
    for key, blank in wanted.items():
        value = values.get(key, "")
        if not value.strip():
            problems.append(f"{key} is needed")
        elif len(value) > _ANSWER_CHARS:
            problems.append(f"{key} is longer than {_ANSWER_CHARS} characters")
        elif blank.options and value not in blank.options:
            problems.append(f"{key} is none of the options")
    if problems:
        raise InputInvalid("; ".join(problems))
