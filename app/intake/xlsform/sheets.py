"""The rows of an XLSForm as pyxform reads them, each with its number, once pyxform itself finds nothing wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

MISSING = "Importing forms needs pyxform: install asbuilt[forms]."
_ROW = re.compile(r"^\[row : (\d+)\] (.*)$", re.DOTALL)
_SHEET = re.compile(r"On the '(\w+)' sheet, ")
# Names of columns that mean the same; the rest of the known ones have one name only.
_SAME = {
    "list name": "list_name",
    "value": "name",
    "caption": "label",
    "relevance": "relevant",
    "calculate": "calculation",
    "bind::calculate": "calculation",
    "bind::relevant": "relevant",
    "bind::required": "required",
    "bind::constraint": "constraint",
    "bind::readonly": "read_only",
    "readonly": "read_only",
    "jr:count": "repeat_count",
    "count": "repeat_count",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be taken over, and where it stands; row 1 holds the headings."""

    sheet: str
    row: int | None
    message: str

    def __str__(self) -> str:
        at = f", row {self.row}" if self.row else ""
        return f"{self.sheet}{at}: {self.message}"


class XlsFormProblem(Exception):
    """The workbook cannot become a form; every reason is in `findings`."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One filled row. `cells` by the plain name of the column, empty ones left out."""

    number: int
    cells: dict[str, str]

    def get(self, column: str) -> str:
        return self.cells.get(column, "")


class Workbook(msgspec.Struct, frozen=True, kw_only=True):
    """The three sheets that make a form, and the names of the filled ones that are left over."""

    survey: list[Row]
    choices: list[Row]
    settings: dict[str, str]
    others: list[str]


def read(path: Path) -> Workbook:
    """Raises `XlsFormProblem` for what is no XLSForm, or one that pyxform refuses."""
    if find_spec("pyxform") is None:
        raise XlsFormProblem([Finding(sheet="workbook", row=None, message=MISSING)])
    from pyxform.errors import PyXFormError  # noqa: PLC0415 an extra, loaded when it is needed
    from pyxform.xls2json_backends import get_xlsform  # noqa: PLC0415
    from pyxform.xls2xform import convert  # noqa: PLC0415

    raw = path.read_bytes()
    kind = path.suffix.lower()
    try:
        convert(xlsform=raw, validate=False, form_name="data", file_type=kind)
        found = get_xlsform(raw, file_type=kind)
    except PyXFormError as exc:
        raise XlsFormProblem([_said(str(exc))]) from exc
    except Exception as exc:
        # openpyxl and zipfile have no common class for "this is no workbook".
        reason = f"it cannot be read as an XLSForm ({type(exc).__name__})"
        raise XlsFormProblem([Finding(sheet="workbook", row=None, message=reason)]) from exc
    settings = next(_rows(found.settings), None)
    extra = {"external_choices": found.external_choices, "entities": found.entities, "osm": found.osm}
    return Workbook(
        survey=list(_rows(found.survey)),
        choices=list(_rows(found.choices)),
        settings=settings.cells if settings else {},
        others=[name for name, rows in extra.items() if rows],
    )


def _rows(found: list[dict[str, str]] | None) -> Iterator[Row]:
    # pyxform keeps an empty dict for a blank row, so that the place in the list is the row's number.
    for number, cells in enumerate(found or [], start=2):
        filled = {_column(name): str(cell).strip() for name, cell in cells.items() if name and str(cell).strip()}
        if filled:
            yield Row(number=number, cells=filled)


def _column(heading: str) -> str:
    name = " ".join(heading.strip().lower().split())
    return _SAME.get(name, name)


def _said(text: str) -> Finding:
    numbered = _ROW.match(text)
    message = " ".join((numbered[2] if numbered else text).split())
    sheet = _SHEET.search(message)
    return Finding(
        sheet=sheet[1] if sheet else "survey",
        row=int(numbered[1]) if numbered else None,
        message=message,
    )
