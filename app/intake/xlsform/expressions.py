"""The part of XLSForm's XPath that a form definition can say: bounds, patterns and lengths, and "is one of"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from app.intake.strict_json import Json

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_BOUND = re.compile(rf"\.\s*(>=|<=|>|<)\s*{_NUMBER}")
_TURNED = re.compile(rf"{_NUMBER}\s*(>=|<=|>|<)\s*\.")
_LENGTH = re.compile(r"string-length\(\s*\.\s*\)\s*(>=|<=|>|<|=)\s*(\d+)")
_REGEX = re.compile(r"""regex\(\s*\.\s*,\s*(?:'([^']*)'|"([^"]*)")\s*\)""")
_REFERENCE = r"\$\{\s*([\w.-]+)\s*\}"
_EQUAL = re.compile(rf"""{_REFERENCE}\s*=\s*(?:'([^']*)'|"([^"]*)"|{_NUMBER})""")
_SELECTED = re.compile(rf"""selected\(\s*{_REFERENCE}\s*,\s*(?:'([^']*)'|"([^"]*)")\s*\)""")
_MIRROR = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
_BOUNDS = {">=": "minimum", "<=": "maximum", ">": "exclusiveMinimum", "<": "exclusiveMaximum"}

Condition = dict[str, list[Json]]
Limit = TypeVar("Limit", float, Json)


class Unsupported(ValueError):
    """The expression says more than a form definition can."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """JSON Schema keywords of a constraint: those on a number, and those on a text."""

    number: dict[str, float]
    text: dict[str, Json]


def constraint(text: str) -> Limits:
    """Clauses joined by `and`. Raises `Unsupported`."""
    number: dict[str, float] = {}
    words: dict[str, Json] = {}
    for clause in _split(text, "and"):
        if match := _BOUND.fullmatch(clause):
            _once(number, _BOUNDS[match[1]], _figure(match[2]))
        elif match := _TURNED.fullmatch(clause):
            _once(number, _BOUNDS[_MIRROR[match[2]]], _figure(match[1]))
        elif match := _LENGTH.fullmatch(clause):
            for keyword, length in _lengths(match[1], int(match[2])):
                _once(words, keyword, length)
        elif match := _REGEX.fullmatch(clause):
            # regex() of XForms matches the whole text, JSON Schema's `pattern` any part of it.
            _once(words, "pattern", f"^(?:{match[1] if match[1] is not None else match[2]})$")
        else:
            raise Unsupported(f"the constraint {clause!r} is neither a bound, a length nor a regex() on the answer")
    return Limits(number=number, text=words)


def relevant(text: str) -> Condition:
    """Which answers make a question apply: fields joined by `and`, the answers of one field by `or`.

    Raises `Unsupported`.
    """
    condition: Condition = {}
    for clause in _split(text, "and"):
        answers = [_answer(option) for option in _split(clause, "or")]
        fields = {field for field, _ in answers}
        if len(fields) > 1:
            raise Unsupported(f"the condition {clause!r} joins different questions by 'or'")
        merge(condition, {answers[0][0]: [value for _, value in answers]})
    return condition


def merge(into: Condition, more: Condition) -> None:
    """Both must hold. Raises `Unsupported` when both speak of one question."""
    for field, values in more.items():
        if field in into:
            raise Unsupported(f"two conditions on the question {field!r} cannot be joined")
        into[field] = values


def _answer(clause: str) -> tuple[str, Json]:
    if match := _EQUAL.fullmatch(clause):
        field, single, double, figure = match.groups()
        return field, _figure(figure) if figure is not None else single if single is not None else double
    if match := _SELECTED.fullmatch(clause):
        field, single, double = match.groups()
        return field, single if single is not None else double
    raise Unsupported(f"the condition {clause!r} is not of the form ${{question}} = 'answer'")


def _lengths(sign: str, length: int) -> Iterator[tuple[str, int]]:
    if sign in (">=", ">", "="):
        yield "minLength", length + (sign == ">")
    if sign in ("<=", "<", "="):
        yield "maxLength", length - (sign == "<")


def _once(into: dict[str, Limit], keyword: str, value: Limit) -> None:
    if keyword in into:
        raise Unsupported("the constraint sets the same limit twice")
    into[keyword] = value


def _figure(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _split(text: str, word: str) -> list[str]:
    """The parts between the word, outside of quotes and brackets; brackets around a whole part are dropped."""
    text = _bare(text)
    parts, start = [], 0
    for match, depth in _marks(text, rf"(?<![\w.-]){word}(?![\w.-])"):
        if depth == 0 and match[0] == word:
            parts.append(text[start : match.start()])
            start = match.end()
    return [_bare(part) for part in [*parts, text[start:]]]


def _bare(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    return next((match.end() == len(text) for match, depth in _marks(text) if depth == 0), False)


def _marks(text: str, *words: str) -> Iterator[tuple[re.Match[str], int]]:
    """The brackets and words outside of quotes, each with how many brackets are open after it."""
    depth, quote = 0, ""
    for match in re.finditer("|".join((r"""['"()]""", *words)), text):
        found = match[0]
        if quote:
            quote = "" if found == quote else quote
        elif found in "'\"":
            quote = found
        else:
            depth += {"(": 1, ")": -1}.get(found, 0)
            yield match, depth
