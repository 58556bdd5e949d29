"""Every setting with its unit, default and meaning, from the one class that reads them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.core import settings
from app.core.settings import Settings, variable
from tests.reference.markdown import row, table

ELSEWHERE = frozenset({"bucket"})
"""No variable of its own: `ASBUILT_BLOBS` names a bucket or a directory."""
_FIELDS = frozenset(Settings.__struct_fields__)
_SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def tables() -> str:
    """A table for each group; a comment in the class is the heading of the fields below it."""
    return "\n\n".join(
        f"### {title}\n\n{table('variable', 'takes', 'default', 'is', rows=rows)}" for title, rows in _groups()
    )


def _groups() -> Iterator[tuple[str, list[str]]]:
    source = inspect.getsource(settings)
    body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "Settings").body
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    lines = source.splitlines()
    title, rows = "", list[str]()
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        above = lines[node.lineno - 2].strip()
        if above.startswith("# "):
            if rows:
                yield title, rows
            title, rows = above.removeprefix("# "), []
        if node.target.id not in ELSEWHERE:
            rows.append(_row(fields[node.target.id], _docstring(after)))
    yield title, rows


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return inspect.cleandoc(str(node.value.value))
    return ""


def _row(field: msgspec.structs.FieldInfo, says: str) -> str:
    # Docstrings name fields and pages as code does.
    says = re.sub(r"`(\w+)`", lambda found: f"`{variable(found[1])}`" if found[1] in _FIELDS else found[0], says)
    says = re.sub(r"docs/([\w-]+)\.md", r"[\1](\1.md)", says)
    return row(f"`{variable(field.name)}`", _takes(field), _default(field), says)


def _takes(field: msgspec.structs.FieldInfo) -> str:
    name, kind = field.name, field.type
    if kind is bool:
        return "`1` or `0`"
    if kind is Path:
        return "path"
    if kind == tuple[str, ...]:
        return "list, with commas"
    if kind is str:
        return "URL" if name == "url" or name.endswith("_url") else "text"
    for ending, unit in (
        ("_per_s", "number a second"),
        ("_per_min", "number a minute"),
        ("_s", "seconds"),
        ("_bytes", "bytes"),
        ("_pixels", "pixels"),
    ):
        if name.endswith(ending):
            return unit
    return "number"


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default
    if value in ("", (), Path()):
        return "–"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, int | float) and value == int(value):
        value = int(value)
        for size, unit in _SIZES if field.name.endswith("_bytes") else ():
            if value >= size and value % size == 0:
                return f"`{value}` ({value // size} {unit})"
    return f"`{value}`"
