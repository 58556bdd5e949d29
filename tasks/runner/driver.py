"""What a driver of a portal can do, and how it fails. Drivers act on one page at a time and know no recipe."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from tasks.engines.codes import ErrorClass, class_of
from tasks.engines.contract import PortalMessage
from tasks.runner.recipe import CommitRule
from tasks.runner.target import Target

FENCE_HEADER = "X-Asbuilt-Fence"


class RunError(Exception):
    """A run cannot go on; `code` says why in the words of the contract."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        error_class: ErrorClass | None = None,
        messages: tuple[PortalMessage, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.error_class = error_class or class_of(code)
        self.messages = messages
        self.retry_after_s = retry_after_s


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A photo on disk, ready for upload; the file's own name is the photo's."""

    name: str
    mime: str
    path: Path
    sha256: str


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """A screenshot, JPEG."""

    body: bytes
    width: int
    height: int


class PageCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A page as text; may hold secrets, so it is redacted before anything keeps it."""

    html: str
    aria: str = ""


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One cookie of a sign-in."""

    name: str
    value: str
    domain: str
    path: str = "/"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the portal answered to the irreversible request."""

    status: int
    location: str | None


Send = Callable[[dict[str, str]], Awaitable[Answer]]
"""Sends the held request once, with these extra headers, following no redirect."""

Gate = Callable[[Send], Awaitable[None]]
"""Holds the request until it may go, then sends it; raises when it may not, and nothing was sent."""


class Driver(Protocol):
    """One portal session of one run. Every call may raise `RunError`."""

    @property
    def browser(self) -> str:
        """Name of the browser, `none` for plain HTTP."""

    @property
    def url(self) -> str: ...

    @property
    def status(self) -> int | None:
        """HTTP status of the page at hand."""

    @property
    def retry_after_s(self) -> int | None: ...

    async def open(self, url: str) -> None:
        """Go to an absolute URL; the page's status is not judged here."""

    async def again(self) -> bool:
        """Load the page at hand once more; False when it came from more than reading, so that it must not be repeated."""

    async def count(self, target: Target) -> int:
        """How many elements match this one way of naming it, now."""

    async def text(self, target: Target) -> str: ...

    async def texts(self, css: str, *, attribute: str | None) -> list[PortalMessage]: ...

    async def fill(self, target: Target, value: str) -> None: ...

    async def conceal(self, target: Target) -> None:
        """From now on this field is blackened in every screenshot."""

    async def select(self, target: Target, value: str) -> None:
        """Choose by the option's text, or its value. Raises `OPTION_MISSING` at once."""

    async def check(self, target: Target) -> None: ...

    async def press(self, target: Target, key: str) -> None: ...

    async def click(self, target: Target) -> None:
        """Click and, where the driver can tell, wait for nothing more."""

    async def upload(self, target: Target, photo: Photo) -> None: ...

    async def wait(self, seconds: float) -> bool:
        """Let the page move on; False when it cannot change by itself, so that waiting is of no use.

        Raises what happened meanwhile: an unexpected dialog, a crash.
        """

    async def settle(self) -> None:
        """Let the page at hand be read to its end."""

    async def gone(self) -> RunError:
        """Returns when the page has died under the run; for as long as it lives, never."""

    async def shot(self) -> Shot | None:
        """A screenshot without passwords; None where there is none. Never raises."""

    async def copy(self) -> PageCopy | None:
        """The page at hand as text; None where it cannot be had. Never raises."""

    async def hold(self, commit: CommitRule, gate: Gate) -> None:
        """From now on the commit request goes through the gate, once; every later one is stopped."""

    async def session(self) -> tuple[Cookie, ...]:
        """The sign-in as it stands, for the next run of this account."""

    async def adopt(self, session: tuple[Cookie, ...]) -> None:
        """Take over a sign-in."""

    async def close(self) -> None: ...


def matches(pattern: str, url: str) -> bool:
    """Whether a URL matches a pattern in which `**` is anything and `*` anything but a slash."""
    return re.fullmatch(_expression(pattern), url) is not None


def commit_pattern(rule: CommitRule) -> re.Pattern[str]:
    """The addresses of the commit request; whatever its query, it must not slip past the gate."""
    return re.compile(f"^{_expression(rule.url)}([?#].*)?$")


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*)", pattern)
    return "".join({"**": ".*", "*": "[^/]*"}.get(part) or re.escape(part) for part in parts)
