"""Which part of which page is made by what. A part stands between `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.core import catalogue as problems
from app.intake.rules import catalogue as rules
from app.metrics import catalogue as metrics
from tests.reference import commands, database, http, life, settings, stream

Maker = Callable[[], str]
MADE: Final[Mapping[str, Mapping[str, Maker]]] = MappingProxyType(
    {
        "settings.md": {"settings": settings.tables},
        "commands.md": {"commands": commands.sections},
        "http.md": {"everywhere": http.everywhere, "routes": http.tables},
        "events.md": {"shapes": stream.tables},
        "job-life-cycle.md": {"states": life.states},
        "sql.md": {"views": database.views, "functions": database.functions},
        "errors.md": {"table": problems.table},
        "rules.md": {"rules": rules.table},
        "metrics.md": {"system": metrics.table},
    }
)


def render(name: str, page: str) -> str:
    """The page with its made parts as they should be. Raises `ValueError` for a page without the place of one."""
    for part, make in MADE[name].items():
        begin, end = f"<!-- {part} -->\n", f"<!-- /{part} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"docs/{name} has no place for {part}: {begin}{end}")
        page = f"{before}{begin}{make()}\n{end}{after}"
    return page
