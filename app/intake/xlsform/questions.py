"""The types of XLSForm questions that become a value in `fields`, as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from app.intake.strict_json import Json
from app.intake.xlsform.expressions import Unsupported
from app.intake.xlsform.sheets import Row

IGNORED = frozenset(
    {"note", "start", "end", "today", "deviceid", "username", "email", "phonenumber", "simserial", "subscriberid",
     "start-geopoint", "audit", "background-audio"}
)  # fmt: skip
"""What the record says by itself, or what is only read by the crew."""
_PLAIN: Mapping[str, dict[str, Json]] = {
    "text": {"type": "string"},
    "string": {"type": "string"},
    "barcode": {"type": "string"},
    "hidden": {"type": "string"},
    "integer": {"type": "integer"},
    "int": {"type": "integer"},
    "decimal": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "datetime": {"type": "string", "format": "date-time"},
    "acknowledge": {"const": True},
    "trigger": {"const": True},
    "range": {"type": "number"},
}
_SELECT = re.compile(r"(select[_ ]one|select[_ ]multiple)\s+(\S+)(\s+or[_ ]other)?", re.IGNORECASE)
_PARAMETER = re.compile(r"(\w+)\s*=\s*([^\s;,]+)")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the type alone says."""

    schema: dict[str, Json]
    is_number: bool
    is_text: bool


def question(row: Row, *, choices: Mapping[str, list[tuple[str, str]]]) -> Question:
    """Raises `Unsupported` for a type that a form definition does not know."""
    kind = row.get("type")
    if match := _SELECT.fullmatch(kind):
        return _select(match, choices)
    schema = _PLAIN.get(kind.lower())
    if schema is None:
        raise Unsupported(f"the type {kind!r} is not supported")
    if kind.lower() == "range":
        schema = schema | _ends(row)
    return Question(
        schema=dict(schema),
        is_number=schema.get("type") in ("integer", "number"),
        is_text=schema == _PLAIN["text"],
    )


def _select(match: re.Match[str], choices: Mapping[str, list[tuple[str, str]]]) -> Question:
    if match[3]:
        raise Unsupported("'or_other' is not supported; add the choice and a text question")
    listed = choices.get(match[2])
    if not listed:
        raise Unsupported(f"there is no list of choices {match[2]!r}")
    options: dict[str, Json] = {"enum": [name for name, _ in listed]}
    if any(name != label for name, label in listed):
        options["enumNames"] = [label for _, label in listed]
    if "multiple" in match[1].lower():
        options = {"type": "array", "uniqueItems": True, "items": options}
    return Question(schema=options, is_number=False, is_text=False)


def _ends(row: Row) -> dict[str, Json]:
    given = dict(_PARAMETER.findall(row.get("parameters")))
    try:
        ends: dict[str, Json] = {"minimum": float(given.get("start", 0)), "maximum": float(given.get("end", 10))}
    except ValueError:
        raise Unsupported("the parameters of the range are no numbers") from None
    return ends
