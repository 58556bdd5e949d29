"""The form itself, or the rows of one repeat: its questions, and which of them an answer makes required."""

from __future__ import annotations

from app.intake.strict_json import Json
from app.intake.xlsform.expressions import Condition, Unsupported


class Level:
    """Groups share the level they stand in; `when` is what their conditions add."""

    def __init__(self, *, path: str, when: Condition) -> None:
        self.path = path
        self.when = when
        self.properties: dict[str, Json] = {}
        self._items: dict[str, Json] = {}
        self._required: list[Json] = []
        self._conditions: list[Json] = []

    def within(self, when: Condition) -> Level:
        """The same questions, seen from inside of a group."""
        below = Level(path=self.path, when=when)
        below.properties, below._items = self.properties, self._items
        below._required, below._conditions = self._required, self._conditions
        return below

    def add(self, name: str, schema: dict[str, Json], *, required: bool, when: Condition) -> None:
        """Raises `Unsupported` for a name that is taken."""
        if name in self.properties:
            raise Unsupported(f"the name {name!r} is used twice; groups do not keep names apart here")
        self.properties[name] = schema
        if required and when:
            self._conditions.append({"if": _holds(when), "then": {"required": [name]}})
            self._items["allOf"] = self._conditions
        elif required:
            self._required.append(name)

    def settled(self, when: Condition) -> Condition:
        """The condition in the words of the questions above it.

        Raises `Unsupported` unless each stands above, on this level, has one answer, and may have the one named.
        """
        return {field: [self._answer(field, value) for value in values] for field, values in when.items()}

    def _answer(self, field: str, value: Json) -> Json:
        schema = self.properties.get(field)
        if not isinstance(schema, dict):
            raise Unsupported(f"the condition is on {field!r}, which is no question above on the same level")
        if schema.get("type") == "array":
            raise Unsupported(f"the condition is on {field!r}, which may have several answers")
        options = schema.get("enum")
        if not isinstance(options, list):
            return value
        # The names of choices are texts, also where a condition writes a number.
        if str(value) not in options:
            raise Unsupported(f"the condition is on {field!r}, which has no choice {value!r}")
        return str(value)

    def schema(self) -> dict[str, Json]:
        schema: dict[str, Json] = {"type": "object", "required": self._required, "properties": self.properties}
        return schema | ({"allOf": self._conditions} if self._conditions else {})

    def table(self, *, title: str) -> dict[str, Json]:
        """The repeat as a list; its rows fill up while its questions are read."""
        self._items |= {"type": "object", "required": self._required, "properties": self.properties}
        return {"title": title, "type": "array", "items": self._items}


def _holds(when: Condition) -> dict[str, Json]:
    answers: dict[str, Json] = {field: {"enum": list(values)} for field, values in when.items()}
    return {"properties": answers, "required": list(when)}
