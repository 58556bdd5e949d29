"""Two network namespaces of our own and a wire between them: a place whose network can be taken away, whole or one way.

Only root can make them; without, `usable` says so and the tests take the relay instead, which can fall silent: whole, by a stop;
or connection by connection, as a router does that forgot about one (`HALF_OPEN`, `ALL_DEAF`, `HEALED`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.faults.processes import Proc

SERVERS, PLACE = "10.77.1.1", "10.77.1.2"
HALF_OPEN, ALL_DEAF, HEALED = signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP
"""For a relay. What is open now is carried no further, and nobody is told; so is what comes; what comes is carried again."""


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


class Ways:
    """Which connections are carried. One that is not stays open, takes what it is given, and brings nothing."""

    def __init__(self) -> None:
        self._open: set[asyncio.Event] = set()
        self._new_are_carried = True

    def begin(self) -> asyncio.Event:
        """Of a connection that came: set when it is cut off."""
        cut_off = asyncio.Event()
        if not self._new_are_carried:
            cut_off.set()
        self._open.add(cut_off)
        return cut_off

    def end(self, cut_off: asyncio.Event) -> None:
        self._open.discard(cut_off)

    def obey(self) -> None:
        """From now on, by the signals."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(HALF_OPEN, self._cut_off, True)
        loop.add_signal_handler(ALL_DEAF, self._cut_off, False)
        loop.add_signal_handler(HEALED, self._heal)

    def _cut_off(self, new_are_carried: bool) -> None:
        self._new_are_carried = new_are_carried
        for cut_off in self._open:
            cut_off.set()

    def _heal(self) -> None:
        self._new_are_carried = True


async def carry(listen: str, to: str) -> None:
    ways = Ways()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await _open(to)
        except OSError:
            writer.transport.abort()
            return
        cut_off = ways.begin()
        both = [
            asyncio.create_task(_pump(reader, there_writer, cut_off)),
            asyncio.create_task(_pump(there_reader, writer, cut_off)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for way in both:
            way.cancel()
        ways.end(cut_off)
        for end in (writer, there_writer):
            end.transport.abort()

    if listen.startswith("/"):
        server = await asyncio.start_unix_server(accept, listen)
        said = listen
    else:
        host, _, port = listen.rpartition(":")
        server = await asyncio.start_server(accept, host, int(port))
        said = f"{host}:{server.sockets[0].getsockname()[1]}"
    ways.obey()
    print(f"ready {said}", flush=True)
    await server.serve_forever()


async def _open(to: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if to.startswith("/"):
        return await asyncio.open_unix_connection(to)
    host, _, port = to.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut_off: asyncio.Event) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            if not cut_off.is_set():
                writer.write(data)
                await writer.drain()


if __name__ == "__main__":
    asyncio.run(carry(sys.argv[1], sys.argv[2]))
