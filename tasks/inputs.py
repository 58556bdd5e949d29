"""A stored record as the automation service is asked to key it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from app.core.settings import Settings
from app.jobs.files import PATH as FILES
from tasks.engines.contract import FileSpec, Resume, RunSpec
from tasks.store import Claim, InputsRow, StepRow


class _Photo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    shot: str
    sha256: str
    size: int
    type: str


def run_spec(settings: Settings, claim: Claim, row: InputsRow, *, resume: Resume | None = None) -> RunSpec:
    """The run's specification; files are addresses, and no secret is in it."""
    return RunSpec(
        job_id=claim.id,
        record_id=claim.record_id,
        attempt=claim.attempt,
        portal=claim.portal_key,
        account=claim.account,
        recipe=claim.recipe,
        recipe_version=claim.recipe_version,
        external_ref=claim.external_ref,
        inputs=keyed(row),
        files=files(settings, row),
        resume=resume,
        deadline=datetime.now(UTC) + timedelta(seconds=settings.attempt_s),
    )


def resume_of(steps: Sequence[StepRow]) -> Resume | None:
    """Where a new run may enter the portal's draft; None: it starts at the beginning."""
    if not steps:
        return None
    outputs: dict[str, str] = {}
    for step in steps:
        outputs.update(step.outputs)
    hashes = {step.key: step.input_hash for step in steps if step.input_hash}
    return Resume(steps=tuple(step.key for step in steps), outputs=outputs, hashes=hashes)


def keyed(row: InputsRow) -> dict[str, object]:
    """What a recipe knows as `{{form.x}}`."""
    return {
        **row.fields,
        "form": row.form_key,
        "asset": row.asset_key,
        "lat": row.lat,
        "lon": row.lon,
        "captured_at": row.captured_at.isoformat() if row.captured_at else None,
    }


def files(settings: Settings, row: InputsRow) -> tuple[FileSpec, ...]:
    """The record's photos, at the web process's addresses."""
    return tuple(_file(settings, photo) for photo in msgspec.convert(row.photos, list[_Photo]))


def _file(settings: Settings, photo: _Photo) -> FileSpec:
    return FileSpec(
        id=photo.name,
        name=photo.name,
        shot=photo.shot,
        mime=photo.type,
        size=photo.size,
        sha256=photo.sha256,
        url=f"{settings.public_url}{FILES}/{photo.sha256}",
    )
