"""What makes a well-formed recipe unsound: each rule looks at the whole and names the place of what breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from tasks.engines.codes import CLASS_OF
from tasks.runner import dom, values
from tasks.runner.lines import Path
from tasks.runner.recipe import Action, Ask, Extract, Fill, Goto, Recipe, Select, Step, Upload
from tasks.runner.target import Guard, Target

_BUILT_IN = {"job": frozenset({"external_ref", "record_id"}), "files": frozenset({"count", "names"})}
_OF_EVERY_RECORD = frozenset({"asset", "lat", "lon", "captured_at", "form"})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend, and where it stands; a warning is allowed to stay."""

    path: Path
    message: str
    level: Literal["error", "warning"] = "error"


def problems(recipe: Recipe, *, fields: frozenset[str] | None = None) -> list[Problem]:
    """Everything that is wrong; `fields` are those of the form that the recipe keys, None where it is not known."""
    return [problem for rule in _RULES for problem in rule(recipe)] + list(_unknown_fields(recipe, fields))


def _ids(recipe: Recipe) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, step in enumerate(recipe.steps):
        if step.id in seen:
            yield Problem(path=("steps", number, "id"), message=f"step {step.id!r} is there twice")
        seen.add(step.id)


def _detectors(recipe: Recipe) -> Iterator[Problem]:
    for number, each in enumerate(recipe.detect):
        path: Path = ("detect", number)
        if each.code not in CLASS_OF and each.error_class is None:
            yield Problem(path=path, message=f"detector {each.code!r} needs a class of its own")
        if any(each.when == earlier.when for earlier in recipe.detect[:number]):
            message = f"detector {each.code!r} is never reached: an earlier one has the same condition"
            yield Problem(path=path, message=message, level="warning")


def _commit(recipe: Recipe) -> Iterator[Problem]:
    committing = [number for number, step in enumerate(recipe.steps) if step.commits]
    if not committing:
        yield Problem(path=("steps", len(recipe.steps) - 1), message="exactly one step commits, and it is the last")
    for number in committing[1:]:
        yield Problem(path=("steps", number, "commits"), message="exactly one step commits, and it is the last")
    for number, step in enumerate(recipe.steps):
        if committing and number > committing[0]:
            yield Problem(path=("steps", number), message=f"step {step.id!r} is never reached: the one before commits")
        if not step.commits:
            continue
        for position, action in enumerate(step.actions):
            if isinstance(action, Upload):
                # A held multipart request may have lost its file content: photos belong on an earlier page.
                message = "an upload cannot stand in the step that commits"
                yield Problem(path=("steps", number, "actions", position), message=message)
        if step.done.as_ != "confirmation_number":
            message = 'the step that commits must keep its number: done = {at, as = "confirmation_number", matches}'
            yield Problem(path=("steps", number, "done"), message=message)
        if not step.verify:
            message = "nothing is read back before the commit: verify what the portal's review page shows"
            yield Problem(path=("steps", number), message=message, level="warning")


def _lookup(recipe: Recipe) -> Iterator[Problem]:
    if recipe.lookup == "none":
        message = (
            "without a look-up a submission whose answer is lost cannot be proven: a person will be asked each time"
        )
        yield Problem(path=("lookup",), message=message, level="warning")


def _dialogs(recipe: Recipe) -> Iterator[Problem]:
    if recipe.dialogs == "accept":
        message = "every question of the page is answered with yes, whatever it says"
        yield Problem(path=("dialogs",), message=message, level="warning")


def _entrances(recipe: Recipe) -> Iterator[Problem]:
    """A later attempt enters at the first step that is not confirmed."""
    first = True
    for number, step in enumerate(recipe.steps):
        if step.session:
            if step.skip_if is None:
                message = "a step with session = true needs skip_if: later runs find themselves signed in"
                yield Problem(path=("steps", number), message=message)
            continue
        if not first and step.open is None and not (step.actions and isinstance(step.actions[0], Goto)):
            message = "a later attempt cannot enter this step: give it open, or a goto as its first action"
            yield Problem(path=("steps", number), message=message)
        first = False


def _templates(recipe: Recipe) -> Iterator[Problem]:
    maps = frozenset(recipe.maps)
    for path, template, may_be_secret in texts(recipe):
        found = values.check(template, maps=maps)
        yield from (Problem(path=path, message=each) for each in found)
        if found:
            continue
        for reference in values.references(template):
            if reference.space == "secret" and not may_be_secret:
                yield Problem(path=path, message=f"{template}: secrets may only be filled in")
            known = _BUILT_IN.get(reference.space)
            if known is not None and reference.key not in known:
                message = f"{template}: {reference.space} has only {', '.join(sorted(known))}"
                yield Problem(path=path, message=message)
            if path[0] == "lookup" and reference.space in {"form", "out", "files"}:
                message = f"{template}: a look-up knows only job.external_ref and secrets"
                yield Problem(path=path, message=message)


def _outputs(recipe: Recipe) -> Iterator[Problem]:
    """`{{out.x}}` must have been read by then; `open` is also used by an attempt that plays this step first."""
    known: set[str] = set()
    for number, step in enumerate(recipe.steps):
        before = set(known)
        for path, template, _ in _texts_of_step(step, ("steps", number)):
            position = path[3] if len(path) > 3 and path[2] == "actions" else None
            if isinstance(position, int):
                earlier = {each.as_ for each in step.actions[:position] if isinstance(each, Extract)}
            else:
                earlier = set() if path[2] == "open" else {e.as_ for e in step.actions if isinstance(e, Extract)}
            yield from (
                Problem(path=path, message=f"{template}: nothing has read out.{reference.key} by then")
                for reference in _references(template)
                if reference.space == "out" and reference.key not in before | earlier
            )
        known |= {each.as_ for each in step.actions if isinstance(each, Extract)}


def _fills(recipe: Recipe) -> Iterator[Problem]:
    for path, action in actions(recipe):
        match action:
            case Fill(value=template, sensitive=False) if "secret." in template:
                yield Problem(path=(*path, "value"), message=f"{template}: a secret needs sensitive = true")
            case Extract(pattern=pattern):
                yield from (Problem(path=(*path, "pattern"), message=each) for each in _pattern_problems(pattern))
            case Ask() if len({each.key for each in action.blanks}) < len(action.blanks):
                yield Problem(path=path, message="two fields of the question have the same key")
            case _:
                pass
        if action.timeout is not None and action.timeout <= 0:
            yield Problem(path=(*path, "timeout"), message="a timeout is above zero")


def _selectors(recipe: Recipe) -> Iterator[Problem]:
    """Without `needs = "browser"` the recipe must also run over plain HTTP, whose driver knows simple selectors only."""
    if recipe.needs == "browser":
        return
    for path, css in _css(msgspec.to_builtins(recipe), ()):
        try:
            dom.understands(css)
        except ValueError as exc:
            yield Problem(path=path, message=f'{exc}; with needs = "browser" Chromium would')


def _unknown_fields(recipe: Recipe, fields: frozenset[str] | None) -> Iterator[Problem]:
    if fields is None:
        return
    for path, template, _ in texts(recipe):
        yield from (
            Problem(path=path, message=f"{template}: the form has no field {reference.key!r}")
            for reference in _references(template)
            if reference.space == "form" and reference.key not in fields | _OF_EVERY_RECORD
        )


_RULES: tuple[Callable[[Recipe], Iterator[Problem]], ...] = (
    _ids,
    _detectors,
    _commit,
    _lookup,
    _dialogs,
    _entrances,
    _templates,
    _outputs,
    _fills,
    _selectors,
)


def actions(recipe: Recipe) -> Iterator[tuple[Path, Action]]:
    """Every action with its place, those of the look-up too."""
    for number, step in enumerate(recipe.steps):
        yield from ((("steps", number, "actions", position), each) for position, each in enumerate(step.actions))
    if recipe.lookup != "none":
        yield from ((("lookup", "actions", position), each) for position, each in enumerate(recipe.lookup.actions))


def texts(recipe: Recipe) -> Iterator[tuple[Path, str, bool]]:
    """Every text that may hold values: its place, itself, and whether a secret may stand in it."""
    for number, step in enumerate(recipe.steps):
        yield from _texts_of_step(step, ("steps", number))
    if recipe.lookup != "none":
        for position, action in enumerate(recipe.lookup.actions):
            yield from _texts_of(action, ("lookup", "actions", position))


def _texts_of_step(step: Step, path: Path) -> Iterator[tuple[Path, str, bool]]:
    if step.open is not None:
        yield (*path, "open"), step.open, False
    for number, check in enumerate(step.verify):
        yield (*path, "verify", number, "equals"), check.equals, False
        yield from _texts_of_guard(check.when, (*path, "verify", number))
    for position, action in enumerate(step.actions):
        yield from _texts_of(action, (*path, "actions", position))


def _texts_of(action: Action, path: Path) -> Iterator[tuple[Path, str, bool]]:
    match action:
        case Goto(url=template):
            yield (*path, "url"), template, False
        case Fill(value=template):
            yield (*path, "value"), template, True
        case Select(value=template):
            yield (*path, "value"), template, False
        case _:
            pass
    at = getattr(action, "at", None)
    if isinstance(at, Target):
        yield from (((*path, "at"), template, False) for template in at.templates())
    yield from _texts_of_guard(action.when, path)


def _texts_of_guard(guard: Guard | None, path: Path) -> Iterator[tuple[Path, str, bool]]:
    if guard is not None:
        yield (*path, "when"), guard.present or guard.value or "", False


def _references(template: str) -> list[values.Reference]:
    try:
        return values.references(template)
    except values.ValueProblem:
        return []


def _pattern_problems(pattern: str) -> Iterator[str]:
    try:
        groups = re.compile(pattern).groups
    except re.error as exc:
        yield f"{pattern}: {exc}"
    else:
        if groups != 1:
            yield f"{pattern}: a pattern needs exactly one group"


def _css(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in {"css", "each_done"} and isinstance(each, str):
                yield (*path, key), each
            else:
                yield from _css(each, (*path, key))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _css(each, (*path, number))
