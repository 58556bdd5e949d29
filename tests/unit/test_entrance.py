"""Thousands of streams that come in one moment begin a few at a time; an upload does not wait for them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from litestar.types import Message, Receive, Scope, Send

from app.core.entrance import BEGINNING, Entrance
from app.core.settings import Settings


def asked(path: str) -> Scope:
    return cast("Scope", {"type": "http", "path": path, "method": "GET", "state": {"request_id": "x"}})


async def nothing() -> Any:
    await asyncio.Event().wait()


async def test_streams_begin_in_line_and_uploads_pass_by() -> None:
    begun: list[str] = []
    go, stay = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["path"])
        if scope["path"] == "/api/events":
            await go.wait()
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await stay.wait()

    async def send(message: Message) -> None:
        pass

    entrance = Entrance(app, Settings())
    streams = [asyncio.create_task(entrance(asked("/api/events"), nothing, send)) for _ in range(BEGINNING + 7)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun.count("/api/events") == BEGINNING
    async with asyncio.timeout(60):
        await entrance(asked("/api/mobile/records"), nothing, send)
    # With its first bytes a stream gives its place in the line away, and goes on.
    go.set()
    async with asyncio.timeout(60):
        while begun.count("/api/events") < BEGINNING + 7:
            await asyncio.sleep(0)
    assert not any(stream.done() for stream in streams)
    stay.set()
    await asyncio.gather(*streams)


async def test_a_stream_that_is_refused_or_left_gives_its_place_away() -> None:
    waits = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await waits.wait()
        raise LookupError

    entrance = Entrance(app, Settings())
    streams = [
        asyncio.create_task(entrance(asked("/api/events"), nothing, cast("Send", nothing)))
        for _ in range(3 * BEGINNING)
    ]
    await asyncio.sleep(0)
    for left in streams[: 2 * BEGINNING]:
        left.cancel()
    waits.set()
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*streams, return_exceptions=True)
    assert [type(answer) for answer in answers[2 * BEGINNING :]] == [LookupError] * BEGINNING
