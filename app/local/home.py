"""The home of a local stack: where its data, secrets, logs and settings lie.

It never starts anything; `lock` says who may use a home.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from random import SystemRandom

import msgspec

from app.core.vault import new_key
from app.local.errors import LocalStackError

SERVERS_PORTS = range(20_000, 32_768)
"""No system gives these to clients by itself."""


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Made once for a home."""

    automation_token: str
    secret_key: str = ""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Loopback ports of the processes nobody has to know by heart; kept, so that links in old records stay right."""

    runner: int
    portal: int


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """The paths below one directory."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "postgres"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def runs(self) -> Path:
        return self.root / "runner"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def portal_log(self) -> Path:
        return self.root / "portal-log.jsonl"

    @property
    def lock_file(self) -> Path:
        return self.root / "lock"

    @property
    def pids_file(self) -> Path:
        return self.root / "pids.json"

    @property
    def env_file(self) -> Path:
        return self.root / "env"

    @property
    def secrets_file(self) -> Path:
        return self.root / "secrets.json"

    @property
    def accounts_file(self) -> Path:
        return self.root / "accounts.toml"

    @property
    def token_file(self) -> Path:
        return self.root / "token"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"


def locate(chosen: Path | None, *, env: Mapping[str, str], platform: str, user_home: Path) -> Home:
    """The home named on the command line, else the platform's directory for user data."""
    if chosen is not None:
        return Home(root=chosen.expanduser().absolute())
    if platform == "darwin":
        return Home(root=user_home / "Library" / "Application Support" / "asbuilt")
    data_home = Path(env.get("XDG_DATA_HOME", ""))
    # The XDG rules: a relative path there is to be ignored.
    base = data_home if data_home.is_absolute() else user_home / ".local" / "share"
    return Home(root=base / "asbuilt")


def prepare(home: Home) -> None:
    """Make the directories, closed to other users.

    Raises `LocalStackError` when that is not possible.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        home.root.chmod(0o700)
        for directory in (home.blobs, home.runs, home.logs):
            directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise LocalStackError(f"{home.root} cannot be used: {exc.strerror}. Choose another with --home.") from exc


def load_secrets(home: Home) -> Secrets:
    """The home's secrets, made at the first call."""
    try:
        kept = msgspec.json.decode(home.secrets_file.read_bytes(), type=Secrets)
    except FileNotFoundError:
        kept = Secrets(automation_token=secrets.token_urlsafe(32))
    if not kept.secret_key:
        # Also for a home of a version that sealed nothing yet.
        kept = msgspec.structs.replace(kept, secret_key=new_key())
        write_private(home.secrets_file, content=msgspec.json.encode(kept))
    return kept


def load_token(home: Home) -> str:
    """The upload token of an earlier start, or ""."""
    try:
        return home.token_file.read_text().strip()
    except FileNotFoundError:
        return ""


def keep_token(home: Home, *, token: str) -> None:
    """Keep the upload token: the database has only its hash."""
    if token != load_token(home):
        write_private(home.token_file, content=f"{token}\n".encode())


def load_ports(home: Home) -> Ports:
    """The home's ports; one that somebody else took meanwhile is replaced."""
    kept: Ports | None = None
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
        kept = msgspec.json.decode(home.ports_file.read_bytes(), type=Ports)
    runner = kept.runner if kept is not None and is_free(kept.runner) else free_port()
    portal = kept.portal if kept is not None and is_free(kept.portal) else free_port(other_than=runner)
    ports = Ports(runner=runner, portal=portal)
    if ports != kept:
        write_private(home.ports_file, content=msgspec.json.encode(ports))
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it, connections of a server just ended would make the port look taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_env(home: Home, *, values: Mapping[str, str]) -> None:
    """Keep the running stack's settings as NAME=value lines."""
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    write_private(home.env_file, content=lines.encode())


def read_env(home: Home) -> dict[str, str]:
    """What `write_env` kept; empty when there is nothing."""
    try:
        lines = home.env_file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: value for name, _, value in (line.partition("=") for line in lines) if name}


def write_private(path: Path, *, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


def free_port(*, other_than: int = 0) -> int:
    """A loopback port nobody has now."""
    # Below those that systems give to clients: a connection made meanwhile would have it when its server comes.
    for port in SystemRandom().sample(SERVERS_PORTS, 1000):
        if port != other_than and is_free(port):
            return port
    raise LocalStackError("there is no free port below 32768", exit_code=1)
