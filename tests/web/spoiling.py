"""A network that spoils one connection after another: cut on the way up, deaf on the way down, or everything twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Fate = Literal["pass", "cut", "lose the answer", "twice"]


class Sent:
    """How much of one connection has gone up."""

    size = 0


class SpoilingNetwork:
    """`fates` of the connections to come, in order; all later ones pass. `met` counts those that were met."""

    def __init__(self, port: int, *, after: int) -> None:
        self.fates: list[Fate] = []
        self.met = 0
        self._to = port
        self._after = after

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fate: Fate = self.fates.pop(0) if self.fates else "pass"
        ends = [await self._open() for _ in range(2 if fate == "twice" else 1)]
        sent = Sent()
        back = asyncio.create_task(self._back(ends[0][0], writer, fate, sent))
        also = [asyncio.create_task(_drop(end[0])) for end in ends[1:]]
        left = self._after if fate == "cut" else 2**40
        with suppress(OSError):
            while left and (data := await reader.read(min(left, 65536))):
                left -= len(data)
                sent.size += len(data)
                for _, there in ends:
                    there.write(data)
                    await there.drain()
        if not left:
            self.met += 1
            writer.transport.abort()
            back.cancel()
        for _, there in ends:
            there.close()
        await asyncio.gather(back, *also, return_exceptions=True)
        self.met += fate == "twice"
        writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._to)

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: Fate, sent: Sent) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                # Neither "100 Continue" nor the answer to a pre-flight is the one.
                if fate == "lose the answer" and sent.size > self._after and b" 100 " not in data[:16]:
                    self.met += 1
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()


async def _drop(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(65536):
            pass


@asynccontextmanager
async def spoiling_network(url: str, *, after: int = 40_000) -> AsyncIterator[tuple[SpoilingNetwork, str]]:
    """The network in front of a server, and the URL that leads through it."""
    network = SpoilingNetwork(int(url.rpartition(":")[2]), after=after)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(network.carry(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield network, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
