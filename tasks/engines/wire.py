"""Reading the contract's replies: NDJSON lines, bodies and the error envelope. Knows no paths and sends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

import httpx
import msgspec

from tasks.engines.errors import (
    BadReply,
    CommitInProgress,
    EngineError,
    Fenced,
    GrantExpired,
    InputGone,
    InputRefused,
    KeyReused,
    LookupUnsupported,
    NotAwaitingCommit,
    Refused,
    RunUnknown,
    ServiceBusy,
    ServiceUnavailable,
)

LINE_BYTES = 1 << 20
"""No event is near this long; a longer line is a broken service, not a reason to grow."""

Body = TypeVar("Body")

_BY_CODE: dict[str, type[EngineError]] = {
    "IDEMPOTENCY_KEY_REUSED": KeyReused,
    "NOT_AWAITING_COMMIT": NotAwaitingCommit,
    "COMMIT_TOKEN_EXPIRED": GrantExpired,
    "FENCED": Fenced,
    "COMMIT_IN_PROGRESS": CommitInProgress,
    "INPUT_UNKNOWN": InputGone,
    "INPUT_ANSWERED": InputGone,
    "INPUT_EXPIRED": InputGone,
    "INPUT_INVALID": InputRefused,
    "LOOKUP_UNSUPPORTED": LookupUnsupported,
}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The inside of the error envelope."""

    code: str
    message: str
    error_class: str = msgspec.field(name="class", default="bug")
    retry_after_s: float | msgspec.UnsetType | None = msgspec.UNSET
    details: dict[str, object] | msgspec.UnsetType | None = msgspec.UNSET


class ErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every refusal's body."""

    error: ErrorBody


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Complete, non-empty lines split on `\\n` alone.

    `aiter_lines` also splits on U+2028, which is legal inside JSON, and has no limit. An unfinished last line is
    dropped: the connection broke in the middle of it. Raises `BadReply` for a line beyond `LINE_BYTES`.
    """
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise BadReply(f"an event line is longer than {LINE_BYTES} bytes")
        for line in whole:
            if line.strip():
                yield line


def read(reply: httpx.Response, shape: type[Body]) -> Body:
    """The body as `shape`; raises `BadReply`."""
    try:
        return msgspec.json.decode(reply.content, type=shape)
    except msgspec.MsgspecError as exc:
        raise BadReply(f"{reply.request.method} {reply.request.url.path}: {exc}") from exc


def refusal(reply: httpx.Response) -> EngineError:
    """The exception for a reply that is not a success; its body must have been read."""
    try:
        error = msgspec.json.decode(reply.content, type=ErrorEnvelope).error
    except msgspec.MsgspecError:
        error = ErrorBody(code="", message=f"HTTP {reply.status_code}")
    if error.code in _BY_CODE:
        return _BY_CODE[error.code](error.message)
    if reply.status_code == 429 or (reply.status_code == 503 and "retry-after" in reply.headers):
        return ServiceBusy(error.message, retry_after_s=seconds(reply.headers.get("retry-after")))
    if reply.status_code >= 500:
        return ServiceUnavailable(error.message)
    if reply.status_code in {404, 410}:
        return RunUnknown(error.message)
    return Refused(f"{error.code or reply.status_code}: {error.message}")


def seconds(header: str | None) -> float | None:
    """Of a Retry-After in whole seconds; the other form it can have is ignored."""
    return float(header) if header is not None and header.isdigit() else None
