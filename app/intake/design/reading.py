"""A design's file, whatever it is: its content decides, not its name."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.intake.design import features, table
from app.intake.design.assets import Asset, Flaw, gather

_BOM = b"\xef\xbb\xbf"
_OTHERS: Final = {
    b"PK\x03\x04": "a workbook: save it as “CSV UTF-8”",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
}


def read(path: Path) -> list[Asset]:
    """All assets of the file. Raises `DesignRefused`, or `OSError` for one that cannot be read."""
    with path.open("rb") as file:
        return gather(_found(file))


def _found(file: io.BufferedReader) -> Iterator[Asset | Flaw]:
    # Looked at, not read: a pipe cannot be wound back.
    begins = file.peek(64)
    for mark, what in _OTHERS.items():
        if begins.startswith(mark):
            yield Flaw(line=1, message=f"this is {what}")
            return
    if begins.removeprefix(_BOM).lstrip().startswith(b"{"):
        yield from features.read(file.read().removeprefix(_BOM))
    else:
        with io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
            yield from table.read(text)
