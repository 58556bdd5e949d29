"""An upload grows by a piece: bytes to the spool, synced, then known to the row. What came before a cut is kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Literal
from uuid import UUID

import msgspec

from app.core.crashpoints import crashpoint
from app.core.errors import DigestMismatch, InconsistentLength, TooLarge, UploadUnknown
from app.intake.uploads import store
from app.intake.uploads.context import Uploads
from app.intake.uploads.spool import Hold, until_wanted
from app.intake.uploads.store import Session

CHECKPOINT = 4 * 2**20
"""So many bytes of one long request at most are sent again after the process was killed."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A request's bytes for an upload. `body` reads at most so many of them; `digest` is of this piece alone.

    `completes` says whether it is the last piece; `None` leaves that to the length.
    """

    offset: int
    body: Callable[[int], AsyncIterator[bytes]]
    length: int | None = None
    digest: tuple[Literal["sha1", "sha256", "sha512"], bytes] | None = None
    completes: bool | None = None


async def write(uploads: Uploads, hold: Hold, session: Session, piece: Piece) -> Session:
    start = session.received
    most = uploads.intake.settings.upload_bytes if session.length is None else session.length
    try:
        await _receive(uploads, hold, session, piece, most - start)
    except BaseException as exc:
        if piece.digest is not None or isinstance(exc, TooLarge):
            hold.cut(start)
        if isinstance(exc, TooLarge) and piece.completes is not None and session.length is not None:
            # The draft wants it so: whoever sends more than announced has sent something else.
            await forget(uploads, session.id)
            raise InconsistentLength(f"the upload was to have {session.length} bytes") from exc
        await progress(uploads, hold, session, complete=_by_length(hold, session, piece))
        raise
    complete = piece.completes or _by_length(hold, session, piece)
    if complete and session.length not in (None, hold.size):
        await progress(uploads, hold, session, complete=False)
        raise InconsistentLength(f"the upload was to have {session.length} bytes, and has {hold.size}")
    return await progress(uploads, hold, session, complete=complete)


def _by_length(hold: Hold, session: Session, piece: Piece) -> bool:
    return piece.completes is None and hold.size == session.length


async def _receive(uploads: Uploads, hold: Hold, session: Session, piece: Piece, most: int) -> None:
    """Raises `DigestMismatch`, and what the body raises: `IdleTimeout` when it is cut."""
    algorithm, declared = piece.digest or (None, b"")
    hashing = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
    synced = hold.size
    async with aclosing(until_wanted(piece.body(most), hold)) as chunks:
        async for chunk in chunks:
            await hold.write(chunk)
            if hashing is not None:
                hashing.update(chunk)
            elif hold.size - synced >= CHECKPOINT:
                await progress(uploads, hold, session, complete=_by_length(hold, session, piece))
                synced = hold.size
    if hashing is not None and hashing.digest() != declared:
        raise DigestMismatch("the bytes do not have the declared checksum")


async def progress(uploads: Uploads, hold: Hold, session: Session, *, complete: bool) -> Session:
    """What the file holds is safe, and then known to be."""
    await hold.sync()
    await crashpoint("U1", subject=session.record_id)
    async with uploads.connection() as conn:
        known = await store.PROGRESS(
            conn,
            id=session.id,
            received=hold.size,
            length=hold.size if complete else session.length,
            complete=complete,
            ttl_s=uploads.intake.settings.upload_ttl_s,
        )
    if known is None:
        raise UploadUnknown
    return known


async def forget(uploads: Uploads, upload: UUID) -> None:
    async with uploads.connection() as conn:
        await store.REMOVE(conn, id=upload)
    uploads.spool.remove(upload)
