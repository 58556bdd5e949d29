"""Strict reading of JSON from strangers: bytes to plain values, or `MalformedRequest` that says where.

Refuses what Postgres' jsonb would refuse or silently change (NUL, lone surrogates, NaN, 1e400, duplicate keys),
and what would exhaust the parser. It never knows what the document means.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias, cast

from app.core.errors import MalformedRequest, TooLarge

if TYPE_CHECKING:
    Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
else:
    Json = object  # msgspec cannot read a recursive alias; what `read` returns has been checked already

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_VALUES = 2_000
MAX_STRING = 10_000
MAX_DIGITS = 100

_BOM = b"\xef\xbb\xbf"
# The closing quote is optional: without that an unterminated string costs quadratic time.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class _Bad:
    """Marks a place in the tree that must be refused, so that the walk can say where it stands."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read(raw: bytes, *, max_bytes: int = MAX_BYTES) -> Json:
    """Parse one JSON text; a leading BOM is dropped.

    Raises `TooLarge` above `max_bytes`, else `MalformedRequest` with a JSON Pointer or a byte offset.
    """
    if len(raw) > max_bytes:
        detail = f"The record is {len(raw)} bytes long; {max_bytes} are allowed."
        raise TooLarge(detail, limits={"record_bytes": max_bytes})
    raw = raw.removeprefix(_BOM)
    _refuse_deep(raw)
    try:
        tree: object = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=lambda name: _Bad(f"{name} is not a JSON number"),
            parse_int=_integer,
        )
    except UnicodeDecodeError as exc:
        raise MalformedRequest(f"Byte {exc.start} is not valid UTF-8.") from exc
    except json.JSONDecodeError as exc:
        raise MalformedRequest(f"Not JSON at character {exc.pos}: {exc.msg}.") from exc
    _refuse_unstorable(tree)
    return cast("Json", tree)


def pointer(*path: str | int) -> str:
    """JSON Pointer (RFC 6901) of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _refuse_deep(raw: bytes) -> None:
    # Before the parser, because deep nesting ends it with RecursionError.
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedRequest(f"The JSON is nested more than {MAX_DEPTH} levels deep.")


def _pairs(pairs: list[tuple[str, object]]) -> object:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Bad(f"The member {key[:60]!r} appears twice")
        seen.add(key)
    return members


def _integer(digits: str) -> int | _Bad:
    # Python itself refuses to convert more than 4300 digits, with a plain ValueError.
    return int(digits) if len(digits) <= MAX_DIGITS else _Bad("The number is too long")


def _refuse_unstorable(tree: object) -> None:
    for count, (path, value) in enumerate(_walk(tree)):
        if count >= MAX_VALUES:
            raise MalformedRequest(f"The record has more than {MAX_VALUES} values.")
        reason = _reason(value)
        if reason:
            raise MalformedRequest(f"{reason}.", pointer=_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", pointer(*path)))


def _walk(tree: object) -> Iterator[tuple[tuple[str | int, ...], object]]:
    stack: list[tuple[tuple[str | int, ...], object]] = [((), tree)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            stack.extend(((*path, key), member) for key, member in reversed(members.items()))
        elif isinstance(value, list):
            items = cast("list[object]", value)
            stack.extend(((*path, index), items[index]) for index in range(len(items) - 1, -1, -1))


def _reason(value: object) -> str | None:
    if isinstance(value, _Bad):
        return value.reason
    if isinstance(value, float) and not math.isfinite(value):
        return "The number is too large"
    if isinstance(value, str):
        return _text_reason(value)
    if isinstance(value, dict):
        return next(filter(None, map(_text_reason, cast("dict[str, object]", value))), None)
    return None


def _text_reason(text: str) -> str | None:
    if len(text) > MAX_STRING:
        return f"A text is longer than {MAX_STRING} characters"
    unstorable = _UNSTORABLE.search(text)
    if unstorable is None:
        return None
    return "A text contains the NUL character" if unstorable[0] == "\x00" else "A text contains a lone surrogate"
