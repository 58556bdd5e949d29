"""The recipes a service has: those of the package, and a customer's own from a folder; unsound ones are refused whole."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tasks.runner.checking import check
from tasks.runner.recipe import Recipe

SUFFIXES = (".toml", ".json")


class RecipeProblem(ValueError):
    """A recipe cannot be used; `problems` has one sentence for each thing to mend."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__(f"recipe {source}: " + "; ".join(problems))
        self.problems = problems


class Recipes:
    """The recipes a service has, by name and version."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        self._by_name: dict[str, list[Recipe]] = {}
        for recipe in sorted(recipes, key=lambda each: each.version):
            versions = self._by_name.setdefault(recipe.recipe, [])
            if versions and versions[-1].version == recipe.version:
                raise RecipeProblem(recipe.recipe, [f"version {recipe.version} is there twice"])
            versions.append(recipe)

    def get(self, name: str, version: int | None = None) -> Recipe | None:
        """The recipe of that version, the newest when `version` is None."""
        versions = self._by_name.get(name, [])
        return next((each for each in reversed(versions) if version in {None, each.version}), None)

    def for_portal(self, portal: str) -> Recipe | None:
        """The newest recipe of a portal, for look-ups."""
        return next((versions[-1] for versions in self._by_name.values() if versions[-1].portal == portal), None)

    @property
    def names(self) -> dict[str, tuple[int, ...]]:
        """Every recipe with its versions, oldest first."""
        return {name: tuple(each.version for each in versions) for name, versions in sorted(self._by_name.items())}

    @property
    def portals(self) -> tuple[str, ...]:
        return tuple(sorted({each.portal for versions in self._by_name.values() for each in versions}))


def shipped() -> Recipes:
    """The recipes that come with the package."""
    return Recipes(_read(files("tasks.runner") / "recipes"))


def available(folder: Path) -> Recipes:
    """The shipped recipes and those of `folder`, where the setting names one. Raises `RecipeProblem`."""
    own = _read(folder) if folder.name else []
    return Recipes([*_read(files("tasks.runner") / "recipes"), *own])


def load(path: Path) -> Recipe:
    """The recipe of a file; raises `RecipeProblem`."""
    return parse(path.read_text(encoding="utf-8"), source=path.name)


def parse(text: str, *, source: str) -> Recipe:
    """A recipe from TOML, or from JSON when `source` ends so; raises `RecipeProblem` with all that is wrong with it."""
    checked = check(text, source=source)
    if checked.recipe is None or checked.errors:
        raise RecipeProblem(source, [str(each) for each in checked.errors])
    return checked.recipe


def _read(folder: Traversable) -> list[Recipe]:
    if not folder.is_dir():
        raise RecipeProblem(str(folder), ["there is no such folder"])
    sources = sorted((each for each in folder.iterdir() if each.name.endswith(SUFFIXES)), key=lambda each: each.name)
    recipes, problems = [], []
    for each in sources:
        try:
            recipes.append(parse(each.read_text(encoding="utf-8"), source=each.name))
        except RecipeProblem as exc:
            problems.append(str(exc))
    if problems:
        raise RecipeProblem(str(folder), problems)
    return recipes
