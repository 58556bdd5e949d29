"""How long a job's steps usually take: the history of its own recipe at its own portal, within its project.

An answer is kept for half a minute a project and recipe, however many pages watch runs of it.
"""

from __future__ import annotations

import time
from uuid import UUID

import msgspec

from app.core.auth import Caller
from app.core.errors import JobUnknown
from app.jobs import store
from app.jobs.schemas import Pace, StepPace
from sql import Connection

KEPT_S = 30.0
MOST = 1000


class Paces:
    """Recent answers. Raises nothing: what is not known is asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, UUID, int], tuple[float, Pace]] = {}

    async def of_job(self, conn: Connection, caller: Caller, job_id: UUID) -> Pace:
        """Raises `JobUnknown`, also for a job the caller may not see."""
        recipe = await store.RECIPE_OF_JOB(conn, id=job_id, projects=caller.project_ids, device=caller.device_id)
        if recipe is None:
            raise JobUnknown
        key = (recipe.project_id, recipe.account_id, recipe.recipe_version)
        until, pace = self._known.get(key, (0.0, Pace(steps=[])))
        if until > time.monotonic():
            return pace
        rows = await store.STEP_PACE(conn, **msgspec.structs.asdict(recipe))
        pace = Pace(steps=[msgspec.convert(msgspec.structs.asdict(row), StepPace) for row in rows])
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (time.monotonic() + KEPT_S, pace)
        return pace
