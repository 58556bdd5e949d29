"""JSON Schemas of the wire's types, all at once, as a description of the API needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect

Json = dict[str, Any]


class Shapes:
    """The schemas of all types at once: two of one name are told apart only when they meet."""

    def __init__(self, shapes: Sequence[Any]) -> None:
        schemas, named = msgspec.json.schema_components(
            shapes,
            ref_template="#/components/schemas/{name}",
            schema_hook=lambda _anything: {"description": "Any JSON value."},
        )
        for kind in _structs(inspect.multi_type_info(shapes), set()):
            _state_times(kind, named.get(kind.cls.__name__) or named[f"{kind.cls.__module__}.{kind.cls.__qualname__}"])
        told_apart = {name: _short(name) for name in named if "." in name}
        renamed = msgspec.json.encode([schemas, named]).decode()
        for name, short in told_apart.items():
            renamed = renamed.replace(f'/{name}"', f'/{short}"')
        schemas, named = msgspec.json.decode(renamed)
        self.components: Json = {}
        for name, schema in sorted(named.items()):
            short = told_apart.get(name, name)
            self.components[short] = {**schema, "title": short} if "title" in schema else schema
        self._schemas: dict[Any, Json] = dict(zip(shapes, schemas, strict=True))

    def ref(self, shape: Any) -> Json:
        """Where the schema of one of the types is. Raises `KeyError` for another type."""
        return self._schemas[shape]


def _short(name: str) -> str:
    """`app.review.schemas.DefectView` as `ReviewDefectView`: generators of clients take no dots."""
    rooms, _, kind = name.removeprefix("app.").rpartition(".schemas.")
    return "".join(word.capitalize() for word in rooms.split(".")) + kind


def _structs(types: Sequence[inspect.Type], seen: set[type]) -> Iterator[inspect.StructType]:
    """Every struct that the types reach."""
    for kind in types:
        if isinstance(kind, inspect.StructType):
            if kind.cls not in seen:
                seen.add(kind.cls)
                yield kind
                yield from _structs([field.type for field in kind.fields], seen)
        else:
            inner = [getattr(kind, name, None) for name in ("type", "item_type", "value_type")]
            within = [*getattr(kind, "types", ()), *getattr(kind, "item_types", ()), *inner]
            yield from _structs([each for each in within if isinstance(each, inspect.Type)], seen)


def _state_times(kind: inspect.StructType, schema: Json) -> None:
    """msgspec states the format of a time only where the type demands an offset; without it a client reads a text."""
    for field in kind.fields:
        if _is_time(field.type):
            property_ = schema["properties"][field.encode_name]
            for each in property_.get("anyOf", [property_]):
                if each.get("type") == "string":
                    each["format"] = "date-time"


def _is_time(kind: inspect.Type) -> bool:
    plain = [each for each in getattr(kind, "types", (kind,)) if not isinstance(each, inspect.NoneType)]
    return bool(plain) and all(isinstance(each, inspect.DateTimeType) for each in plain)
