"""The smallest HTTP/1.1 server that can misbehave on purpose: cut a line without a word, or never answer. One request a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import msgspec


class Reset(Exception):
    """Cut the line."""


class Hang(Exception):
    """Say nothing, for ever."""


class Asked(msgspec.Struct, frozen=True):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """A body that is an iterator is sent as it comes, until the line is closed."""

    body: bytes | AsyncIterator[bytes]
    status: int = 200
    headers: Mapping[str, str] = {}


Handler = Callable[[Asked], Awaitable[Reply]]


@asynccontextmanager
async def serve(handler: Handler, *, socket: Path | None = None) -> AsyncIterator[str]:
    """On a free loopback port, and on a unix socket where one is named; yields the URL."""
    lines: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_answer(handler, reader, writer))
        lines.add(task)
        task.add_done_callback(lines.discard)

    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=512)
        stack.push_async_callback(_close, server, lines)
        if socket is not None:
            stack.push_async_callback(_close, await asyncio.start_unix_server(accept, socket), lines)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _close(server: asyncio.Server, lines: set[asyncio.Task[None]]) -> None:
    server.close()
    for task in list(lines):
        task.cancel()
    await asyncio.gather(*lines, return_exceptions=True)


async def _answer(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _read(reader)
            try:
                await _write(writer, await handler(asked))
            except Reset:
                writer.transport.abort()
            except Hang:
                await reader.read()
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    path, _, query = target.partition("?")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, unquote(path), dict(parse_qsl(query)), headers, body)


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    headers = {"Connection": "close", **reply.headers}
    if isinstance(reply.body, bytes):
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(reply.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} Status\r\n{head}\r\n".encode())
    if isinstance(reply.body, bytes):
        writer.write(reply.body)
        await writer.drain()
        return
    async for chunk in reply.body:
        writer.write(chunk)
        await writer.drain()
