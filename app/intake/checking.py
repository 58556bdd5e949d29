"""The checks that an upload could not wait for, made behind the queue: each photo decoded whole, whatever it takes.

Every photo is settled in a transaction of its own; the last one lets the job go on. Doing it twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from app.core.blobs import Blobs
from app.core.db import Pool
from app.intake import rows, store
from app.intake.context import Contexts
from app.intake.decoders import DecoderLost, Decoders
from app.intake.photos import inspect
from app.intake.rules import Related, check

log = logging.getLogger("asbuilt.intake")

DECODE_S = 60.0
"""A picture of 64 million pixels takes some seconds; one that takes a minute is broken on purpose."""


class Checker:
    """Looks at the deferred photos of records; one process decodes at a time."""

    def __init__(self, pool: Pool, blobs: Blobs) -> None:
        self._pool = pool
        self._blobs = blobs
        self._contexts = Contexts(pool)
        self._decoders = Decoders(size=1, deadline_s=DECODE_S)

    async def check(self, record_id: UUID) -> None:
        """Until none is left, also those that come meanwhile. Raises the database's trouble and `StorageUnavailable`."""
        while await self._round(record_id):
            pass

    async def jpeg(self, sha256: bytes) -> bytes | None:
        """A stored photo as an upright JPEG of full size; None when none can be made. Raises `StorageUnavailable`."""
        with tempfile.TemporaryDirectory(prefix="asbuilt-") as folder:
            draft = Path(folder) / "upright.jpg"
            async with self._blobs.local(sha256) as path:
                try:
                    answer = await self._decoders.render(path, draft)
                except DecoderLost:
                    return None
            return await asyncio.to_thread(draft.read_bytes) if answer.verdict == "done" else None

    async def aclose(self) -> None:
        await self._decoders.aclose()

    async def _round(self, record_id: UUID) -> bool:
        """Every photo that is deferred now; whether there may be more."""
        async with self._pool.connection() as conn:
            row = await store.PHOTO_CONTEXT(conn, record=record_id, device=None, sha256=b"")
        if row is None:
            log.info("the record is gone", extra={"event": "checks.gone", "record": record_id})
            return False
        upload, facts = rows.as_upload(row)
        context = await self._contexts.find(
            device=row.device_id, project=upload.project, form=upload.form, version=upload.form_version
        )
        deferred = [p for p in upload.photos if p.name in facts and facts[p.name].checks == "deferred"]
        left = 0
        for photo in deferred:
            sha256 = facts[photo.name].sha256 or ""
            async with self._blobs.local(bytes.fromhex(sha256)) as path:
                seen = await inspect(
                    path, decoders=self._decoders, kind=photo.kind, sha256=sha256, tz=context.tz, whole=True
                )
            # Its bytes are stored and stay; that nobody may decode them makes them unreadable.
            reason = seen.unreadable_reason or seen.rejected_reason
            facts[photo.name] = msgspec.structs.replace(seen, unreadable_reason=reason, rejected_reason=None)
            others = tuple(other for other in upload.photos if other.name != photo.name)
            judged = context.judge(msgspec.structs.replace(upload, photos=(*others, photo)), facts, related=Related())
            findings = [
                finding
                for finding in check(judged)
                # That its bytes are those of another one was found when it came; here each of the two would be told.
                if finding.photo == photo.name and "sha256" not in finding.evidence
            ]
            left = await self._settle(record_id, rows.photo_row(photo, facts[photo.name]), findings)
        return left > 0 if deferred else await self._settle(record_id, {}, []) > 0

    async def _settle(self, record_id: UUID, photo: dict[str, object], findings: list[rows.Finding]) -> int:
        async with self._pool.connection() as conn:
            settled = await store.SETTLE_CHECK(
                conn,
                record=record_id,
                photo=Jsonb(photo),
                defects=Jsonb(msgspec.to_builtins(findings)),
            )
        return settled.remain
