"""What an upload is compared with besides its form, in one query: the asset's design, and the records that are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.intake.context import IntakeContext
from app.intake.photos import PhotoFacts
from app.intake.rules import Related, serial_numbers
from app.intake.schemas import RecordUpload
from sql import Connection, load


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    design: dict[str, Any] | None
    has_design: bool
    recorded: dict[str, Any] | None
    photos: list[dict[str, Any]]
    serials: list[dict[str, Any]]
    previous: dict[str, Any] | None


RELATED = load("intake").one("related", _Row)


async def related(
    conn: Connection, context: IntakeContext, upload: RecordUpload, facts: Mapping[str, PhotoFacts], *, device: UUID
) -> Related:
    """One round trip, whatever the rules of the form ask."""
    row = await RELATED(
        conn,
        project=context.project_id,
        device=device,
        form=upload.form,
        asset=upload.asset,
        crew=upload.crew or "",
        captured_at=upload.captured_at,
        besides=[upload.id, *superseded(upload)],
        photos=sorted(
            {bytes.fromhex(here.sha256) for here in facts.values() if here.sha256 and not here.rejected_reason}
        ),
        serials=sorted({serial for serial, _ in serial_numbers(context.form, upload.fields)}),
    )
    return msgspec.convert(msgspec.to_builtins(row), Related)


def superseded(upload: RecordUpload) -> list[UUID]:
    """The record that this one replaces, if it says so by its id."""
    raw = upload.fields.get("supersedes")
    try:
        return [UUID(raw)] if isinstance(raw, str) else []
    except ValueError:
        return []
