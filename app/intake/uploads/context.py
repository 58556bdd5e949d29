"""What resumable uploads work with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from app.core.db import unavailable_as_problem
from app.intake.context import Intake
from app.intake.uploads.spool import Spool
from sql import Connection


class Uploads(msgspec.Struct, frozen=True, kw_only=True):
    """What every upload needs, and a place for bytes that are not all here yet."""

    intake: Intake
    spool: Spool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Raises `DatabaseUnavailable`."""
        async with unavailable_as_problem(), self.intake.pool.connection() as conn:
            yield conn
