"""A photo on its own, for a record that is stored: checked, kept, and with its row what follows from it.

Bytes first, rows second, as with a record's upload.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.auth import Caller
from app.core.db import unavailable_as_problem
from app.core.errors import (
    DigestMismatch,
    MalformedRequest,
    PhotoConflict,
    RecordNotYet,
    TooLarge,
    UnsupportedMedia,
)
from app.core.incoming import Incoming
from app.intake import names, receipts, rows, store
from app.intake.context import Intake, IntakeContext
from app.intake.photos import PhotoFacts, inspect
from app.intake.rules import PhotoElsewhere, Related, check
from app.intake.schemas import PhotoManifest, ReceiptView, RecordUpload

PICTURES = ("photo", "signature")
"""Kinds of photos that have no reason to be larger than a camera makes them."""


async def accept_photo(
    intake: Intake, caller: Caller, record_id: UUID, name: str, incoming: Incoming, *, declared: bytes | None
) -> tuple[ReceiptView, bool]:
    """A photo's bytes for a stored record; the second value says whether they were stored now.

    Raises `RecordNotYet`, `MalformedRequest`, `DigestMismatch`, `PhotoConflict`, `TooLarge`, `UnsupportedMedia`,
    `StorageFull`.
    """
    name = names.clean(name)
    if declared is not None and declared != incoming.sha256:
        raise DigestMismatch(f"the bytes of {name!r} do not have the declared digest")
    stored = await stored_record(intake, caller, record_id, sha256=incoming.sha256)
    photo = next((photo for photo in stored.upload.photos if photo.name == name), None)
    if photo is None:
        raise MalformedRequest(f"the record lists no photo named {name!r}", pointer="/name")
    if photo.kind in PICTURES and incoming.size > intake.settings.photo_bytes:
        raise TooLarge(f"the photo {name!r} is too large", limits={"photo_bytes": intake.settings.photo_bytes})
    if photo.sha256 not in (None, incoming.sha256.hex()):
        raise DigestMismatch(f"the bytes of {name!r} are not those that the record announced")
    incoming.flush()
    facts = await inspect(
        incoming.path,
        decoders=intake.decoders,
        kind=photo.kind,
        sha256=incoming.sha256.hex(),
        tz=stored.context.tz,
        until=intake.photos_until(),
    )
    if facts.rejected_reason:
        raise UnsupportedMedia(f"the photo {name!r} cannot be taken: {facts.rejected_reason}")
    await intake.blobs.keep(incoming)
    incoming.demand_recent()
    new = await attach(intake, caller, stored, photo, facts)
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        return await receipts.receipt(conn, caller, record_id), new


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A stored record as its late photos are judged: with what is known of those that are here."""

    upload: RecordUpload
    facts: dict[str, PhotoFacts]
    context: IntakeContext
    twin: PhotoElsewhere | None


async def stored_record(intake: Intake, caller: Caller, record_id: UUID, *, sha256: bytes) -> Stored:
    """As a photo of these bytes needs it. Raises `RecordNotYet` for a record that this device has not sent."""
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        row = await store.PHOTO_CONTEXT(conn, record=record_id, device=caller.id, sha256=sha256)
    if row is None:
        raise RecordNotYet(retry_after_s=5)
    upload, facts = rows.as_upload(row)
    context = await intake.contexts.find(
        device=caller.id, project=upload.project, form=upload.form, version=upload.form_version
    )
    twin = msgspec.convert(row.twin, PhotoElsewhere | None)
    return Stored(upload=upload, facts=facts, context=context, twin=twin)


async def attach(intake: Intake, caller: Caller, stored: Stored, photo: PhotoManifest, facts: PhotoFacts) -> bool:
    """A photo's transaction: its row, its defects, and with the last one the job's release. True when stored now."""
    # Last, however the record lists it: of two copies the later one to arrive is named, and the other has been judged.
    others = tuple(other for other in stored.upload.photos if other.name != photo.name)
    upload = msgspec.structs.replace(stored.upload, photos=(*others, photo))
    twins = Related(photos=(stored.twin,) if stored.twin else ())
    judged = stored.context.judge(upload, stored.facts | {photo.name: facts}, related=twins)
    findings = [finding for finding in check(judged) if finding.photo == photo.name]
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        done = await store.ACCEPT_PHOTO(
            conn,
            record=stored.upload.id,
            photo=Jsonb(rows.photo_row(photo, facts)),
            defects=Jsonb(msgspec.to_builtins(findings)),
            actor=caller.actor,
        )
    if done.outcome == "conflict":
        raise PhotoConflict(f"other bytes are stored under {photo.name!r}")
    return done.outcome == "stored"
