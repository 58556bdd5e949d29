"""Server-sent events as bytes (WHATWG HTML, section 9.2). JSON has no line breaks, so one `data:` line holds it."""

from __future__ import annotations

from typing import Literal

import msgspec

Name = Literal["state", "progress", "snapshot", "record", "health"]

RETRY = b"retry: 2000\n\n"
_ENCODER = msgspec.json.Encoder()


def frame(name: Name, data: object, id: object = None) -> bytes:
    """One event. Without an id a client keeps the last one it saw."""
    head = f"event: {name}\n" if id is None else f"event: {name}\nid: {id}\n"
    return head.encode() + b"data: " + _ENCODER.encode(data) + b"\n\n"


def mark(id: object) -> bytes:
    """Moves a client's resume point without an event."""
    return f"id: {id}\n\n".encode()


def heartbeat(**times: float | None) -> bytes:
    """A comment; clients ignore it, proxies and dead connections do not. Ours reads the times: the database's, in seconds."""
    told = " ".join(f"{name}={at:.4f}" for name, at in times.items() if at is not None)
    return f": {told}\n\n".encode()
