"""Rows of an XLSForm to a form definition: questions to JSON Schema, pictures to shots, bounds with a unit to measures.

What a form definition cannot say is refused with its sheet and row, all of it at once.
"""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import msgspec

from app.intake.form_defs import FormDef, Measure, Shot
from app.intake.form_rules import Thresholds
from app.intake.strict_json import Json
from app.intake.xlsform import expressions, sheets
from app.intake.xlsform.expressions import Condition, Unsupported
from app.intake.xlsform.level import Level
from app.intake.xlsform.questions import IGNORED, question
from app.intake.xlsform.sheets import Finding, Row, XlsFormProblem

# What these say has no counterpart; the other columns only concern how a question looks.
_REFUSED = {
    "calculation": "calculated values are not supported",
    "choice_filter": "cascading choices are not supported",
    "repeat_count": "a fixed count of repeats is not supported",
    "trigger": "triggers are not supported",
    "save_to": "entities are not supported",
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_YES = frozenset({"yes", "true", "true()"})
_NO = frozenset({"", "no", "false", "false()"})
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_CONTROL = re.compile(r"^(begin|end)[ _]+")
_UNIT = re.compile(r"\(([^()]{1,12})\)\s*$")


class Translated(msgspec.Struct, frozen=True, kw_only=True):
    """The form; `version` in it is 1 when the workbook names none that can be used."""

    form: FormDef
    has_version: bool
    notes: list[str]


def translate(path: Path) -> Translated:
    """Raises `XlsFormProblem` with every finding."""
    book = sheets.read(path)
    work = _Work(book)
    work.run()
    form, has_version = work.form()
    if work.findings:
        raise XlsFormProblem(work.findings)
    return Translated(form=form, has_version=has_version, notes=work.notes)


class _Work:
    """One pass over the survey sheet; what is wrong is collected."""

    def __init__(self, book: sheets.Workbook) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self._book = book
        self._choices = _choices(book)
        self._levels = [Level(path="", when={})]
        self._shots: list[Shot] = []
        self._measures: list[Measure] = []
        self._position_required = False
        self._positions = 0

    def run(self) -> None:
        for name in self._book.others:
            self._refuse(1, f"the sheet {name!r} is not supported", sheet=name)
        for row in self._book.survey:
            if row.get("disabled").lower() in _YES:
                continue
            try:
                _demand_known(row)
                self._take(row)
            except Unsupported as exc:
                self._refuse(row.number, str(exc))

    def form(self) -> tuple[FormDef, bool]:
        settings = self._book.settings
        key = re.sub(r"[\s_.]+", "-", settings.get("form_id", "").strip().lower())
        if not _KEY.fullmatch(key):
            self._refuse(2, "form_id must begin with a letter or digit and hold letters, digits and dashes", "settings")
        text = settings.get("version", "")
        has_version = text.isdecimal() and 0 < int(text) < 2**31
        top = self._levels[0]
        if not top.properties and not self._shots and not self.findings:
            self._refuse(1, "there is no question that a form can hold")
        form = FormDef(
            form_key=key,
            version=int(text) if has_version else 1,
            title=settings.get("form_title") or settings.get("form_id", ""),
            schema={"$schema": _DIALECT, **top.schema()},
            shots=tuple(self._shots),
            measures=tuple(self._measures),
            rules=Thresholds(position_required=self._position_required),
        )
        return form, has_version

    def _take(self, row: Row) -> None:
        kind = _CONTROL.sub(r"\1 ", row.get("type").lower())
        level = self._levels[-1]
        if kind in ("begin group", "begin repeat"):
            self._begin(row, level, repeat=kind == "begin repeat")
        elif kind in ("end group", "end repeat"):
            self._levels.pop()
        elif kind in ("image", "photo"):
            self._shot(row, level)
        elif kind == "geopoint":
            self._position(row, level)
        elif kind in IGNORED:
            if kind not in ("note", "end", "start"):
                self.notes.append(f"survey, row {row.number}: {kind!r} is left out; the record carries its own times")
        else:
            self._question(row, level)

    def _begin(self, row: Row, level: Level, *, repeat: bool) -> None:
        below = Level(path=row.get("name"), when={}) if repeat else level.within(level.when)
        self._levels.append(below)
        if repeat and level.path:
            raise Unsupported("a repeat inside of a repeat is not supported")
        when = _when(row, level)
        if repeat:
            level.add(row.get("name"), below.table(title=self._label(row)), required=False, when=when)
        else:
            below.when = when

    def _shot(self, row: Row, level: Level) -> None:
        if level.path:
            raise Unsupported("a picture inside of a repeat is not supported")
        when = _when(row, level)
        shot = Shot(key=row.get("name"), label=self._label(row), min=1 if self._required(row) else 0, when=when or None)
        self._shots.append(shot)

    def _position(self, row: Row, level: Level) -> None:
        self._positions += 1
        if self._positions > 1 or level.path:
            raise Unsupported("a record has one position; a second geopoint is not supported")
        if _when(row, level):
            raise Unsupported("the record's position cannot depend on an answer")
        self._position_required = self._required(row)

    def _question(self, row: Row, level: Level) -> None:
        name, label = row.get("name"), self._label(row)
        asked = question(row, choices=self._choices)
        schema: dict[str, Json] = {"title": label, **asked.schema}
        if hint := self._text(row, "hint"):
            schema["description"] = hint
        limits = expressions.constraint(row.get("constraint")) if row.get("constraint") else None
        if limits:
            if (limits.number and not asked.is_number) or (limits.text and not asked.is_text):
                raise Unsupported("the constraint does not fit the type of the question")
            schema |= limits.text
            schema |= self._bounds(row, level, limits.number, label)
        _demand_usable(schema)
        level.add(name, schema, required=self._required(row), when=_when(row, level))

    def _bounds(self, row: Row, level: Level, bounds: dict[str, float], label: str) -> dict[str, Json]:
        """With a unit in the label the inclusive bounds become a measure; the rest stays in the schema."""
        unit = _UNIT.search(label)
        measured = {key: value for key, value in bounds.items() if key in ("minimum", "maximum")}
        if not unit or not measured:
            return dict(bounds)
        field = f"{level.path}/*/{row.get('name')}" if level.path else row.get("name")
        self._measures.append(
            Measure(field=field, unit=unit[1], min=measured.get("minimum"), max=measured.get("maximum"))
        )
        return {key: value for key, value in bounds.items() if key not in measured}

    def _required(self, row: Row) -> bool:
        text = row.get("required").lower()
        if text not in _YES | _NO:
            raise Unsupported("'required' must be yes or no; put the condition into 'relevant'")
        return text in _YES

    def _label(self, row: Row) -> str:
        return self._text(row, "label") or row.get("name").replace("_", " ")

    def _text(self, row: Row, column: str) -> str:
        """In the form's default language, else in the first that has words."""
        language = self._book.settings.get("default_language", "").lower()
        return (
            row.get(column)
            or row.get(f"{column}::{language}")
            or next((cell for name, cell in row.cells.items() if name.startswith(f"{column}::")), "")
        )

    def _refuse(self, row: int, message: str, sheet: str = "survey") -> None:
        self.findings.append(Finding(sheet=sheet, row=row, message=message))


def _demand_known(row: Row) -> None:
    for column, reason in _REFUSED.items():
        if row.get(column):
            raise Unsupported(reason)


def _when(row: Row, level: Level) -> Condition:
    """What must hold for a row to apply, with what its groups ask."""
    when = dict(level.when)
    if row.get("relevant"):
        expressions.merge(when, level.settled(expressions.relevant(row.get("relevant"))))
    return when


def _choices(book: sheets.Workbook) -> dict[str, list[tuple[str, str]]]:
    lists: dict[str, list[tuple[str, str]]] = {}
    for row in book.choices:
        label = row.get("label") or next((text for name, text in row.cells.items() if name.startswith("label::")), "")
        lists.setdefault(row.get("list_name"), []).append((row.get("name"), label or row.get("name")))
    return lists


def _demand_usable(schema: dict[str, Json]) -> None:
    try:
        jsonschema_rs.validator_for({"$schema": _DIALECT, **schema})
    except (jsonschema_rs.ValidationError, ValueError) as exc:
        raise Unsupported("the regular expression of the constraint cannot be used") from exc
