"""Rows of records in and out; every read carries what the caller may see."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from sql import load


class DetailRow(msgspec.Struct, frozen=True, kw_only=True):
    row: dict[str, Any]
    project_id: UUID
    fields: dict[str, Any]
    h_accuracy_m: float | None
    review: dict[str, Any]
    approval_required: bool
    site: dict[str, Any]
    form: dict[str, Any]
    photos: list[dict[str, Any]]
    defects: list[dict[str, Any]]


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    project_id: UUID


class ViewRow(msgspec.Struct, frozen=True, kw_only=True):
    view: dict[str, Any]


class TimelineRow(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    seq: int
    kind: str
    actor: str
    state: str | None
    data: dict[str, Any]
    job_id: UUID | None


class PhotoRow(msgspec.Struct, frozen=True, kw_only=True):
    blob_sha256: bytes
    type: str
    size: int
    name: str


class CommentRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    author: str
    text: str
    at: datetime


class RevisionRow(msgspec.Struct, frozen=True, kw_only=True):
    revision: int
    at: datetime
    by: str
    reason: str
    whole: bool


class ContentRow(msgspec.Struct, frozen=True, kw_only=True):
    revision: int
    fields: dict[str, Any]
    content: dict[str, Any]


_Q = load("review")
GET_RECORD = _Q.opt("get_record", DetailRow)
FIND_DEFECT = _Q.opt("find_defect", ProjectRow)
PROJECT_OF_RECORD = _Q.opt("project_of_record", ProjectRow)
REVIEW_RECORD = _Q.one("review_record", ViewRow)
WAIVE_DEFECT = _Q.one("waive_defect", ViewRow)
COMMENTS_OF_RECORD = _Q.many("comments_of_record", CommentRow)
ADD_COMMENT = _Q.one("add_comment", ViewRow)
REVISIONS_OF_RECORD = _Q.many("revisions_of_record", RevisionRow)
REVISIONS_TO_COMPARE = _Q.many("revisions_to_compare", ContentRow)
ATTEMPTS_OF_RECORD = _Q.many("attempts_of_record", ViewRow)
TIMELINE_OF_RECORD = _Q.many("timeline_of_record", TimelineRow)
FIND_PHOTO = _Q.opt("find_photo", PhotoRow)
