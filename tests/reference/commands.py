"""Every command of `asbuilt` with its arguments, from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from app.cli import parser
from tests.reference.markdown import row, table


def sections() -> str:
    """A section for each command."""
    return "\n\n".join(_section(name, says, command) for name, says, command in commands("asbuilt", parser()))


def commands(
    name: str, above: argparse.ArgumentParser, says: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """What can be typed, with its one line."""
    below = [action for action in above._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, says, above
    for action in below:
        told = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for word, command in action.choices.items():
            yield from commands(f"{name} {word}", command, told.get(word, ""))


def _section(name: str, says: str, command: argparse.ArgumentParser) -> str:
    rows = [
        row(_typed(action), "needed" if action.required and action.nargs != "*" else "", action.help or "")
        for action in command._actions
        if not isinstance(action, argparse._HelpAction)
    ]
    heading = f"### {name}\n\n{says[:1].upper()}{says[1:]}."
    return "\n\n".join([heading, table("argument", "", "is", rows=rows)]) if rows else heading


def _typed(action: argparse.Action) -> str:
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if action.choices:
        value = "|".join(map(str, action.choices))
    return ", ".join(f"`{f'{name} {value}'.strip()}`" for name in action.option_strings or [""])
