"""Keyset cursors: the last row's place in the order, opaque to clients and checked when it comes back."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.errors import MalformedRequest

MAX_LIMIT = 200


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A row's place in a list ordered by time and id, newest first."""

    at: datetime
    id: UUID


FIRST = Place(datetime.fromisoformat("9999-01-01T00:00:00+00:00"), UUID(int=2**128 - 1))


def decode(cursor: str | None) -> Place:
    """Where a page begins. Raises `MalformedRequest` for a cursor that is none of ours."""
    if not cursor:
        return FIRST
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=Place)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError) as exc:
        raise MalformedRequest("the cursor is not one of ours", pointer="/cursor") from exc


def encode(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def limit(wanted: int) -> int:
    """Raises `MalformedRequest` outside 1 to `MAX_LIMIT`."""
    if not 1 <= wanted <= MAX_LIMIT:
        raise MalformedRequest(f"limit must be between 1 and {MAX_LIMIT}", pointer="/limit")
    return wanted
