"""Reads the text of a recipe and finds everything that is wrong with it at once, each with its line and step."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from tasks.runner import rules
from tasks.runner.lines import Path, json_lines, line_of, toml_lines
from tasks.runner.recipe import Action, CommitRule, Detector, Done, LookupRule, Recipe, Step, Verify
from tasks.runner.rules import Problem
from tasks.runner.target import Target

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<key>key in )?\$(?P<path>[^`]*)`)?", re.DOTALL)
_PART = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_AT_LINE = re.compile(r" ?\(?at line (\d+),? column \d+\)?")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as its author reads it."""

    line: int
    where: str
    message: str
    level: Literal["error", "warning"]

    def __str__(self) -> str:
        mark = "warning: " if self.level == "warning" else ""
        return f"{self.line}: {mark}{self.where}{': ' if self.where else ''}{self.message}"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe, if its text makes one, and what was found, in the order of the text."""

    recipe: Recipe | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.level == "error")


def check(text: str, *, source: str, fields: frozenset[str] | None = None) -> Checked:
    """Judge a text, TOML unless `source` ends in `.json`; `fields` are those of the form, where it is known."""
    is_json = source.endswith(".json")
    try:
        raw: object = json.loads(text) if is_json else tomllib.loads(text)
    except json.JSONDecodeError as exc:
        return Checked(recipe=None, findings=(_unreadable(exc.msg, exc.lineno),))
    except tomllib.TOMLDecodeError as exc:
        found = _AT_LINE.search(str(exc))
        line = int(found[1]) if found else text.count("\n") + 1
        return Checked(recipe=None, findings=(_unreadable(_AT_LINE.sub("", str(exc)), line),))
    lines = json_lines(text) if is_json else toml_lines(text)
    recipe: Recipe | None = None
    try:
        recipe = msgspec.convert(raw, Recipe)
        found_problems = rules.problems(recipe, fields=fields)
    except msgspec.ValidationError as exc:
        found_problems = list(_shape(raw)) or [_problem(exc, ())]
    findings = [_finding(each, raw, lines) for each in found_problems]
    return Checked(recipe=recipe, findings=tuple(sorted(findings, key=lambda each: each.line)))


def _unreadable(message: str, line: int) -> Finding:
    return Finding(line=line, where="", message=message, level="error")


_PARTS: dict[str, tuple[type[msgspec.Struct], dict[str, str]]] = {
    "done": (Done, {"url": "-"}),
    "commits": (CommitRule, {"url": "-"}),
    "skip_if": (Target, {"css": "-"}),
}
"""Parts of a step that are judged alone, and a sound one to stand in for each while the rest is judged."""


def _shape(raw: object) -> Iterator[Problem]:
    """msgspec stops at the first problem of what it converts, so each piece is converted alone."""
    if not isinstance(raw, dict):
        yield Problem(path=(), message="a recipe is a table of keys")
        return
    steps, detect, lookup = raw.get("steps"), raw.get("detect"), raw.get("lookup")
    yield from _pieces(detect, ("detect",), Detector)
    if isinstance(lookup, dict):
        yield from _pieces(lookup.get("actions"), ("lookup", "actions"), Action)
        yield from _piece(lookup | {"actions": []}, ("lookup",), LookupRule)
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        yield from _shape_of_step(step, ("steps", number))
    rest = _without(raw, "steps", "detect")
    yield from _piece(rest | ({"lookup": "none"} if isinstance(lookup, dict) else {}), (), Recipe)


def _shape_of_step(step: object, path: Path) -> Iterator[Problem]:
    if not isinstance(step, dict):
        yield from _piece(step, path, Step)
        return
    yield from _pieces(step.get("actions"), (*path, "actions"), Action)
    yield from _pieces(step.get("verify"), (*path, "verify"), Verify)
    sound = dict(step)
    for key, (shape, part) in _PARTS.items():
        if key in step:
            yield from _piece(step[key], (*path, key), shape)
            sound[key] = part
    yield from _piece(_without(sound, "actions", "verify"), path, Step)


def _without(table: dict[str, Any], *lists: str) -> dict[str, Any]:
    """The table with these lists empty, but only where they are lists: a missing or wrong one is a problem of its own."""
    return table | {key: [] for key in lists if isinstance(table.get(key), list)}


def _pieces(raw: object, path: Path, shape: Any) -> Iterator[Problem]:
    for number, each in enumerate(raw if isinstance(raw, list) else ()):
        yield from _piece(each, (*path, number), shape)


def _piece(raw: object, path: Path, shape: Any) -> Iterator[Problem]:
    try:
        msgspec.convert(raw, shape)
    except msgspec.ValidationError as exc:
        yield _problem(exc, path)


def _problem(exc: msgspec.ValidationError, path: Path) -> Problem:
    found = _PLACE.fullmatch(str(exc))
    what, inner = (found["what"], found["path"] or "") if found else (str(exc), "")
    for key, index in _PART.findall(inner):
        if key:
            path = (*path, key)
        elif index != "...":
            path = (*path, int(index))
    unknown = _UNKNOWN.search(what)
    if unknown:
        path = (*path, unknown[1])
    return Problem(path=path, message=_plain(what))


def _plain(what: str) -> str:
    """msgspec's words as a recipe's author would put them."""
    what = what.removeprefix("Object ").replace("contains unknown field", "there is no key")
    what = what.replace("missing required field", "the key is missing:")
    return what[:1].lower() + what[1:]


def _finding(problem: Problem, raw: object, lines: dict[Path, int]) -> Finding:
    return Finding(
        line=line_of(problem.path, lines), where=_where(problem.path, raw), message=problem.message, level=problem.level
    )


def _where(path: Path, raw: object) -> str:
    """The place in an author's words: `step job, action 3 (fill)`."""
    match path:
        case ("steps", int(number), *rest):
            step = _at(raw, "steps", number)
            name = step.get("id") if isinstance(step, dict) else None
            head = f"step {name or number + 1}"
        case ("lookup", *rest):
            head = "lookup"
        case ("detect", int(number), *rest):
            detector = _at(raw, "detect", number)
            code = detector.get("code") if isinstance(detector, dict) else None
            return f"detector {code or number + 1}"
        case _:
            return ""
    match rest:
        case ["actions", int(position), *_]:
            action = _at(raw, *path[: path.index("actions") + 2])
            verb = action.get("do") if isinstance(action, dict) else None
            return f"{head}, action {position + 1}" + (f" ({verb})" if isinstance(verb, str) else "")
        case ["verify", int(position), *_]:
            return f"{head}, verify {position + 1}"
        case _:
            return head


def _at(raw: object, *path: str | int) -> object:
    for key in path:
        if isinstance(raw, dict):
            raw = raw.get(key)
        elif isinstance(raw, list) and isinstance(key, int) and key < len(raw):
            raw = raw[key]
        else:
            return None
    return raw
