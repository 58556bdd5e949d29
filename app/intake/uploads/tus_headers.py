"""Headers of tus 1.0, read strictly and written."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from email.utils import format_datetime
from typing import Literal, get_args
from uuid import UUID

from litestar.datastructures import Headers

from app.core.errors import MalformedRequest

Algorithm = Literal["sha1", "sha256"]
MAX_METADATA = 8192
_KEY = re.compile(r"[!-+\--~]+")
"""Visible ASCII without the comma."""


def number(headers: Headers, name: str) -> int | None:
    """A header's whole number, or `None` without the header. Raises `MalformedRequest`."""
    text = headers.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise MalformedRequest(f"{name} is not a whole number")
    return int(text)


def length(headers: Headers) -> int | None:
    """The length a creation declares, or `None` for one that is deferred. Raises `MalformedRequest` for both or neither."""
    deferred = headers.get("upload-defer-length")
    declared = number(headers, "Upload-Length")
    if deferred not in (None, "1"):
        raise MalformedRequest("Upload-Defer-Length can only be 1")
    if (declared is None) == (deferred is None):
        raise MalformedRequest("send Upload-Length or Upload-Defer-Length, one of the two")
    return declared


def metadata(text: str) -> dict[str, str]:
    """`Upload-Metadata`: keys and base64 values. Raises `MalformedRequest` for what is none, or tells a key twice."""
    if len(text) > MAX_METADATA:
        raise MalformedRequest(f"Upload-Metadata is longer than {MAX_METADATA} characters")
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise MalformedRequest("Upload-Metadata has an empty, unreadable or repeated key")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError as exc:
            raise MalformedRequest(f"Upload-Metadata has no base64 of UTF-8 under {key[:40]!r}") from exc
    return found


def record_id(known: dict[str, str]) -> UUID:
    """Raises `MalformedRequest` for metadata without a record."""
    try:
        return UUID(known["record_id"])
    except (KeyError, ValueError) as exc:
        raise MalformedRequest("Upload-Metadata needs record_id, the record's uuid", pointer="/record_id") from exc


def file_name(known: dict[str, str]) -> str:
    """The photo's name: ours, or what most uploaders call it. Raises `MalformedRequest` for metadata with neither."""
    name = known.get("name") or known.get("filename")
    if not name:
        raise MalformedRequest("Upload-Metadata needs name, the photo's name in the record", pointer="/name")
    return name


def sha256(known: dict[str, str]) -> bytes | None:
    """The whole file's SHA-256, in hex. Raises `MalformedRequest`."""
    text = known.get("sha256")
    if not text:
        return None
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise MalformedRequest("the sha256 in Upload-Metadata is not 64 hexadecimal digits", pointer="/sha256")
    return bytes.fromhex(text)


def checksum(headers: Headers) -> tuple[Algorithm, bytes] | None:
    """`Upload-Checksum`: of this request's bytes. Raises `MalformedRequest`, also for an algorithm we do not know."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, digest = text.partition(" ")
    sizes: dict[Algorithm, int] = {"sha1": 20, "sha256": 32}
    for known in get_args(Algorithm):
        if algorithm == known:
            with_size = _base64(digest)
            if len(with_size) != sizes[known]:
                raise MalformedRequest(f"Upload-Checksum is no {known}")
            return known, with_size
    raise MalformedRequest(f"Upload-Checksum can be of {', '.join(get_args(Algorithm))}")


def http_date(at: datetime) -> str:
    """As `Upload-Expires` has it (RFC 9110, IMF-fixdate)."""
    return format_datetime(at, usegmt=True)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error as exc:
        raise MalformedRequest("Upload-Checksum is not base64") from exc
