"""Two network namespaces of our own and a wire between them: a place whose network can be taken away, whole or one way.

Only root can make them; without, `usable` says so and the tests take the relay instead, which can fall silent.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.faults.processes import Proc

SERVERS, PLACE = "10.77.1.1", "10.77.1.2"


def usable() -> bool:
    """Root, with `ip` and `nft` here and namespaces allowed."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nft") is None:
        return False
    name = f"ab-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


class Wire:
    """`inside` runs a command at the cut-off end; the servers' end reaches our servers by relays."""

    def __init__(self, tag: str) -> None:
        self._far, self._near = f"abf-{tag}", f"abn-{tag}"
        self.inside = ("ip", "netns", "exec", self._near)
        self.outside = ("ip", "netns", "exec", self._far)

    def lay(self) -> None:
        for name in (self._far, self._near):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run(
            "ip", "link", "add", "abv0", "netns", self._far, "type", "veth", "peer", "name", "abv1", "netns", self._near
        )
        for name, link, address in ((self._far, "abv0", SERVERS), (self._near, "abv1", PLACE)):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
        run(*self.inside, "nft", "add", "table", "inet", "faults")
        for hook in ("input", "output"):
            chain = f"{{ type filter hook {hook} priority 0 ; }}"
            run(*self.inside, "nft", "add", "chain", "inet", "faults", hook, chain)

    def cut(self, *, outgoing: bool = True, incoming: bool = True) -> None:
        """Packets vanish; nobody is told."""
        if outgoing:
            run(*self.inside, "nft", "add", "rule", "inet", "faults", "output", "ip", "daddr", SERVERS, "drop")
        if incoming:
            run(*self.inside, "nft", "add", "rule", "inet", "faults", "input", "ip", "saddr", SERVERS, "drop")

    def heal(self) -> None:
        for hook in ("input", "output"):
            run(*self.inside, "nft", "flush", "chain", "inet", "faults", hook)

    def remove(self) -> None:
        for name in (self._far, self._near):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@asynccontextmanager
async def wire(tag: str) -> AsyncIterator[Wire]:
    made = Wire(tag)
    made.remove()
    try:
        made.lay()
        yield made
    finally:
        made.remove()


def relay(name: str, *, listen: str, to: str, folder: Path, env: dict[str, str], prefix: tuple[str, ...] = ()) -> Proc:
    """A process that carries connections; `listen` and `to` are `host:port` or the path of a unix socket."""
    return Proc(name, (sys.executable, "-m", "tests.faults.network", listen, to), env=env, folder=folder, prefix=prefix)


async def carry(listen: str, to: str) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await _open(to)
        except OSError:
            writer.transport.abort()
            return
        ways = [asyncio.create_task(_pump(reader, there_writer)), asyncio.create_task(_pump(there_reader, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (writer, there_writer):
            end.transport.abort()

    if listen.startswith("/"):
        server = await asyncio.start_unix_server(accept, listen)
        said = listen
    else:
        host, _, port = listen.rpartition(":")
        server = await asyncio.start_server(accept, host, int(port))
        said = f"{host}:{server.sockets[0].getsockname()[1]}"
    print(f"ready {said}", flush=True)
    await server.serve_forever()


async def _open(to: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if to.startswith("/"):
        return await asyncio.open_unix_connection(to)
    host, _, port = to.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(carry(sys.argv[1], sys.argv[2]))
