"""What accepting an upload works with, and what the upload is judged against: its project, its site, its form version.

The latter are remembered for a few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from app.core.blobs import Blobs
from app.core.db import Pool, unavailable_as_problem
from app.core.errors import FormClosed, FormUnknown, ProjectUnknown
from app.core.settings import Settings
from app.intake import store
from app.intake.decoders import Decoders
from app.intake.form_defs import FormDef
from app.intake.photos import PhotoFacts
from app.intake.rules import Related, RuleContext, Site
from app.intake.schemas import RecordUpload


class IntakeContext(msgspec.Struct, frozen=True, kw_only=True):
    """`closed` says why nothing new is taken; what is stored already is still answered."""

    project_id: UUID
    tz: str
    site: Site
    starts_on: date | None = None
    form: FormDef
    newer_version: int | None = None
    closing: Literal["form", "project"] | None = None
    closed: str | None

    def judge(
        self,
        upload: RecordUpload,
        photos: Mapping[str, PhotoFacts],
        *,
        related: Related,
        received_at: datetime | None = None,
    ) -> RuleContext:
        """The upload with all that its rules look at."""
        return RuleContext(
            form=self.form,
            upload=upload,
            photos=photos,
            site=self.site,
            tz=self.tz,
            starts_on=self.starts_on,
            received_at=received_at,
            newer_version=self.newer_version,
            closing=self.closing,
            related=related,
        )

    def demand_open(self) -> None:
        """Raise `FormClosed` when neither the project nor the form takes new records."""
        if self.closed:
            raise FormClosed(self.closed)


class Contexts:
    """Loads contexts; an entry is good for `ttl_s` seconds, since projects and forms change rarely."""

    def __init__(self, pool: Pool, *, ttl_s: float = 5.0, size: int = 1024) -> None:
        self._pool = pool
        self._ttl_s = ttl_s
        self._size = size
        self._known: dict[tuple[UUID, str, str, int], tuple[float, IntakeContext]] = {}

    async def find(self, *, device: UUID, project: str, form: str, version: int) -> IntakeContext:
        """Raises `ProjectUnknown` for another device's project as for none at all, and `FormUnknown`."""
        key = (device, project, form, version)
        until, context = self._known.get(key, (0.0, None))
        if context is None or until < time.monotonic():
            context = await self._load(device=device, project=project, form=form, version=version)
            if len(self._known) >= self._size:
                self._known.clear()
            self._known[key] = (time.monotonic() + self._ttl_s, context)
        return context

    async def _load(self, *, device: UUID, project: str, form: str, version: int) -> IntakeContext:
        async with unavailable_as_problem(), self._pool.connection() as conn:
            row = await store.INTAKE_CONTEXT(conn, device=device, project=project, form=form, version=version)
        if row is None:
            raise ProjectUnknown(f"there is no project {project!r} for this device")
        if row.title is None:
            raise FormUnknown(f"there is no form {form!r} of version {version}")
        closed = None
        if row.project_state == "closed":
            closed = f"the project {project!r} is closed"
        elif not row.has_portal:
            closed = f"the project {project!r} has no portal account yet"
        elif row.form_state == "closed":
            closed = f"the form {row.title!r} is closed"
        form_def = {
            "form_key": form,
            "version": version,
            "title": row.title,
            "schema": row.schema,
            "shots": row.shots,
            "measures": row.measures,
            "rules": row.rules,
        }
        return IntakeContext(
            project_id=row.project_id,
            tz=row.tz,
            site=Site(lat=row.site_lat, lon=row.site_lon, radius_m=row.site_radius_m, boundary=row.boundary),
            starts_on=row.starts_on,
            form=msgspec.convert(form_def, FormDef),
            newer_version=row.newer_version,
            closing="project" if row.project_state == "closing" else "form" if row.form_state == "closing" else None,
            closed=closed,
        )


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What accepting an upload needs."""

    pool: Pool
    blobs: Blobs
    decoders: Decoders
    contexts: Contexts
    settings: Settings

    def photos_until(self) -> float:
        """When the photos of this request have been looked at long enough; what is not decoded by then is checked later."""
        return asyncio.get_running_loop().time() + self.settings.check_photos_s
