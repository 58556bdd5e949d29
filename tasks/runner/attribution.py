"""Whose field a portal's message is about: the record's, found by the action that keyed it. It never guesses."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from tasks.engines.contract import PortalMessage
from tasks.runner.recipe import Fill, Recipe, Select

_FIELD = re.compile(r"\{\{\s*form\.(\w+)")


def attributed(messages: Iterable[PortalMessage], recipe: Recipe) -> tuple[PortalMessage, ...]:
    """Each message with the record's field, where the portal names it as we do, or names the label that we keyed it at."""
    keyed = _keyed(recipe)
    return tuple(msgspec.structs.replace(each, record_field=_field(each, keyed)) for each in messages)


def field_of(template: str) -> str | None:
    """The record's field that a recipe's value is made of."""
    found = _FIELD.search(template)
    return None if found is None else found[1]


def place_of(field: str | None, recipe: Recipe) -> str | None:
    """The portal's name of where a field of the record is keyed, as `keyed` has it."""
    actions = (action for step in recipe.steps for action in step.actions if isinstance(action, Fill | Select))
    return next((action.at.title for action in actions if field and field_of(action.value) == field), None)


def _keyed(recipe: Recipe) -> dict[str, str]:
    """Labels of the portal to fields of the record, longest label first: one may begin with another."""
    found: dict[str, str] = {}
    for step in recipe.steps:
        for action in step.actions:
            if not isinstance(action, Fill | Select):
                continue
            field = field_of(action.value)
            for way in action.at.ways:
                if field is not None and way.label is not None:
                    found[way.label] = field
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _field(message: PortalMessage, keyed: dict[str, str]) -> str | None:
    if message.field in keyed.values():
        return message.field
    text = message.text.casefold()
    return next(
        (field for label, field in keyed.items() if re.match(rf"{re.escape(label.casefold())}(?!\w)", text)), None
    )
