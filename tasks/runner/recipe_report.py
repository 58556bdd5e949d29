"""`asbuilt recipe check`: every problem of every file in one line that an editor can jump to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

import msgspec

from tasks.runner.checking import Checked, check


def report(paths: Sequence[Path], *, form: str = "", out: TextIO) -> int:
    """Prints `file:line: step job: …`; 0 when no file has an error. `form` is the key of a shipped form, or a file."""
    wrong = 0
    fields = _fields(form) if form else None
    if form and fields is None:
        print(f"there is no form {form}", file=out)
        return 1
    for path in paths:
        try:
            checked = check(path.read_text(encoding="utf-8"), source=path.name, fields=fields)
        except (OSError, UnicodeDecodeError) as exc:
            print(f"{path}:1: cannot be read: {getattr(exc, 'strerror', None) or 'it is no text'}", file=out)
            wrong += 1
            continue
        for finding in checked.findings:
            print(f"{path}:{finding}", file=out)
        wrong += bool(checked.errors)
        if not checked.errors:
            print(_praise(path, checked), file=out)
    return 1 if wrong else 0


def _praise(path: Path, checked: Checked) -> str:
    recipe = checked.recipe
    if recipe is None:
        return f"{path}: unreadable"
    actions = sum(len(step.actions) for step in recipe.steps)
    lookup = "no look-up" if recipe.lookup == "none" else "a look-up"
    return f"{path}: {recipe.recipe} {recipe.version} is sound: {len(recipe.steps)} steps, {actions} actions, {lookup}"


def _fields(form: str) -> frozenset[str] | None:
    shipped = files("app.intake") / "forms" / f"{form}.json"
    source = shipped if shipped.is_file() else Path(form)
    if not source.is_file():
        return None
    raw: Any = msgspec.json.decode(source.read_bytes())
    return frozenset(raw["schema"]["properties"])
