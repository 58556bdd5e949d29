"""The views and functions of schema `ops`, from `sql/`: the very texts that `\\d+` and `\\df+` show.

Tests compare those files with a migrated database, and refuse what has no comment.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tests.reference.markdown import row, table
from tests.reference.places import ROOT

_SQL = ROOT / "sql"
_COLUMN = re.compile(r"^view ops\.(\w+): (\w+) (.+)$", re.MULTILINE)
_TOLD = re.compile(r"comment on (view|column|function) ops\.([\w.]+)(?:\([^)]*\))? is\s+'((?:[^']|'')*)'")
_FUNCTION = re.compile(r"create (?:or replace )?function (ops\.\w+)(\(.*?\))\s+returns (.*?)\s+language", re.DOTALL)
_RAISES = re.compile(r"Raises (.*?)\.(?:\s|$)", re.DOTALL)
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "character varying(128)": "text",
    "integer": "int",
}


def views() -> str:
    """A section for each view, with its columns."""
    told = _told("views")
    columns: dict[str, list[str]] = defaultdict(list)
    for view, column, kind in _COLUMN.findall((_SQL / "schema.sql").read_text(encoding="utf-8")):
        columns[view].append(row(f"`{column}`", _SHORT.get(kind, kind), told.get(("column", f"{view}.{column}"), "")))
    return "\n\n".join(
        f"### ops.{view}\n\n{told['view', view]}\n\n{table('column', 'type', 'is', rows=rows)}"
        for view, rows in sorted(columns.items())
    )


def functions() -> str:
    """A section for each function: how it is called, what it does, what it refuses."""
    told = _told("functions")
    return "\n\n".join(
        "\n\n".join(
            part
            for part in (f"### {name}", f"```\n{name}{given} → {gives}\n```", told["function", name[4:]], refuses)
            if part
        )
        for name, given, gives, refuses in sorted(_functions())
    )


def _functions() -> Iterator[tuple[str, str, str, str]]:
    for path in (_SQL / "functions").glob("ops_*.sql"):
        text = path.read_text(encoding="utf-8")
        head = " ".join(
            line.removeprefix("--").strip()
            for line in text[: text.index("create")].splitlines()
            if line.startswith("--")
        )
        raises = _RAISES.search(head)
        for name, given, gives in _FUNCTION.findall(text):
            yield name, _flat(given), _flat(gives), f"Refuses with {raises[1]}." if raises else ""


def _told(folder: str) -> dict[tuple[str, str], str]:
    """What the comments say, by kind and name."""
    texts = (path.read_text(encoding="utf-8") for path in (_SQL / folder).glob("*.sql"))
    return {(kind, name): said.replace("''", "'") for text in texts for kind, name, said in _TOLD.findall(text)}


def _flat(text: str) -> str:
    return " ".join(text.split())
