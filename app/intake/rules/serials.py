"""Rules on serial numbers: how they look, and that each is built in once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.intake.form_defs import FormDef, applies
from app.intake.form_rules import Serial
from app.intake.rules.context import Finding, RuleContext, said
from app.intake.rules.paths import places
from app.intake.strict_json import Json

MAX_SERIAL = 64
"""Longer texts are no serial numbers; a pattern is never tried on one."""


def normal(text: str) -> str:
    """A serial number without what people spell differently: letters and digits only, in capitals."""
    return "".join(char for char in text.upper() if char.isalnum())


def serial_numbers(form: FormDef, fields: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Each serial number that the form names and the record gives, normalised, with its field."""
    found = ((normal(text), field) for _, field, text in _given(form, fields))
    # A field may have a pattern for each make.
    return list(dict.fromkeys((serial, field) for serial, field in found if serial))


def serial_malformed(ctx: RuleContext) -> Iterator[Finding]:
    """Minor: not as serial numbers of this make look; it may have been misread."""
    for wanted, field, text in _given(ctx.form, ctx.upload.fields):
        if wanted.pattern is not None and not re.fullmatch(wanted.pattern, text):
            yield Finding(
                rule="serial-malformed",
                severity="minor",
                field=field,
                message=f"“{ctx.form.label(field)}” is {said(text)}, which is not how this make's serial numbers look.",
                evidence={"value": text, "pattern": wanted.pattern},
            )


def serial_duplicate(ctx: RuleContext) -> Iterator[Finding]:
    """Major: the record gives a serial number twice, or another record of the project reports it."""
    elsewhere = {other.serial: other for other in ctx.related.serials}
    first: dict[str, str] = {}
    for serial, field in serial_numbers(ctx.form, ctx.upload.fields):
        label, other = ctx.form.label(field), elsewhere.get(serial)
        if serial in first:
            message = f"“{label}” is the same serial number as “{ctx.form.label(first[serial])}”."
            yield _duplicate(field, message, {"serial": serial, "same_as": first[serial]})
        elif other is not None:
            message = f"“{label}” is a serial number that record {other.reference} reports already."
            evidence: dict[str, Json] = {"serial": serial, "record": other.id, "reference": other.reference}
            yield _duplicate(field, message, evidence | {"same_as": other.field})
        first.setdefault(serial, field)


def _given(form: FormDef, fields: Mapping[str, Json]) -> Iterator[tuple[Serial, str, str]]:
    for wanted in form.rules.serials:
        if applies(wanted.when, fields):
            for field, raw in places(dict(fields), wanted.field):
                text = raw.strip() if isinstance(raw, str) else ""
                if text and len(text) <= MAX_SERIAL:
                    yield wanted, field, text


def _duplicate(field: str, message: str, evidence: dict[str, Json]) -> Finding:
    return Finding(rule="serial-duplicate", severity="major", field=field, message=message, evidence=evidence)
