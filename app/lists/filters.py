"""A filter as people give it, and as the SQL function `record_lines` reads it. Never decides what a caller may see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.params import QueryParameter
from psycopg.types.json import Jsonb

from app.core.auth import Caller
from app.core.errors import MalformedRequest
from app.jobs.states import JobState
from app.lists.schemas import RecordFilter, ReviewState, Worst

_WORDS = 4
_INDEXED = 3
"""Letters that the index of texts begins to help with."""


def from_query(
    project: Annotated[
        str | None, QueryParameter(description="A project's code or id; all that you may see without")
    ] = None,
    q: Annotated[str, QueryParameter(description="Words in a record's names, ids and texts", max_length=200)] = "",
    in_state: Annotated[list[JobState] | None, QueryParameter(name="state", description="Of the latest job")] = None,
    review: Annotated[list[ReviewState] | None, QueryParameter(description="Of the review")] = None,
    severity: Annotated[list[Worst] | None, QueryParameter(description="Of the worst open finding")] = None,
    portal: Annotated[list[str] | None, QueryParameter(description="Where the record goes")] = None,
    received_from: Annotated[datetime | None, QueryParameter(description="With a time zone")] = None,
    received_until: Annotated[datetime | None, QueryParameter(description="Excluded")] = None,
    captured_from: Annotated[datetime | None, QueryParameter(description="With a time zone")] = None,
    captured_until: Annotated[datetime | None, QueryParameter(description="Excluded")] = None,
) -> RecordFilter:
    """The filter in an address, for handlers that ask for `wanted`. Raises `MalformedRequest`."""
    given = {
        "project": project,
        "q": q,
        "state": in_state or [],
        "review": review or [],
        "severity": severity or [],
        "portal": portal or [],
        "received_from": received_from,
        "received_until": received_until,
        "captured_from": captured_from,
        "captured_until": captured_until,
    }
    try:
        return msgspec.convert(given, RecordFilter)
    except msgspec.ValidationError as exc:
        where = str(exc).rpartition("`$.")[2].rstrip("`").partition("[")[0]
        raise MalformedRequest(str(exc).partition(" - at")[0], pointer=f"/{where}") from exc


def parameters(caller: Caller, wanted: RecordFilter) -> dict[str, Any]:
    """The statement's `projects` and `filter`. Raises `ProjectUnknown`."""
    chosen = caller.project(wanted.project) if wanted.project else None
    parts: dict[str, Any] = {
        "project": str(chosen.id) if chosen else None,
        "state": ",".join(wanted.state),
        "review": ",".join(wanted.review),
        "severity": ",".join(wanted.severity),
        # A portal's key holds no comma; what does is the key of none.
        "portal": ",".join(key.replace(",", " ") for key in wanted.portal),
        **{f"like{at}": like for at, like in enumerate(patterns(wanted.q), start=1)},
    }
    for name in ("received_from", "received_until", "captured_from", "captured_until"):
        time: datetime | None = getattr(wanted, name)
        parts[name] = time.timestamp() if time else None
    return {
        "projects": caller.project_ids,
        "filter": Jsonb({name: part for name, part in parts.items() if part not in (None, "")}),
    }


def patterns(q: str) -> list[str]:
    """LIKE patterns of the words of a search, each of which must be found. What comes after three words is one phrase.

    A word shorter than the index needs is looked for at the beginnings of words only.
    """
    words = q.split(maxsplit=_WORDS - 1)
    return [f"%{'' if len(word) >= _INDEXED else ' '}{_literal(' '.join(word.split()))}%" for word in words]


def _literal(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
