"""docs/events.md shows one event of each kind: as a real stream tells them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from app.live.cursor import many_cursor
from sql import Connection
from tests.factories import claim, make_record
from tests.reference.places import DOCS
from tests.reference.stream import EVENTS
from tests.web.live import Event, Tail, live, say


def shown() -> list[Event]:
    """The examples of the page, read as a client reads a stream."""
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    examples = re.search(r"<!-- examples -->\n```\n(.*?)```\n<!-- /examples -->", page, re.DOTALL)
    assert examples
    tail = Tail()
    for block in examples[1].split("\n\n"):
        tail.take(block.splitlines())
    return tail.events


def shape(value: Any) -> Any:
    """Names and kinds, without what differs from time to time."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


async def test_the_examples_of_the_page_are_what_a_stream_tells(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    made = await make_record(conn, state="queued")
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as tail:
        await tail.of("snapshot")
        await tail.healthy(progress="live", status="listen")
        attempt = await claim(conn, made.job_id)
        await tail.state(made.job_id, "processing")
        await say(redis_url, made, attempt=attempt, percent=40)
        await tail.of("progress")
        await conn.execute("select ops.comment(%s, 'Called the crew.')", [made.record_id])
        await tail.of("record")
    for example in shown():
        told = next(event for event in reversed(tail.events) if event.name == example.name)
        msgspec.convert(example.data, EVENTS[example.name])
        assert shape(example.data) == shape(told.data), msgspec.json.encode(told.data).decode()
        assert bool(example.id) == bool(told.id)
        if example.id:
            assert many_cursor(example.id)
    assert {example.name for example in shown()} == set(EVENTS)
