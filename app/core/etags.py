"""ETags by content: a phone that has the answer already is told so in a few bytes (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
import re
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

T = TypeVar("T")

_NUMBERED = re.compile(r'"?(\d{1,9})(?:\.[0-9a-f]+)?"?')


def tagged(request: Request[Any, Any, Any], view: T, *, prefix: str = "") -> Response[T]:
    """The view with its ETag, or 304 without a body for a client that has it. `prefix` goes before the hash."""
    etag = f'"{prefix}{hashlib.sha256(msgspec.json.encode(view)).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if has(request, etag):
        nothing: Response[Any] = Response(None, status_code=304, headers=headers)
        return nothing
    return Response(view, headers=headers)


def has(request: Request[Any, Any, Any], etag: str) -> bool:
    """Whether the client names this ETag in If-None-Match."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag in known or "*" in known


def number(if_match: str) -> int | None:
    """The number that an If-Match names: itself, or the prefix of an ETag of `tagged`. None: it names none."""
    match = _NUMBERED.fullmatch(if_match.strip())
    return None if match is None else int(match[1])
