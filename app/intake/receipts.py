"""What is stored of a record, as its phone and its reviewers may know it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from app.core.auth import Caller
from app.core.db import unavailable_as_problem
from app.core.errors import RecordUnknown
from app.intake import rows, store
from app.intake.context import Intake
from app.intake.schemas import ReceiptPhoto, ReceiptView
from sql import Connection


def proof(sha256: str | None) -> dict[str, str]:
    """The header of an answer that only we can give: the hash of what was sent, the record's JSON or the photo.

    The pages that a hotel's network puts before everything say 200 to whatever is sent.
    """
    return {} if sha256 is None else {"Asbuilt-Receipt": sha256}


def proof_of_photo(photos: Iterable[ReceiptPhoto], name: str) -> dict[str, str]:
    """The same for a photo of a stored record, by its name."""
    return proof(next((photo.sha256 for photo in photos if photo.name == name and photo.received), None))


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
