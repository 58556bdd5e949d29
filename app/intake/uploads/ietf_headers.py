"""Headers of resumable uploads for HTTP (IETF), which are structured fields (RFC 9651), and of digests (RFC 9530).

What the drafts call invalid is ignored, as if the header were not there; only digests are strict.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from typing import Literal

from litestar.datastructures import Headers

from app.core.errors import InconsistentLength, MalformedRequest
from app.intake.uploads.store import Session

Algorithm = Literal["sha256", "sha512"]
_ALGORITHMS: tuple[tuple[str, Algorithm, int], ...] = (("sha-512", "sha512", 64), ("sha-256", "sha256", 32))


def boolean(headers: Headers, name: str) -> bool | None:
    """A Boolean item."""
    return {"?1": True, "?0": False}.get(_item(headers, name))


def integer(headers: Headers, name: str) -> int | None:
    """A non-negative Integer item."""
    text = _item(headers, name)
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def length(headers: Headers, *, offset: int, complete: bool) -> int | None:
    """The upload's length as this request tells it. Raises `InconsistentLength` when it tells two."""
    told = integer(headers, "Upload-Length")
    content = headers.get("content-length", "")
    if not complete or not content.isdecimal():
        return told
    whole = offset + int(content)
    if told not in (None, whole):
        raise InconsistentLength(f"Upload-Length says {told}, and the last byte is number {whole}")
    return whole


def digest(headers: Headers, name: str) -> tuple[Algorithm, bytes] | None:
    """The best digest that we can compute. Raises `MalformedRequest` for one that cannot be read."""
    members = dict(member.strip().partition("=")[::2] for member in headers.get(name, "").split(","))
    for key, algorithm, size in _ALGORITHMS:
        if key in members:
            value = _bytes(members[key])
            if len(value) != size:
                raise MalformedRequest(f"{name} has no {key}")
            return algorithm, value
    return None


def sha256(headers: Headers) -> bytes | None:
    """`Repr-Digest`: the SHA-256 of the whole file. Raises `MalformedRequest`."""
    members = [member.strip() for member in headers.get("repr-digest", "").split(",")]
    found = next((member for member in members if member.startswith("sha-256=")), None)
    if found is None:
        return None
    value = _bytes(found.removeprefix("sha-256="))
    if len(value) != 32:
        raise MalformedRequest("Repr-Digest has no sha-256")
    return value


def limits(most: int, *, age_s: float) -> str:
    """`Upload-Limit`: bytes of an upload, and the seconds it has left."""
    return f"max-size={most}, max-age={max(0, int(age_s))}"


def progress(session: Session, *, most: int) -> dict[str, str]:
    """Where an upload stands."""
    told = {
        "Upload-Offset": str(session.received),
        "Upload-Complete": "?0" if session.state == "receiving" else "?1",
        "Upload-Limit": limits(most, age_s=session.expires_at.timestamp() - time.time()),
        "Cache-Control": "no-store",
    }
    return told if session.length is None else told | {"Upload-Length": str(session.length)}


def _item(headers: Headers, name: str) -> str:
    """Without its parameters, of which none means anything to us."""
    return headers.get(name, "").partition(";")[0].strip()


def _bytes(text: str) -> bytes:
    try:
        if text[:1] == text[-1:] == ":" and len(text) > 1:
            return base64.b64decode(text[1:-1], validate=True)
    except binascii.Error:
        pass
    raise MalformedRequest("a digest is not base64 between colons")
