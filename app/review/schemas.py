"""The wire shapes of records under review."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.jobs.schemas import AttemptView, JobView

Severity = Literal["blocker", "major", "minor", "info"]


class PhotoCount(msgspec.Struct, frozen=True, kw_only=True):
    expected: int
    received: int


class DefectCount(msgspec.Struct, frozen=True, kw_only=True):
    """Open defects by severity."""

    blocker: int
    major: int
    minor: int
    info: int


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record as lists show it; `job` is its latest."""

    id: UUID
    project: str
    form_key: str
    form_version: int
    form_title: str
    asset_key: str
    external_ref: str
    crew: str
    device: str
    revision: int
    review_state: str
    media_state: str
    received_at: datetime
    captured_at: datetime | None
    lat: float | None
    lon: float | None
    photos: PhotoCount
    defects: DefectCount
    job: JobView | None


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """The form a record was filled in from, for the labels beside its values."""

    title: str
    schema: dict[str, Any]
    shots: list[dict[str, Any]]
    measures: list[dict[str, Any]]


class PhotoView(msgspec.Struct, frozen=True, kw_only=True):
    """A photo; `url` is null until its bytes are here. Pixels upright, degrees WGS 84."""

    id: UUID
    name: str
    shot_key: str
    kind: str
    size: int | None
    type: str | None
    width: int | None
    height: int | None
    taken_at: datetime | None
    lat: float | None
    lon: float | None
    received_at: datetime | None
    rejected_reason: str | None
    url: str | None = None


class DefectView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    rule: str
    severity: Severity
    field: str | None
    photo: str | None
    message: str
    evidence: dict[str, Any]
    status: Literal["open", "waived", "fixed"]
    at: datetime
    by: str | None = None
    """Who waived it, or whose revision mended it."""
    reason: str | None = None
    closed_at: datetime | None = None


class WaiveRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the defect may stand as it is; kept with it and in the audit."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a project is: a GeoJSON Polygon or MultiPolygon, else a circle; neither where nobody said. Degrees WGS 84."""

    lat: float | None
    lon: float | None
    radius_m: float
    boundary: dict[str, Any] | None


Decision = Literal["approved", "has_issues", "rejected"]


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """The office's word on a record. `version` is what an If-Match names; `revision` the content it stands at."""

    state: Literal["received", "has_issues", "edited", "approved", "rejected"]
    note: str
    by: str | None
    at: datetime | None
    version: int
    revision: int


class ReviewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision; sent back, a record says in the note what is wrong, and the crew reads it."""

    decision: Decision
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a job (`seq` above 0), or an act of a person on the record (`seq` 0)."""

    at: datetime
    seq: int
    kind: str
    actor: str
    state: str | None
    data: dict[str, Any]
    job_id: UUID | None


class RecordDetail(RecordRow, frozen=True, kw_only=True):
    """Everything the page of a record shows."""

    fields: dict[str, Any]
    h_accuracy_m: float | None
    review: ReviewView
    approval_required: bool
    """The project's records wait for an approval before their automation starts."""
    site: SiteView
    form: FormView
    photo_list: list[PhotoView]
    defect_list: list[DefectView]
    attempts: list[AttemptView]
    timeline: list[TimelineEntry]
