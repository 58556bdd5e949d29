"""A bad network: every connection is cut after so many bytes of what the phone sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class CuttingNetwork:
    """Half of the cuts the server hears of at once; of the others it never does, as when a phone leaves its cell."""

    def __init__(self, port: int, *, after: int) -> None:
        self.cuts = 0
        self.cuts_every_third = False
        self._connections = 0
        self._to = port
        self._after = after
        self._silent: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._to)
        back = asyncio.create_task(_pump(there_reader, writer))
        self._connections += 1
        left = 2**40 if self.cuts_every_third and self._connections % 3 else self._after
        with suppress(OSError):
            while left and (data := await reader.read(min(left, 65536))):
                there.write(data)
                await there.drain()
                left -= len(data)
        if left:
            # The phone has ended it by itself.
            there.close()
            back.cancel()
            writer.close()
            return
        self.cuts += 1
        writer.transport.abort()
        back.cancel()
        if self.cuts % 2:
            self._silent.append(there)
        else:
            there.close()

    def close(self) -> None:
        for writer in self._silent:
            writer.transport.abort()


@asynccontextmanager
async def cutting_network(url: str, *, after: int = 64 * 1024) -> AsyncIterator[tuple[CuttingNetwork, str]]:
    """The network in front of a server, and the URL that leads through it."""
    network = CuttingNetwork(int(url.rpartition(":")[2]), after=after)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(network.carry(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield network, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        network.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
