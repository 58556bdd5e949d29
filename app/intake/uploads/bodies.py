"""A request's body for an upload: bounded, and read only when the upload wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from litestar import Request

from app.core import errors
from app.core.errors import UnsupportedMedia
from app.intake import receiving

FOUND = (errors.UploadUnknown, errors.UploadExpired, errors.UploadTaken, errors.PhotoConflict, errors.DigestMismatch)
"""Problems of every request on an upload: it may just become a photo, or may have been refused as one."""
TAKEN = (
    *FOUND,
    errors.OffsetConflict,
    errors.InconsistentLength,
    errors.TooLarge,
    errors.IdleTimeout,
    errors.StorageFull,
)
"""Problems of a request that brings bytes."""
BEGUN = (*TAKEN, errors.TooManyRequests)


def body_of(request: Request[Any, Any, Any]) -> Callable[[int], AsyncIterator[bytes]]:
    """Reads at most so many bytes. Raises `TooLarge`, `UnsupportedMedia` and `IdleTimeout`."""

    def read_at_most(limit: int) -> AsyncIterator[bytes]:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise UnsupportedMedia("send the body without Content-Encoding")
        receiving.refuse_declared(request.headers.get("content-length"), limit=limit, named="upload_bytes")
        return receiving.bounded(request.stream(), limit=limit, named="upload_bytes")

    return read_at_most
