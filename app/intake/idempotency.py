"""The header Idempotency-Key: bare or quoted, of one device, and never for two contents.

Uploads are safe to repeat by the record's own id; the key only keeps a client from storing something else under it.
"""

from __future__ import annotations

import re
from uuid import UUID

from app.core.errors import IdempotencyKeyReused, MalformedRequest
from app.intake import store
from sql import Connection

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


def read(header: str | None) -> str | None:
    """The key of a header, without the quotes of a structured field. Raises `MalformedRequest`."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = re.sub(r"\\([\"\\])", r"\1", key[1:-1])
    if not _VISIBLE.fullmatch(key):
        raise MalformedRequest("Idempotency-Key is 1 to 255 visible ASCII characters, with or without quotes")
    return key


async def claim(conn: Connection, key: str, *, device: UUID, fingerprint: bytes) -> None:
    """From now on the key stands for this content. Raises `IdempotencyKeyReused` when it stands for another."""
    row = await store.CLAIM_KEY(conn, device=device, key=key, fingerprint=fingerprint)
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
