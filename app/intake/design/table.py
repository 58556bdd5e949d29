"""A design as CSV: a header, then an asset a line. UTF-8, with or without BOM; comma, semicolon or tab.

The header decides which of them: it is the one that makes `asset` a column. Nothing is guessed from the rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final, TextIO

import msgspec

from app.intake.design.assets import BETWEEN, KNOWN, LIST, Asset, Flaw, judge, plant, steps
from app.intake.strict_json import Json

DELIMITERS: Final = (",", ";", "\t")
MAX_COLUMNS = 200
MAX_LINE = 1_000_000
"""Characters. A file without line ends would otherwise be read whole, as one line."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"(-?(?:0|[1-9]\d*)),(\d+)")
_EXACT_DIGITS = 15
"""A double holds so many; a longer run of digits is a name, not a quantity."""
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


class _Column(msgspec.Struct, frozen=True, kw_only=True):
    """`known` is a name with a meaning of its own; else the cell goes to `path` of the planned values."""

    name: str
    known: str | None = None
    path: list[str] = []


class _Lines:
    """The physical lines of a file, each looked at before it is parsed; what is wrong with one is in `flaws`."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0
        self.flaws: list[Flaw] = []

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(MAX_LINE):
            self.number += 1
            if len(line) == MAX_LINE:
                raise csv.Error(f"it is longer than {MAX_LINE:,} characters")
            if found := _UNREADABLE.search(line):
                what = "it holds a NUL character" if found[0] == "\0" else "it is not UTF-8"
                self.flaws.append(Flaw(line=self.number, message=f"{what}, at character {found.start() + 1}"))
            yield line


def read(file: TextIO) -> Iterator[Asset | Flaw]:
    """The assets of a CSV file that is opened with `newline=""` and `errors="surrogateescape"`."""
    lines = _Lines(file)
    begins = 1
    try:
        head = next(iter(lines), "")
        if head.startswith("sep="):
            head = next(iter(lines), "")
        begins = max(lines.number, 1)
        delimiter = _delimiter(head)
        found = list(_columns(next(csv.reader([head], delimiter=delimiter, strict=True), []), begins))
        flaws = [each for each in found if isinstance(each, Flaw)] + lines.flaws
        yield from flaws
        if flaws:
            return
        columns = [each for each in found if isinstance(each, _Column)]
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        begins = lines.number + 1
        for cells in reader:
            if lines.flaws:
                yield from lines.flaws
                lines.flaws.clear()
            elif any(map(str.strip, cells)):
                yield from _row(begins, columns, cells, delimiter)
            begins = lines.number + 1
    except csv.Error as exc:
        # What follows cannot be told apart any more: a quote that is not closed takes in every line behind it.
        yield from lines.flaws
        yield Flaw(line=begins, message=f"it cannot be read, nor what follows: {exc}")


def _delimiter(head: str) -> str:
    for each in DELIMITERS:
        if "asset" in (cell.strip().casefold() for cell in next(csv.reader([head], delimiter=each), [])):
            return each
    return DELIMITERS[0]


def _columns(names: list[str], line: int) -> Iterator[_Column | Flaw]:
    names = [name.strip() for name in names]
    while names and not names[-1]:
        names.pop()
    known = [KNOWN[name.casefold()] for name in names if name.casefold() in KNOWN]
    wrong = [f"there is no column {name}" for name in ("asset",) if name not in known]
    wrong += [f"there are two columns for {name}" for name in dict.fromkeys(known) if known.count(name) > 1]
    wrong += [f"lat and lon go together: there is no column {name}" for name in _alone(known)]
    if len(names) > MAX_COLUMNS:
        wrong = [f"there are {len(names)} columns; {MAX_COLUMNS} are allowed"]
    yield from (Flaw(line=line, message=message) for message in wrong)
    planned: dict[str, Json] = {}
    for place, name in enumerate(names, 1):
        if name.casefold() in KNOWN:
            yield _Column(name=name, known=KNOWN[name.casefold()])
            continue
        try:
            path = steps(name)
            plant(planned, path, None)
        except ValueError as exc:
            yield Flaw(line=line, message=f"column {place}: {exc}" if name else f"column {place} has no name")
        else:
            yield _Column(name=name, path=path)


def _alone(known: list[str]) -> Iterator[str]:
    if ("lat" in known) != ("lon" in known):
        yield "lon" if "lat" in known else "lat"


def _row(line: int, columns: list[_Column], cells: list[str], delimiter: str) -> Iterator[Asset | Flaw]:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        yield Flaw(line=line, message=f"it has {len(cells)} cells where the header has {len(columns)}")
        return
    known: dict[str, Json] = {}
    expected: dict[str, Json] = {}
    for column, text in zip(columns, map(str.strip, cells), strict=True):
        if not text:
            continue
        if column.known in ("asset", "kind"):
            known[column.known] = text
        elif column.known:
            known[column.known] = _value(text, delimiter)
        elif column.name.endswith(LIST):
            plant(expected, column.path, [_value(each.strip(), delimiter) for each in text.split(BETWEEN)])
        else:
            plant(expected, column.path, _value(text, delimiter))
    yield from judge(line, known, expected)


def _value(text: str, delimiter: str) -> Json:
    """A number or truth if it is written as one, else the text: `007` and a serial of twenty digits are texts."""
    if delimiter == ";":
        # Where the comma parts decimals, spreadsheets part the cells by semicolons.
        text = _DECIMAL_COMMA.sub(r"\1.\2", text) if _DECIMAL_COMMA.fullmatch(text) else text
    if _NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _EXACT_DIGITS:
        return float(text) if "." in text else int(text)
    return {"true": True, "false": False}.get(text.casefold(), text)
