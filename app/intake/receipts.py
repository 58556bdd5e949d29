"""What is stored of a record, as its phone and its reviewers may know it."""

from __future__ import annotations

from uuid import UUID

from app.core.auth import Caller
from app.core.db import unavailable_as_problem
from app.core.errors import RecordUnknown
from app.intake import rows, store
from app.intake.context import Intake
from app.intake.schemas import ReceiptView
from sql import Connection


async def receipt(conn: Connection, caller: Caller, record_id: UUID) -> ReceiptView:
    """What is stored of a record. Raises `RecordUnknown`, also for one the caller may not see."""
    row = await store.RECEIPT(conn, record=record_id, device=caller.device_id, projects=caller.project_ids)
    if row is None:
        raise RecordUnknown
    return rows.receipt(row)


async def stored(intake: Intake, caller: Caller, record_id: UUID) -> store.ReceiptRow | None:
    """The row of a record that this device has sent; none for any other. Raises `DatabaseUnavailable`."""
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        return await store.RECEIPT(conn, record=record_id, device=caller.device_id, projects=[])
