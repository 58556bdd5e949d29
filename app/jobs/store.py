"""Rows of jobs in and out; every read carries what the caller may see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from sql import load


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job's view as SQL makes it, and what is needed to decide on it."""

    view: dict[str, Any]
    project_id: UUID
    attempt: int


class ProgressRow(msgspec.Struct, frozen=True, kw_only=True):
    progress: dict[str, Any]


class ViewRow(msgspec.Struct, frozen=True, kw_only=True):
    view: dict[str, Any]


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    view: dict[str, Any]
    progress: dict[str, Any] | None
    traceback: str | None
    log: str
    exchange: dict[str, Any]


class ArtifactRow(msgspec.Struct, frozen=True, kw_only=True):
    blob_sha256: bytes
    type: str
    size: int


class RecipeRow(msgspec.Struct, frozen=True, kw_only=True):
    project_id: UUID
    account_id: UUID
    recipe_version: int


class PaceRow(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    index: int
    runs: int
    p50_s: float
    p90_s: float


_Q = load("jobs")
GET_JOB = _Q.opt("get_job", JobRow)
JOBS_OF_RECORD = _Q.many("jobs_of_record", JobRow)
JOBS_OF_PROJECT = _Q.many("jobs_of_project", JobRow)
JOBS_OF_PROJECT_IN_STATE = _Q.many("jobs_of_project_in_state", JobRow)
ATTEMPT_PROGRESS = _Q.opt("attempt_progress", ProgressRow)
RETRY_JOB = _Q.one("retry_job", ViewRow)
RUN_JOB_AGAIN = _Q.one("run_job_again", ViewRow)
CANCEL_JOB = _Q.one("cancel_job", ViewRow)
ANSWER_OUTCOME = _Q.one("answer_outcome", ViewRow)
HOLD_JOB = _Q.one("hold_job", ViewRow)
RELEASE_JOB = _Q.one("release_job", ViewRow)
RECIPE_OF_JOB = _Q.opt("recipe_of_job", RecipeRow)
STEP_PACE = _Q.many("step_pace", PaceRow)
ATTEMPTS_OF_JOB = _Q.many("attempts_of_job", AttemptRow)
FIND_ARTIFACT = _Q.opt("find_artifact", ArtifactRow)
