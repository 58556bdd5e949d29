"""The value language of recipes: `{{form.x|filter:argument}}`. It looks up and formats; it never computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, get_args

import msgspec

Space = Literal["form", "job", "out", "secret", "files"]
SPACES: frozenset[str] = frozenset(get_args(Space))
FILTERS = frozenset({"date", "upper", "max", "map", "rows"})

_REFERENCE = re.compile(r"\{\{(.*?)\}\}")
_NAME = re.compile(r"(?P<space>[a-z]+)\.(?P<key>[A-Za-z_][A-Za-z0-9_]*)")


class ValueProblem(ValueError):
    """A template is malformed: the recipe's fault, found when it is loaded."""


class ValueMissing(LookupError):
    """The record has no such value, or one that cannot be written into a field."""


class Reference(msgspec.Struct, frozen=True):
    """One `{{…}}`: where the value comes from, and its filters with their arguments."""

    space: str
    key: str
    filters: tuple[tuple[str, str], ...] = ()


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """All that a template may name. `secret` stays out of every event, log and hash."""

    form: Mapping[str, object] = {}
    job: Mapping[str, object] = {}
    out: Mapping[str, object] = {}
    secret: Mapping[str, object] = {}
    files: Mapping[str, object] = {}
    maps: Mapping[str, Mapping[str, str]] = {}

    def space(self, name: str) -> Mapping[str, object]:
        spaces = {"form": self.form, "job": self.job, "out": self.out, "secret": self.secret, "files": self.files}
        return spaces[name]


def references(template: str) -> list[Reference]:
    """The references of a template, in order; raises `ValueProblem` for a malformed one."""
    return [_reference(match[1]) for match in _REFERENCE.finditer(template)]


def render(template: str, scope: Scope) -> str:
    """The template with every reference replaced; raises `ValueMissing`."""
    return _REFERENCE.sub(lambda match: _resolve(_reference(match[1]), scope), template)


def present(template: str, scope: Scope) -> bool:
    """Whether every reference has a value that is not empty."""
    try:
        return render(template, scope) != ""
    except ValueMissing:
        return False


def check(template: str, *, maps: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with a template, as sentences; empty when it is sound."""
    try:
        found = references(template)
    except ValueProblem as exc:
        return [str(exc)]
    return [
        f"there is no map {argument!r}"
        for reference in found
        for name, argument in reference.filters
        if name == "map" and argument not in maps
    ]


def _reference(text: str) -> Reference:
    head, *rest = text.split("|")
    match = _NAME.fullmatch(head.strip())
    if match is None or match["space"] not in SPACES:
        raise ValueProblem(f"{{{{{text}}}}} is not one of {', '.join(f'{s}.name' for s in sorted(SPACES))}")
    filters = tuple((name.strip(), argument) for name, _, argument in (part.partition(":") for part in rest))
    for name, argument in filters:
        if name not in FILTERS:
            raise ValueProblem(f"{{{{{text}}}}}: there is no filter {name!r}")
        if name == "max" and not argument.isdigit():
            raise ValueProblem(f"{{{{{text}}}}}: max needs a number")
    return Reference(match["space"], match["key"], filters)


def _resolve(reference: Reference, scope: Scope) -> str:
    name = f"{reference.space}.{reference.key}"
    value = scope.space(reference.space).get(reference.key)
    if value is None:
        raise ValueMissing(f"there is no value for {name}")
    for filter_name, argument in reference.filters:
        value = _apply(filter_name, argument, value, name=name, scope=scope)
    return _text(value, name=name)


def _apply(filter_name: str, argument: str, value: object, *, name: str, scope: Scope) -> str:
    if filter_name == "rows":
        return _rows(value, argument.split(","), name=name)
    text = _text(value, name=name)
    if filter_name == "upper":
        return text.upper()
    if filter_name == "max":
        return text[: int(argument)]
    if filter_name == "map":
        table = scope.maps[argument]
        if text not in table:
            raise ValueMissing(f"{text!r} of {name} is not in the map {argument}")
        return table[text]
    return _moment(text, name=name).strftime(argument)


def _rows(value: object, columns: list[str], *, name: str) -> str:
    """A list of objects as lines of text, `tube, fibre, loss`."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueMissing(f"{name} is not a list of rows")
    return "\n".join(", ".join(_text(row.get(column, "–"), name=name) for column in columns) for row in value)


def _moment(text: str, *, name: str) -> datetime | date:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueMissing(f"{text!r} of {name} is not a date") from None


def _text(value: object, *, name: str) -> str:
    """A portal's field takes text: 45.0 is keyed as 45, a list or an object cannot be keyed at all."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueMissing(f"{name} is {type(value).__name__}, not a single value")
