"""What a resumable upload may do, whatever protocol speaks: begin, be looked at, grow, become a photo, be given up.

Bytes first, rows second: an offset is told only when its bytes are synced. After a crash the file may be longer than its
row says, or (a restored disk) shorter: the smaller counts. Each request on an upload has it alone while it lasts.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.auth import Caller
from app.core.crashpoints import crashpoint
from app.core.errors import (
    CompletedUpload,
    DigestMismatch,
    InconsistentLength,
    MalformedRequest,
    OffsetConflict,
    PhotoConflict,
    Problem,
    RecordNotYet,
    TooLarge,
    TooManyRequests,
    UnsupportedMedia,
    UploadExpired,
    UploadUnknown,
)
from app.intake import names, receipts, rows
from app.intake.attaching import PICTURES, accept_photo
from app.intake.uploads import store, writing
from app.intake.uploads.context import Uploads
from app.intake.uploads.spool import Hold
from app.intake.uploads.store import Session
from app.intake.uploads.writing import Piece

log = logging.getLogger("asbuilt.uploads")

FINAL: tuple[type[Problem], ...] = (MalformedRequest, DigestMismatch, PhotoConflict, UnsupportedMedia, TooLarge)
"""Problems of the bytes or of their name: the same upload can never become a photo."""
_FINAL_BY_CODE = {kind.code: kind for kind in FINAL}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that a phone wants to begin: which photo, and how many bytes if it knows."""

    record_id: UUID
    name: str
    length: int | None
    sha256: bytes | None = None
    metadata: str = ""


async def begin(uploads: Uploads, caller: Caller, wish: Wish) -> Session:
    """A new upload. Raises `MalformedRequest`, `TooLarge`, `PhotoConflict`, `TooManyRequests`, `StorageFull`."""
    settings = uploads.intake.settings
    _bound(wish.length, settings.upload_bytes)
    name = names.clean(wish.name, pointer="/name")
    uploads.spool.demand_room()
    async with uploads.connection() as conn:
        target = await store.TARGET(conn, record=wish.record_id, device=caller.id, name=name)
        if target is not None:
            _refuse_in_vain(target, wish, most=settings.photo_bytes)
        session = await store.CREATE(
            conn,
            device=caller.id,
            record=wish.record_id,
            name=name,
            sha256=wish.sha256,
            metadata=wish.metadata,
            length=wish.length,
            ttl_s=settings.upload_ttl_s,
            most=settings.uploads_per_device,
        )
    if session is None:
        raise TooManyRequests(f"finish some of the {settings.uploads_per_device} open uploads first", retry_after_s=60)
    return session


def _refuse_in_vain(target: store.TargetRow, wish: Wish, *, most: int) -> None:
    """Raise what these bytes would be refused with at their end: on a slow line, that is an hour later."""
    if target.kind is None:
        raise MalformedRequest(f"the record lists no photo named {wish.name[:40]!r}", pointer="/name")
    if target.kind in PICTURES and (wish.length or 0) > most:
        raise TooLarge(f"a photo is at most {most} bytes", limits={"photo_bytes": most})
    if None not in (target.stored, wish.sha256) and target.stored != wish.sha256:
        raise PhotoConflict(f"other bytes are stored under {wish.name[:40]!r}")


async def look(uploads: Uploads, caller: Caller, upload: UUID) -> Session:
    """Where an upload stands; one that is complete becomes a photo, if its record is here by now.

    A request that still sends to it gives way. Raises `UploadUnknown`, `UploadExpired`, the problem it was refused with,
    and what `append` raises.
    """
    async with _held(uploads, caller, upload) as (hold, session):
        if hold is None or session.state != "complete":
            return session
        async with uploads.connection() as conn:
            target = await store.TARGET(conn, record=session.record_id, device=caller.id, name=session.name)
        # Its bytes were read when they were complete; without this, each look while it waits would read them all again.
        return session if target is None else await _settled(uploads, caller, hold, session)


async def append(uploads: Uploads, caller: Caller, upload: UUID, piece: Piece) -> Session:
    """Add a piece; the last one makes the upload a photo of its record, or has it wait for the record.

    What arrived before a cut is kept; a piece that is damaged or too long is not. Raises what `look` raises, and
    `OffsetConflict`, `InconsistentLength`, `CompletedUpload`, `TooLarge`, `DigestMismatch`, `IdleTimeout`, `UploadTaken`,
    and the problems of `accept_photo`.
    """
    async with _held(uploads, caller, upload) as (hold, found):
        if piece.completes is not None and found.state != "receiving":
            raise CompletedUpload
        if piece.offset != found.received:
            raise OffsetConflict(expected=found.received, provided=piece.offset)
        session = _agreed(found, piece.length, most=uploads.intake.settings.upload_bytes)
        if hold is None:
            return session
        if session.state == "receiving":
            session = await writing.write(uploads, hold, session, piece)
        return await _settled(uploads, caller, hold, session)


async def begin_with(uploads: Uploads, caller: Caller, wish: Wish, piece: Piece) -> Session:
    """A new upload and its first piece. Raises what `begin` and `append` raise, and then leaves nothing behind."""
    session = await begin(uploads, caller, wish)
    try:
        return await append(uploads, caller, session.id, piece)
    except Problem:
        # Its address is told only with success, so nobody could go on with it.
        with suppress(Problem):
            await remove(uploads, caller, session.id)
        raise


async def proof(uploads: Uploads, caller: Caller, session: Session) -> dict[str, str]:
    """The header that proves what became a photo; nothing before it has."""
    row = await receipts.stored(uploads.intake, caller, session.record_id) if session.state == "accepted" else None
    return {} if row is None else receipts.proof_of_photo(rows.receipt(row).photos, session.name)


async def remove(uploads: Uploads, caller: Caller, upload: UUID) -> None:
    """Give an upload up; a photo that it has become stays. Raises `UploadUnknown`, `UploadExpired`, `UploadTaken`."""
    with suppress(*FINAL):
        async with _held(uploads, caller, upload):
            pass
    await writing.forget(uploads, upload)


async def settle_waiting(uploads: Uploads, caller: Caller, record_id: UUID) -> int:
    """Make photos of the complete uploads that waited for this record; answers how many there were."""
    async with uploads.connection() as conn:
        waiting = await store.WAITING(conn, record=record_id, device=caller.id)
    for row in waiting:
        try:
            await look(uploads, caller, row.id)
        except Problem as exc:
            # The record is stored all the same: its answer lists the photo as missing.
            extra = {"event": "uploads.waiting_refused", "record": str(record_id), "code": exc.code}
            log.warning("a waiting upload did not become a photo", extra=extra)
    return len(waiting)


@asynccontextmanager
async def _held(uploads: Uploads, caller: Caller, upload: UUID) -> AsyncIterator[tuple[Hold | None, Session]]:
    """The upload alone, at the offset that is safe; without its bytes once it has become a photo."""
    session = await _find(uploads, caller, upload)
    if session.state == "accepted":
        yield None, session
        return
    async with uploads.spool.held(upload) as hold:
        try:
            session = await _find(uploads, caller, upload)
        except UploadUnknown:
            uploads.spool.remove(upload)
            raise
        if session.state == "accepted":
            uploads.spool.remove(upload)
            yield None, session
            return
        safe = min(session.received, hold.size)
        hold.cut(safe)
        if safe < session.received:
            session = await writing.progress(uploads, hold, session, complete=False)
        yield hold, session


async def _find(uploads: Uploads, caller: Caller, upload: UUID) -> Session:
    async with uploads.connection() as conn:
        session = await store.FIND(conn, id=upload, device=caller.id)
    if session is None:
        raise UploadUnknown
    if session.refusal is not None:
        refusal = _FINAL_BY_CODE[session.refusal["code"]](session.refusal["detail"])
        refusal.of_content = True
        raise refusal
    if session.expired:
        raise UploadExpired
    return session


def _agreed(session: Session, length: int | None, *, most: int) -> Session:
    """The session with the length that its phone knows by now. Raises `InconsistentLength` for another length."""
    if length is None:
        return session
    _bound(length, most)
    if session.length not in (None, length) or length < session.received:
        raise InconsistentLength(f"the upload's length cannot be {length}")
    return msgspec.structs.replace(session, length=length)


def _bound(length: int | None, most: int) -> None:
    if length is not None and length > most:
        raise TooLarge(f"an upload is at most {most} bytes", limits={"upload_bytes": most})


async def _settled(uploads: Uploads, caller: Caller, hold: Hold, session: Session) -> Session:
    """A complete upload as a photo of its record; as it is while it is incomplete, or waits for the record."""
    if session.state != "complete":
        return session
    await crashpoint("U2", subject=session.record_id)
    intake = uploads.intake
    refusal = None
    try:
        with intake.blobs.incoming(limit=session.received) as incoming:
            await hold.copy_to(incoming)
            if session.declared_sha256 not in (None, incoming.sha256):
                raise DigestMismatch(f"the bytes of {session.name!r} do not have the declared digest")
            await accept_photo(intake, caller, session.record_id, session.name, incoming, declared=None)
    except RecordNotYet:
        return session
    except FINAL as problem:
        refusal = problem
    said = None if refusal is None else Jsonb({"code": refusal.code, "detail": refusal.detail})
    async with uploads.connection() as conn:
        session = await store.SETTLE(conn, id=session.id, refusal=said) or session
    uploads.spool.remove(session.id)
    if refusal is not None:
        refusal.of_content = True
        raise refusal
    return session
