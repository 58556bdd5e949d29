"""Which way of naming an element is used, and when that is told as a change of the portal."""

from __future__ import annotations

from typing import Any, cast

from tasks.runner.pages import Pages
from tasks.runner.target import Target

LABEL, CSS = Target(label="Job ticket"), Target(css="[data-field=ticket] input")
TICKET = Target(any=(LABEL, CSS))


class Drawing:
    """A page that changes under the questions: what is there at each of them; the last stays."""

    def __init__(self, *moments: set[Target]) -> None:
        self.moments = list(moments)
        self.told: list[str] = []

    async def count(self, target: Target) -> int:
        return int(target in (self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]))

    def emit(self, kind: str, drift: Any) -> None:
        self.told.append(f"{kind}: {drift.used}")


async def found(*moments: set[Target]) -> tuple[Target, list[str]]:
    page = Drawing(*moments)
    pages = Pages(cast("Any", page), cast("Any", None), cast("Any", page), hosts=cast("Any", None))
    return await pages.find(TICKET, limit_s=1), page.told


async def test_the_first_way_is_no_drift() -> None:
    assert await found({LABEL, CSS}) == (LABEL, [])


async def test_a_later_way_is_told() -> None:
    assert await found({CSS}) == (CSS, [f"drift: {CSS.describe()}"])


async def test_a_page_that_is_drawn_between_two_questions_has_not_drifted() -> None:
    assert await found(set(), {LABEL, CSS}) == (LABEL, [])
