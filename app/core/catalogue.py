"""All problems as people read them: a page for each `type` URI, and the table of `docs/errors.md`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.core import errors
from app.core.errors import Problem, Retry

ADVICE: Final[Mapping[Retry, str]] = MappingProxyType(
    {
        "never": "The same request will be refused again: stop, and show the answer.",
        "same": "Send the identical request again.",
        "after": "Send the identical request again after the seconds in the header Retry-After.",
        "fix": "A person has to put something right first; then send it again.",
    }
)
"""What a client does next, by the member `retry`."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as it is explained; `retries` are the words it may come with."""

    code: str
    status: int
    title: str
    retries: tuple[Retry, ...]
    note: str


def entries() -> list[Entry]:
    """Every problem by status and code."""
    found: dict[str, list[type[Problem]]] = {}
    for kind in kinds():
        found.setdefault(kind.code, []).append(kind)
    return [
        Entry(
            code=code,
            status=variants[0].status,
            title=variants[0].title(),
            retries=tuple(dict.fromkeys(kind.retry for kind in variants)),
            note=variants[0].note(),
        )
        for code, variants in found.items()
    ]


def table() -> str:
    """The problems as a table in Markdown."""
    rows = [
        f"| `{each.code}` | {each.status} | {' · '.join(each.retries)} | {each.title} {each.note} |"
        for each in entries()
    ]
    return "\n".join(["| code | status | retry | what it means |", "|---|---|---|---|", *rows])


def kinds() -> list[type[Problem]]:
    """Every class of problem, by status and code; of those with one code, the one that explains it first."""
    here = vars(errors).values()
    found = [kind for kind in here if isinstance(kind, type) and issubclass(kind, Problem)]
    return sorted(found, key=lambda kind: (kind.status, kind.code, not kind.note()))
