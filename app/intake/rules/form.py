"""Rules on the form itself: what its JSON Schema demands, and values that no column could hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NoReturn

import jsonschema_rs
import msgspec

from app.intake.form_defs import FormDef
from app.intake.rules.context import Finding, RuleContext, said
from app.intake.strict_json import Json

_TYPES: Mapping[str, str] = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a text",
    "array": "a list",
    "object": "a group of values",
    "boolean": "yes or no",
}
_TIMES: Mapping[str, str] = {"captured_at": "capture", "created_at": "creation", "sent_at": "sending"}


def required_field_missing(ctx: RuleContext) -> Iterator[Finding]:
    """Blocker: a field the form requires, also conditionally, is absent or empty."""
    for error in _errors(ctx):
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
            field = _path([*error.instance_path, error.kind.property])
            yield Finding(
                rule="required-field-missing",
                severity="blocker",
                field=field,
                message=f"“{ctx.form.label(field)}” is missing.",
                evidence={"value": _at(ctx.upload.fields, [*error.instance_path, error.kind.property])},
            )


def value_invalid(ctx: RuleContext) -> Iterator[Finding]:
    """Major: a value of the wrong type, form or choice."""
    for error in _errors(ctx):
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
            continue
        field = _path(error.instance_path)
        raw = _at(ctx.upload.fields, error.instance_path)
        yield Finding(
            rule="value-invalid",
            severity="major",
            field=field or None,
            message=_sentence(ctx.form, error, field, raw),
            evidence={"value": raw, "keyword": error.kind.name},
        )


def time_invalid(ctx: RuleContext) -> Iterator[Finding]:
    """Major, as any invalid value: a time of the record that cannot be read, or only with a guess."""
    for doubt in ctx.upload.doubts:
        if doubt.field in _TIMES:
            yield Finding(
                rule="value-invalid",
                severity="major",
                field=doubt.field,
                message=f"The time of {_TIMES[doubt.field]} {said(doubt.raw)} is unclear: {doubt.reason}.",
                evidence={"value": doubt.raw},
            )


def form_outdated(ctx: RuleContext) -> Iterator[Finding]:
    """Info: the form has a newer version; the record is judged by its own."""
    if ctx.newer_version is not None:
        yield Finding(
            rule="form-outdated",
            severity="info",
            message=(
                f"The form “{ctx.form.title}” has a newer version, {ctx.newer_version}; "
                f"this record was made with version {ctx.form.version}."
            ),
            evidence={"version": ctx.form.version, "newest": ctx.newer_version},
        )


def form_closing(ctx: RuleContext) -> Iterator[Finding]:
    """Info: the form or the project takes what is still in the field, and will soon take nothing."""
    if ctx.closing is not None:
        what = f"The form “{ctx.form.title}”" if ctx.closing == "form" else "The project"
        yield Finding(
            rule="form-closing",
            severity="info",
            message=f"{what} is closing: send what is still to be sent.",
            evidence={"closing": ctx.closing},
        )


def _errors(ctx: RuleContext) -> list[jsonschema_rs.ValidationError]:
    validator = _validator(ctx.form.form_key, ctx.form.version, msgspec.json.encode(ctx.form.schema))
    filled = {name: value for name, value in ctx.upload.fields.items() if not _empty(value)}
    return list(validator.iter_errors(filled))


@lru_cache(maxsize=256)
def _validator(form_key: str, version: int, schema: bytes) -> jsonschema_rs.Validator:
    # Key and version alone would do for stored forms, which never change; the text keeps drafts and tests honest.
    del form_key, version
    return jsonschema_rs.validator_for(msgspec.json.decode(schema), validate_formats=True, retriever=_nowhere)


def _nowhere(address: str) -> NoReturn:
    # Followed, a reference would let a form make this process call any address or read any file, and wait for it.
    raise ValueError(f"a form's schema refers to itself only, not to {address}")


def _empty(value: Json) -> bool:
    """Phones send untouched fields as null or an empty text; to a crew both mean: not filled in."""
    return value is None or (isinstance(value, str) and not value.strip())


def _path(steps: list[str | int]) -> str:
    return "/".join(str(step) for step in steps)


def _at(value: Json, steps: list[str | int]) -> Json:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value


def _sentence(form: FormDef, error: jsonschema_rs.ValidationError, field: str, raw: Json) -> str:
    label = f"“{form.label(field)}”" if field else "The form"
    kinds = jsonschema_rs.ValidationErrorKind
    match error.kind:
        case kinds.Type():
            wanted = " or ".join(_TYPES.get(name, name) for name in error.kind.types)
            complaint = f"must be {wanted}, not {said(raw)}"
        case kinds.Enum():
            complaint = f"is {said(raw)}; it must be one of {', '.join(map(str, error.kind.options))}"
        case kinds.Pattern() | kinds.Format():
            complaint = f"is {said(raw)}{_example(form, field)}"
        case kinds.Minimum():
            complaint = f"is {said(raw)}; it must be at least {error.kind.limit}"
        case kinds.Maximum():
            complaint = f"is {said(raw)}; it must be at most {error.kind.limit}"
        case kinds.MinLength() | kinds.MinItems():
            complaint = "is too short"
        case kinds.MaxLength() | kinds.MaxItems():
            complaint = "is too long"
        case _:
            complaint = f"is not as the form asks: {said(raw)}"
    return f"{label} {complaint}."


def _example(form: FormDef, field: str) -> str:
    properties = form.schema.get("properties")
    column = properties.get(field) if isinstance(properties, dict) else None
    examples = column.get("examples") if isinstance(column, dict) else None
    return (
        f"; it should look like {examples[0]}"
        if isinstance(examples, list) and examples
        else ", which has the wrong form"
    )
