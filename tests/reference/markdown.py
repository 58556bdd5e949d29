"""Tables of the docs."""

from __future__ import annotations


def row(*cells: object) -> str:
    """A line of a table; what would end a cell is written so that it does not."""
    return "| " + " | ".join(str(cell).replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def table(*head: str, rows: list[str]) -> str:
    return "\n".join([row(*head), "|" + "---|" * len(head), *rows])
