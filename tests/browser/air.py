"""What lies between a browser and the server: a relay that can be cut, or fall silent without a word to either end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Air:
    """`url` leads through it. `cut` ends every connection and takes no more; `silence` lets bytes vanish, both ways."""

    def __init__(self, port: int) -> None:
        self.url = ""
        self._to = port
        self._cut = False
        self._loud = asyncio.Event()
        self._loud.set()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._cut = True
        for writer in self._open:
            writer.transport.abort()

    def silence(self) -> None:
        """As a laptop that sleeps: nobody is told, and what was sent meanwhile never arrives."""
        self._loud.clear()

    def heal(self) -> None:
        """New connections work; those that fell silent stay so, as their bytes are lost."""
        self._cut = False
        self._loud.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut or not self._loud.is_set():
            writer.transport.abort()
            return
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, there}
        ways = [asyncio.create_task(self._pump(reader, there)), asyncio.create_task(self._pump(there_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for end in (writer, there):
                end.transport.abort()
            self._open -= {writer, there}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not self._loud.is_set():
                    await asyncio.Event().wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def air(url: str) -> AsyncIterator[Air]:
    """Lay it in front of the server at `url`."""
    between = Air(int(url.rpartition(":")[2]))
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(between.carry(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    between.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield between
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
