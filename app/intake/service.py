"""A record and the photos beside it, from bytes to receipt: check it, keep its bytes, then store record and job in one transaction.

Bytes first, rows second: photos are durable under their hash before the transaction begins.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from app.core.auth import Caller
from app.core.blobs import Blobs
from app.core.crashpoints import before_commit, crashpoint
from app.core.db import unavailable_as_problem
from app.core.errors import (
    DigestMismatch,
    InProgress,
    MalformedRequest,
    PhotoConflict,
    RecordConflict,
    RecordUnknown,
)
from app.core.incoming import Incoming
from app.intake import attaching, idempotency, names, receipts, rows, store
from app.intake.context import Intake, IntakeContext
from app.intake.decode import decode
from app.intake.photos import PhotoFacts, inspect
from app.intake.receiving import Part
from app.intake.related import related
from app.intake.rules import RuleContext, check
from app.intake.schemas import AcceptedView, PhotoManifest, RecordUpload
from sql import Connection

IN_PROGRESS = "AB001"
KEPT_AT_ONCE = 4


async def accept_record(
    intake: Intake,
    caller: Caller,
    raw: bytes,
    parts: list[Part],
    *,
    arrived_at: datetime,
    named: UUID | None = None,
    key: str | None = None,
) -> AcceptedView:
    """Store a record with those of its photos that came along, and its job; or answer that it is stored already.

    `arrived_at` is the time of the request's head, `key` its Idempotency-Key. Raises the problems of `decode`, and `IdempotencyKeyReused`, `ProjectUnknown`,
    `FormUnknown`, `FormClosed`, `DigestMismatch`, `RecordConflict`, `PhotoConflict`, `InProgress`, `StorageFull`,
    `StorageUnavailable`, `DatabaseUnavailable`.
    """
    await crashpoint("A1")
    upload = decode(raw, max_bytes=intake.settings.record_bytes)
    if named not in (None, upload.id):
        raise MalformedRequest("the id in the document is not the one in the address", pointer="/id")
    context = await intake.contexts.find(
        device=caller.id, project=upload.project, form=upload.form, version=upload.form_version
    )
    incoming = by_name(upload, parts)
    facts = await _inspect(intake, context, upload, incoming)
    await crashpoint("A2")
    await _keep(intake.blobs, incoming, facts)
    await crashpoint("A3")
    if context.closed:
        return await _replay(intake, caller, upload, facts, else_closed=context)
    async with unavailable_as_problem(), intake.pool.connection() as conn:
        if key is not None:
            await idempotency.claim(conn, key, device=caller.id, fingerprint=upload.fingerprint)
        beside = await related(conn, context, upload, facts, device=caller.id)
        judged = context.judge(upload, facts, related=beside, received_at=arrived_at)
        findings = check(judged)
        async with before_commit(conn, "A4", "A5"):
            for file in incoming.values():
                file.demand_recent()
            stored = await _store(conn, intake, caller, context, judged, findings)
    await crashpoint("A6")
    if stored.outcome == "created":
        return rows.accepted(upload, facts, findings, stored)
    if stored.outcome == "replayed":
        return await _replay(intake, caller, upload, facts)
    if stored.outcome == "deleted":
        raise RecordConflict("the record was deleted")
    raise _conflict(await receipts.stored(intake, caller, upload.id))


async def accepted_now(intake: Intake, caller: Caller, accepted: AcceptedView) -> AcceptedView:
    """An answer brought up to date, after more photos were taken. Raises `RecordUnknown` for a record deleted meanwhile."""
    row = await receipts.stored(intake, caller, accepted.record_id)
    if row is None:
        raise RecordUnknown
    return msgspec.structs.replace(rows.replay(row), replayed=accepted.replayed)


def by_name(upload: RecordUpload, parts: list[Part]) -> dict[str, Incoming]:
    """The files by the manifest's names: a part's own name first, its file name second.

    Raises `MalformedRequest` for a file that the record does not list, so that none is dropped in silence.
    """
    wanted = {photo.name: photo for photo in upload.photos}
    found: dict[str, Incoming] = {}
    for part in parts:
        name = _listed(part, wanted)
        if name in found:
            raise MalformedRequest(f"the photo {name!r} was sent twice")
        declared = wanted[name].sha256
        if declared not in (None, part.incoming.sha256.hex()):
            raise DigestMismatch(f"the bytes of {name!r} do not have the declared digest")
        found[name] = part.incoming
    return found


def _listed(part: Part, wanted: dict[str, PhotoManifest]) -> str:
    # A phone that names its parts well may still send whatever its camera calls the file.
    for text in (part.name, part.filename):
        with suppress(MalformedRequest):
            if (name := names.clean(text)) in wanted:
                return name
    raise MalformedRequest(f"the record lists no photo named {(part.name or part.filename)[:40]!r}")


async def _inspect(
    intake: Intake, context: IntakeContext, upload: RecordUpload, incoming: dict[str, Incoming]
) -> dict[str, PhotoFacts]:
    until = intake.photos_until()

    async def look(photo: PhotoManifest) -> tuple[str, PhotoFacts]:
        file = incoming[photo.name]
        return photo.name, await inspect(
            file.path, decoders=intake.decoders, kind=photo.kind, sha256=file.sha256.hex(), tz=context.tz, until=until
        )

    return dict(await asyncio.gather(*(look(photo) for photo in upload.photos if photo.name in incoming)))


async def _keep(blobs: Blobs, incoming: dict[str, Incoming], facts: dict[str, PhotoFacts]) -> None:
    """A few at a time: a bucket answers each after a while."""
    wanted = [file for name, file in incoming.items() if facts[name].rejected_reason is None]
    for first in range(0, len(wanted), KEPT_AT_ONCE):
        batch = (blobs.keep(file) for file in wanted[first : first + KEPT_AT_ONCE])
        # All are waited for: one that goes on after its request was answered would read a file that is gone.
        for done in await asyncio.gather(*batch, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done


async def _store(
    conn: Connection,
    intake: Intake,
    caller: Caller,
    context: IntakeContext,
    judged: RuleContext,
    findings: list[rows.Finding],
) -> store.AcceptedRow:
    """The transaction: one statement, `accept_record` in `sql/functions`, which commits all of it or nothing."""
    upload = judged.upload
    try:
        return await store.ACCEPT_RECORD(
            conn,
            project=context.project_id,
            device=caller.id,
            record=Jsonb(rows.record_row(upload) | rows.compared(judged)),
            photos=Jsonb([rows.photo_row(photo, judged.photos.get(photo.name)) for photo in upload.photos]),
            defects=Jsonb(msgspec.to_builtins(findings)),
            fingerprint=upload.fingerprint,
            max_attempts=intake.settings.max_attempts,
            actor=caller.actor,
        )
    except psycopg.Error as exc:
        if exc.sqlstate == IN_PROGRESS:
            raise InProgress(retry_after_s=1) from exc
        raise


async def _replay(
    intake: Intake,
    caller: Caller,
    upload: RecordUpload,
    facts: dict[str, PhotoFacts],
    *,
    else_closed: IntakeContext | None = None,
) -> AcceptedView:
    """The stored record's answer; photos that came along and were still missing are taken now."""
    row = await receipts.stored(intake, caller, upload.id)
    if row is None and else_closed is not None:
        else_closed.demand_open()
    if row is None or row.fingerprint != upload.fingerprint:
        raise _conflict(row)
    known = {photo.name: photo for photo in rows.receipt(row).photos}
    for photo in upload.photos:
        here = facts.get(photo.name)
        if here is None or here.rejected_reason:
            continue
        if not known[photo.name].received:
            stored = await attaching.stored_record(intake, caller, upload.id, sha256=bytes.fromhex(here.sha256 or ""))
            await attaching.attach(intake, caller, stored, photo, here)
        elif known[photo.name].sha256 not in (None, here.sha256):
            raise PhotoConflict(f"other bytes are stored under {photo.name!r}")
    now = await receipts.stored(intake, caller, upload.id)
    if now is None:
        raise RecordConflict("the record was deleted")
    return rows.replay(now)


def _conflict(row: store.ReceiptRow | None) -> RecordConflict:
    """Names the fingerprint of what is stored, to the device that stored it."""
    known = f", of fingerprint {row.fingerprint.hex()}" if row else ""
    return RecordConflict(f"another content is stored under this record id{known}")
