"""Reading an event stream line by line, as the HTML standard has it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.local.following import Event, parse


async def lines(text: str) -> AsyncIterator[str]:
    for line in text.split("\n"):
        yield line


async def read(text: str) -> list[tuple[str | None, Event]]:
    return [item async for item in parse(lines(text))]


async def test_events_ids_comments_and_folded_data() -> None:
    text = 'retry: 2000\n\n: ping\n\nevent: state\nid: e-1\ndata: {"a":\ndata: 1}\n\nevent:progress\ndata:x\n\ndata: bare\n\n'
    assert await read(text) == [
        ("e-1", Event(kind="state", data='{"a":\n1}')),
        (None, Event(kind="progress", data="x")),
        (None, Event(kind="message", data="bare")),
    ]


async def test_an_event_cut_off_is_dropped() -> None:
    assert await read("event: state\nid: e-2\ndata: {") == []
