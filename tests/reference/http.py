"""Every route with what it does and refuses, from `docs/openapi.json`."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import msgspec

from app.core.catalogue import entries
from tests.reference.markdown import row, table
from tests.reference.places import DOCS

Json = dict[str, Any]


def everywhere() -> str:
    """The problems that most operations may answer with, or most of those that are sent something."""
    usual = _usual()
    rows = [
        row(f"`{each.code}`", each.status, usual[each.code], each.title) for each in entries() if each.code in usual
    ]
    return table("code", "status", "from", "means", rows=rows)


def tables() -> str:
    """A table for each tag."""
    usual = _usual()
    found: dict[str, list[str]] = defaultdict(list)
    for path, method, operation in _operations():
        own = [code for code in _codes(operation) if code not in usual]
        answers = ", ".join(status for status in operation["responses"] if status < "400")
        refuses = ", ".join(f"`{code}`" for code in own)
        found[operation["tags"][0]].append(row(f"`{method} {path}`", operation["summary"], answers, refuses))
    return "\n\n".join(
        f"### {tag}\n\n{table('route', 'does', 'answers', 'refuses, besides those above', rows=rows)}"
        for tag, rows in sorted(found.items())
    )


def _operations() -> list[tuple[str, str, Json]]:
    document: Json = msgspec.json.decode((DOCS / "openapi.json").read_bytes())
    return [
        (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _codes(operation: Json) -> list[str]:
    """Codes of the problems, in the order of their statuses."""
    named = [
        name.rpartition("-")[0]
        for answer in operation["responses"].values()
        for name in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    ]
    return list(dict.fromkeys(named))


def _usual() -> dict[str, str]:
    """Codes that more than half of them share, and who these are."""
    every = [operation for *_, operation in _operations()]
    sent = [operation for _, method, operation in _operations() if method not in {"GET", "HEAD"}]
    return _shared(sent, "those that are sent something") | _shared(every, "all")


def _shared(operations: list[Json], who: str) -> dict[str, str]:
    counted = Counter(code for operation in operations for code in _codes(operation))
    return {code: who for code, times in counted.items() if times > len(operations) / 2}
