"""How a recipe names what is on a page: targets, conditions on the page, and guards on the record's values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import msgspec

Role = Literal[
    "button", "checkbox", "combobox", "dialog", "heading", "link", "menuitem", "option", "radio", "tab", "textbox"
]
_TEMPLATED = ("label", "name", "testid", "text")


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something on a page, named in exactly one way; `any` lists ways in order, a later one that hits is drift."""

    label: str | None = None
    role: Role | None = None
    name: str | None = None
    testid: str | None = None
    text: str | None = None
    css: str | None = None
    any: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        ways = [self.label, self.role, self.testid, self.text, self.css, self.any or None]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("a target needs exactly one of label, role, testid, text, css, any")
        if (self.role is None) != (self.name is None):
            raise ValueError("role and name go together")
        if [way for way in self.any if way.any]:
            raise ValueError("any cannot stand within any")

    @property
    def ways(self) -> tuple[Target, ...]:
        return self.any or (self,)

    def describe(self) -> str:
        """A person's words for it."""
        first = self.ways[0]
        if first.role is not None:
            return f"{first.role} “{first.name}”"
        return first.label or first.text or first.testid or first.css or "?"

    @property
    def title(self) -> str:
        """The name the page itself gives it, as a key for what was keyed there."""
        return self.ways[0].name or self.describe()

    def rendered(self, render: Callable[[str], str]) -> Target:
        """The same with its values put in; CSS takes none, since a value could break out of it."""
        if not self.templates():
            return self
        return msgspec.structs.replace(
            self,
            any=tuple(way.rendered(render) for way in self.any),
            **{name: render(text) for name in _TEMPLATED if (text := getattr(self, name)) is not None},
        )

    def templates(self) -> list[str]:
        """All its texts with values in them."""
        texts = [getattr(way, name) for way in self.ways for name in _TEMPLATED]
        return [text for text in texts if text is not None and "{{" in text]


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on the page at hand: exactly one of url, status (`503`, `"500-599"`), css and at.

    `text` narrows `css` to elements that hold it; on its own it would match what the record itself says.
    """

    url: str | None = None
    status: int | str | None = None
    css: str | None = None
    text: str | None = None
    at: Target | None = None

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.url, self.status, self.css, self.at)) != 1:
            raise ValueError("a page condition needs exactly one of url, status, css, at")
        if self.text is not None and self.css is None:
            raise ValueError("text needs a css beside it")
        if isinstance(self.status, str) and not re.fullmatch(r"[1-5]\d\d(-[1-5]\d\d)?", self.status):
            raise ValueError("a status is 503 or a range like 500-599")

    def has_status(self, status: int | None) -> bool:
        """Whether an HTTP status is this one, or in this range."""
        if status is None or self.status is None:
            return False
        if isinstance(self.status, int):
            return status == self.status
        low, _, high = self.status.partition("-")
        return int(low) <= status <= int(high or low)


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an action is for this record: a value is present, or equals, or is one of some."""

    present: str | None = None
    value: str | None = None
    equals: str | None = None
    one_of: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        compares = (self.equals is not None) + (self.one_of is not None)
        if (self.present is not None) + compares != 1 or (self.value is not None) != bool(compares):
            raise ValueError("a guard is {present} or {value, equals} or {value, one_of}")


def drifted(target: Target, used: Target) -> str:
    """What an operator reads when `target` was found only by its way `used`: button “Save” is now “Continue”."""
    first = target.ways[0]
    if first.role is not None and first.role == used.role:
        return f"{first.role} “{first.name}” is now “{used.name}”"
    return f"{_words(first)} is now {_words(used)}"


def _words(way: Target) -> str:
    if way.label is not None:
        return f"field “{way.label}”"
    return way.describe() if way.text is None else f"“{way.text}”"
