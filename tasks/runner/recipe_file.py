"""Reads recipes from TOML and refuses unsound ones, with every problem named; nothing is checked later, at run time."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec

from tasks.engines.codes import CLASS_OF
from tasks.runner import values
from tasks.runner.recipe import Action, Extract, Fill, Goto, Recipe, Select, Step, Upload


class RecipeProblem(ValueError):
    """A recipe cannot be used; `problems` has one sentence for each thing to mend."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__(f"recipe {source}: " + "; ".join(problems))
        self.problems = problems


class Recipes:
    """The recipes a service has, by name and version."""

    def __init__(self, recipes: list[Recipe]) -> None:
        self._by_name: dict[str, list[Recipe]] = {}
        for recipe in sorted(recipes, key=lambda each: each.version):
            self._by_name.setdefault(recipe.recipe, []).append(recipe)

    def get(self, name: str, version: int | None = None) -> Recipe | None:
        """The recipe of that version, the newest when `version` is None."""
        versions = self._by_name.get(name, [])
        return next((each for each in reversed(versions) if version in {None, each.version}), None)

    def for_portal(self, portal: str) -> Recipe | None:
        """The newest recipe of a portal, for look-ups."""
        return next((versions[-1] for versions in self._by_name.values() if versions[-1].portal == portal), None)

    @property
    def portals(self) -> tuple[str, ...]:
        return tuple(sorted({each.portal for versions in self._by_name.values() for each in versions}))


def shipped() -> Recipes:
    """The recipes that come with the package."""
    folder = files("tasks.runner") / "recipes"
    sources = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return Recipes([parse(each.read_text(encoding="utf-8"), source=each.name) for each in sources])


def load(path: Path) -> Recipe:
    """The recipe of a file; raises `RecipeProblem`."""
    return parse(path.read_text(encoding="utf-8"), source=path.name)


def parse(text: str, *, source: str) -> Recipe:
    """A recipe from TOML; raises `RecipeProblem` with all that is wrong with it."""
    try:
        recipe = msgspec.convert(tomllib.loads(text), Recipe)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise RecipeProblem(source, [str(exc)]) from exc
    if problems := list(_problems(recipe)):
        raise RecipeProblem(source, problems)
    return recipe


def _problems(recipe: Recipe) -> Iterator[str]:
    ids = [step.id for step in recipe.steps]
    yield from (f"step {each!r} is there twice" for each in sorted({each for each in ids if ids.count(each) > 1}))
    yield from (
        f"detector {each.code!r} needs a class of its own"
        for each in recipe.detect
        if each.code not in CLASS_OF and each.error_class is None
    )
    committing = [step for step in recipe.steps if step.commits]
    if len(committing) != 1 or recipe.steps[-1] is not committing[0]:
        yield "exactly one step commits, and it is the last"
    maps = frozenset(recipe.maps)
    for step in recipe.steps:
        yield from (f"step {step.id!r}: {each}" for each in _step_problems(step, maps))
    if recipe.lookup != "none":
        for action in recipe.lookup.actions:
            yield from (f"lookup: {each}" for each in _action_problems(action, maps))


def _step_problems(step: Step, maps: frozenset[str]) -> Iterator[str]:
    if step.commits and any(isinstance(action, Upload) for action in step.actions):
        # A held multipart request may have lost its file content: photos belong on an earlier page.
        yield "an upload cannot stand in the step that commits"
    if step.commits and step.done.as_ != "confirmation_number":
        yield 'the step that commits must keep its number: done = {at, as = "confirmation_number", matches}'
    for template in [step.open or "", *(each.equals for each in step.verify)]:
        yield from _template_problems(template, maps, secrets=False)
    for action in step.actions:
        yield from _action_problems(action, maps)


def _action_problems(action: Action, maps: frozenset[str]) -> Iterator[str]:
    match action:
        case Goto(url=template) | Select(value=template):
            yield from _template_problems(template, maps, secrets=False)
        case Fill(value=template, sensitive=sensitive):
            yield from _template_problems(template, maps, secrets=True)
            if "secret." in template and not sensitive:
                yield f"{template}: a secret needs sensitive = true"
        case Extract(pattern=pattern):
            try:
                groups = re.compile(pattern).groups
            except re.error as exc:
                yield f"{pattern}: {exc}"
            else:
                if groups != 1:
                    yield f"{pattern}: a pattern needs exactly one group"
        case _:
            pass
    if action.when is not None:
        yield from _template_problems(action.when.present or action.when.value or "", maps, secrets=False)


def _template_problems(template: str, maps: frozenset[str], *, secrets: bool) -> Iterator[str]:
    problems = values.check(template, maps=maps)
    yield from problems
    if not secrets and not problems and any(each.space == "secret" for each in values.references(template)):
        yield f"{template}: secrets may only be filled in"
