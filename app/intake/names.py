"""Names of photos: how a name from a phone becomes the one we store, and which names collide.

A name is data only; no path on disk is ever made from it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from app.core.errors import MalformedRequest, PhotoConflict

MAX_NAME = 120
_PLAIN = frozenset("._ -")


def clean(name: str, *, pointer: str | None = None) -> str:
    """The stored form: NFC, and every character that is no letter, digit or one of `._ -` becomes `_`.

    The same name always gives the same result, so a part or a URL finds its manifest entry.
    Raises `MalformedRequest` for what no honest client sends: paths, control characters, hidden or over-long names.
    """
    name = unicodedata.normalize("NFC", name).strip(" ")
    problem = _problem(name)
    if problem:
        raise MalformedRequest(f"The photo name {name[:40]!r} {problem}.", pointer=pointer)
    return "".join(char if _allowed(char) else "_" for char in name)


def refuse_twins(names: Iterable[str]) -> None:
    """Raise `PhotoConflict` when two clean names are equal but for upper and lower case."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.casefold(), name)
        if twin is not name:
            raise PhotoConflict(f"Two photos share the name {name!r} (upper and lower case are the same).")


def _problem(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    if "/" in name or "\\" in name:
        return "contains a path"
    if name.startswith("."):
        return "starts with a dot"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "contains a control character"
    return None


def _allowed(char: str) -> bool:
    # Marks belong to letters: after NFC many scripts still need them.
    return char in _PLAIN or unicodedata.category(char)[0] in "LM" or unicodedata.category(char) == "Nd"
