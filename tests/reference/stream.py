"""What the events of the stream carry, from the structs that write them."""

from __future__ import annotations

import inspect
import types
import typing
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.cache import Progress
from app.jobs.schemas import FormerSubmission, JobError, JobView, Question
from app.jobs.states import JobState
from app.live.schemas import Health, RecordChanged, Snapshot
from tests.reference.markdown import row, table

EVENTS: dict[str, type[msgspec.Struct]] = {
    "snapshot": Snapshot,
    "state": JobView,
    "progress": Progress,
    "record": RecordChanged,
    "health": Health,
}
_WITHIN: dict[str, type[msgspec.Struct]] = {"error": JobError, "former": FormerSubmission, "question": Question}
_WORDS: dict[Any, str] = {
    str: "text", int: "number", UUID: "id", datetime: "time", JobState: "[state](job-life-cycle.md)", Progress: "as event `progress`",
    JobView: "as event `state`", JobError: "[error](#error)", FormerSubmission: "[former](#former)",
    Question: "[question](#question)", type(None): "null",
}  # fmt: skip


def tables() -> str:
    """A table for each event, then what stands within one."""
    return "\n\n".join(
        f"### {f'Event `{name}`' if name in EVENTS else name.capitalize()}\n\n{_said(struct)}\n\n"
        + table("member", "is", rows=[row(f"`{f.encode_name}`", _is(f.type)) for f in msgspec.structs.fields(struct)])
        for name, struct in (EVENTS | _WITHIN).items()
    )


def _said(struct: type[msgspec.Struct]) -> str:
    """Its docstring, without the words that say which event it is."""
    said = (
        (inspect.getdoc(struct) or "").split(": ", 1)
        if struct in {Health, Snapshot, RecordChanged}
        else ["", inspect.getdoc(struct) or ""]
    )
    return said[-1][:1].upper() + said[-1][1:]


def _is(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{each}`" for each in args)
    if origin is list:
        return f"list, each {_is(args[0])}"
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_is(each) for each in args)
    return _WORDS[kind]
