"""The system's figures, as rows."""

from __future__ import annotations

import msgspec

from sql import load


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """`labels` are values, in the order of the catalogue's names."""

    figure: str
    labels: list[str]
    value: float


FIGURES = load("metrics").many("figures", FigureRow)
