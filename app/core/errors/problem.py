"""What all problems share: the members of their answers, and where their words come from.

A class is vocabulary: its `code`, `status` and `retry` are stable, the first line of its docstring is the title on the wire
(RFC 9457). What follows there is for whoever meets the problem: it stands on its page and in `docs/errors.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec

Retry = Literal["never", "same", "after", "fix"]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One finding inside a refused document; `pointer` is a JSON Pointer."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """Something went wrong.

    A fault of ours. The answer's `instance` names the request in our log.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "same"

    def __init__(
        self,
        detail: str = "",
        *,
        pointer: str | None = None,
        limits: Mapping[str, int] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or self.title())
        self.detail = detail or self.title()
        self.limits = limits
        self.retry_after_s = retry_after_s
        self.of_content = False
        """All bytes of a resumable upload came, and it is they that are refused."""
        self.errors = [] if pointer is None else [FieldError(pointer=pointer, code=self.code, message=self.detail)]

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or cls.code).strip().splitlines()[0]

    @classmethod
    def note(cls) -> str:
        """What else there is to know, in one or two sentences; empty for a variant of another class with its code."""
        _, _, rest = (cls.__doc__ or "").strip().partition("\n")
        return " ".join(rest.split())
