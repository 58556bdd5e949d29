"""Who a run turns to when the portal asks for a person. Holding the run meanwhile is the asker's business, typing is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tasks.runner.driver import RunError, Shot
from tasks.runner.recipe import Ask


class Asker(Protocol):
    """Gets answers from people, or from whatever else knows them."""

    async def ask(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> Mapping[str, str]:
        """A value for the key of each of `question.blanks`. `prompt` is what the person reads, with the portal's words.

        Raises `RunError` of `code` when nobody answered in time; all that is returned counts as a secret.
        """


class Nobody:
    """There is no one to ask: the run ends with the code of the question."""

    async def ask(self, question: Ask, *, prompt: str, code: str, shot: Shot | None) -> Mapping[str, str]:
        del question, shot
        raise RunError(code, prompt)
