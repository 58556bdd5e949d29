"""The wire shapes of what is said about a record, and of what its revisions differ in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec


class CommentRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class CommentView(msgspec.Struct, frozen=True, kw_only=True):
    """Plain text."""

    id: UUID
    author: str
    text: str
    at: datetime


class CommentList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first; `next` continues the list, null at its end."""

    items: list[CommentView]
    next: str | None = None


class RevisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A content the record had. `reason` is why; `whole`: its position, times and photos were kept as well as its fields."""

    revision: int
    at: datetime
    by: str
    reason: str
    whole: bool


class RevisionList(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first; never empty."""

    items: list[RevisionView]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A value at a JSON Pointer; `before` is missing (null) where it was added, `after` where it was removed."""

    kind: Literal["added", "changed", "removed"]
    pointer: str
    before: Any = None
    after: Any = None


class PhotoChange(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that came, went, or took the place of `before` in its slot."""

    kind: Literal["added", "replaced", "removed"]
    name: str
    shot: str
    before: str | None


class RevisionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """From one revision to another. Not `whole`: of one of them only the fields were kept."""

    earlier: int
    later: int
    whole: bool
    changes: list[Change]
    photos: list[PhotoChange]
