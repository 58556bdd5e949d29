"""Following the event stream as a client program: server-sent events over httpx, resumed by `Last-Event-ID`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec

_SILENCE_S = 45.0
"""Three of the server's heartbeats."""
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event; `kind` is `connected` when a connection was made, else the server's word."""

    kind: str
    data: str


class StreamRefused(Exception):
    """The server will not stream to us: a token without the right, or no such stream."""


async def follow(client: httpx.AsyncClient, *, token: str) -> AsyncIterator[Event]:
    """Events of all that the token may see, for ever; connects again whenever the stream ends."""
    last_id: str | None = None
    pause_s = _FIRST_PAUSE_S
    while True:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        try:
            timeout = httpx.Timeout(10.0, read=_SILENCE_S)
            async with client.stream("GET", "/api/events", headers=headers, timeout=timeout) as answer:
                if answer.is_client_error and answer.status_code != 429:
                    raise StreamRefused(f"the event stream answered {answer.status_code}")
                answer.raise_for_status()
                pause_s = _FIRST_PAUSE_S
                yield Event(kind="connected", data="")
                async for event_id, event in parse(answer.aiter_lines()):
                    last_id = event_id or last_id
                    yield event
        except (httpx.TransportError, httpx.HTTPStatusError):
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)


async def parse(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str | None, Event]]:
    """Fields of the HTML standard's event stream; comments and unfinished events are dropped."""
    kind, event_id, data = "message", None, list[str]()
    async for line in lines:
        if not line:
            if data:
                yield event_id, Event(kind=kind, data="\n".join(data))
            kind, event_id, data = "message", None, []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            kind = value
        elif field == "id":
            event_id = value
        elif field == "data":
            data.append(value)
