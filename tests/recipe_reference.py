"""The reference of every key of a recipe, made from the structs. `python -m tests.recipe_reference` writes it into the docs."""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from tasks.runner import recipe
from tasks.runner.target import Guard, Page, Target

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
MARK = "<!-- reference: made by python -m tests.recipe_reference -->\n"

_PARTS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("The recipe", recipe.Recipe),
    ("A step", recipe.Step),
    ("`done`", recipe.Done),
    ("`commits`", recipe.CommitRule),
    ("`verify`", recipe.Verify),
    ("A target", Target),
    ("A page condition", Page),
    ("A guard (`when` of an action)", Guard),
    ("A detector", recipe.Detector),
    ("`collect`", recipe.Collect),
    ("A field of `ask`", recipe.AskField),
    ("`lookup`", recipe.LookupRule),
)
_WORDS: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    Target: "target",
    Page: "page condition",
    Guard: "guard",
    recipe.Step: "step",
    recipe.Done: "done",
    recipe.CommitRule: "commits",
    recipe.Verify: "verify",
    recipe.Detector: "detector",
    recipe.Collect: "collect",
    recipe.Ask: "ask",
    recipe.AskField: "field",
    recipe.LookupRule: "lookup",
    recipe.FoundRule: "target with `number`, a target",
}


def reference() -> str:
    """Markdown, one table a part and one an action."""
    parts = [_table(title, struct, hidden=frozenset()) for title, struct in _PARTS]
    common = {field.encode_name for field in msgspec.structs.fields(recipe.Note)} - {"text"}
    shared = "\n".join(_rows(recipe.Note, hidden=frozenset({"text"})))
    every = f"### Every action\n\n{_HEAD}\n{shared}\n"
    actions = [
        _table(f'`do = "{struct.__struct_config__.tag}"`', struct, hidden=frozenset(common))
        for struct in typing.get_args(recipe.Action)
    ]
    return "\n".join(["## Reference\n", *parts, every, *actions])


_HEAD = "| key | takes | default |\n|---|---|---|"


def _table(title: str, struct: type[msgspec.Struct], *, hidden: frozenset[str]) -> str:
    text = inspect.getdoc(struct) or ""
    rows = "\n".join(_rows(struct, hidden=hidden))
    intro = f"{text}\n\n" if struct.__doc__ and "msgspec" not in text else ""
    return f"### {title}\n\n{intro}{_HEAD}\n{rows}\n"


def _rows(struct: type[msgspec.Struct], *, hidden: frozenset[str]) -> list[str]:
    return [
        f"| `{field.encode_name}` | {_takes(field.type)} | {_default(field)} |"
        for field in msgspec.structs.fields(struct)
        if field.encode_name not in hidden
    ]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    if field.default is msgspec.NODEFAULT or field.default in (None, (), ""):
        return "–"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _takes(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return ", ".join(f"`{each}`" for each in args)
    if origin is tuple:
        return f"list of {_takes(args[0])}"
    if origin is dict:
        return "table"
    if origin in {typing.Union, types.UnionType}:
        if set(args) == set(typing.get_args(recipe.Action)):
            return "action"
        return " or ".join(_takes(each) for each in args if each is not type(None))
    return _WORDS[kind]


def main() -> None:
    """Write the reference into the page."""
    head = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    PAGE.write_text(f"{head}{MARK}{reference()}", encoding="utf-8")


if __name__ == "__main__":
    main()
