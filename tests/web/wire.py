"""A way to Postgres that can be made deaf or frozen, as poolers and broken networks are. Forwards bytes on a unix socket."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg import conninfo

NOTIFICATION = b"A"


class Wire:
    """`deaf`: notifications never arrive, as behind a transaction pooler. `frozen`: nothing does, and nothing breaks."""

    def __init__(self, host: str, port: str) -> None:
        self.deaf = False
        self.connections = 0
        self._to = host, port
        self._flows = asyncio.Event()
        self._flows.set()

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host, port = self._to
        far = (
            asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else asyncio.open_connection(host, port)
        )
        back_reader, back_writer = await far
        tasks = [
            asyncio.create_task(self._forward(reader, back_writer)),
            asyncio.create_task(self._answer(back_reader, writer)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for end in (writer, back_writer):
                end.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            writer.write(data)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Every message of the server is a type byte and a length that counts itself (protocol 3, section 55.7).
        while True:
            try:
                head = await reader.readexactly(5)
                body = await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            except asyncio.IncompleteReadError:
                return
            await self._flows.wait()
            if not (self.deaf and head[:1] == NOTIFICATION):
                writer.write(head + body)


@asynccontextmanager
async def wire(database_url: str) -> AsyncIterator[tuple[Wire, str]]:
    """The wire and the URL that leads through it."""
    parts = conninfo.conninfo_to_dict(database_url)
    carrier = Wire(str(parts["host"]), str(parts.get("port") or 5432))
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.ensure_future(carrier.carry(reader, writer)))

        server = await asyncio.start_unix_server(accept, Path(folder) / ".s.PGSQL.5432")
        try:
            yield carrier, conninfo.make_conninfo(database_url, host=folder, port="5432")
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
