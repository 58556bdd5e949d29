"""One home, one stack: the lock its supervisor holds, and the processes a killed supervisor may have left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.local.errors import LocalStackError
from app.local.home import Home, write_private

_PROBE_TRIES = 10
_PROBE_PAUSE_S = 0.05
_END_S = 30.0


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A child as it was started; `identity` tells it from a later process with the same number."""

    name: str
    pid: int
    identity: str
    stop_signal: int


@contextlib.contextmanager
def hold(home: Home) -> Iterator[None]:
    """Hold the home for the life of this process; the kernel gives it back however the process ends.

    Raises `LocalStackError` that names the process which has it.
    """
    with home.lock_file.open("a+") as file:
        os.fchmod(file.fileno(), 0o600)
        # A look by `owner` takes the lock for an instant; it must not look like a second stack.
        for attempt in range(_PROBE_TRIES):
            if _take(file.fileno()):
                break
            if attempt == _PROBE_TRIES - 1:
                raise LocalStackError(
                    f"Already running for {home.root}: process {_pid_in(home.lock_file)}. "
                    "Stop that one first, or use another --home."
                )
            time.sleep(_PROBE_PAUSE_S)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def owner(home: Home) -> str | None:
    """The process id of the stack that runs for this home, or None."""
    try:
        with home.lock_file.open("r") as file:
            return None if _take(file.fileno(), shared=True) else _pid_in(home.lock_file)
    except FileNotFoundError:
        return None


def record(home: Home, *, children: list[Recorded]) -> None:
    """Keep the list of running children for a next start."""
    write_private(home.pids_file, content=msgspec.json.encode(children))


def end_leftovers(home: Home) -> list[str]:
    """End what a killed supervisor left running, youngest first; the names of those. Call it while holding the home."""
    try:
        recorded = msgspec.json.decode(home.pids_file.read_bytes(), type=list[Recorded])
    except (FileNotFoundError, msgspec.DecodeError):
        return []
    ended = [child.name for child in reversed(recorded) if _end(child)]
    home.pids_file.unlink(missing_ok=True)
    return ended


def identity(pid: int) -> str | None:
    """What tells this process from any other that has or had its number; None when it is gone."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return None
        # Fields after the name, which may hold spaces and brackets: state first, start time as the twentieth.
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    answer = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def _end(child: Recorded) -> bool:
    if identity(child.pid) != child.identity:
        return False
    for number in (child.stop_signal, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline:
            if identity(child.pid) != child.identity:
                return True
            time.sleep(_PROBE_PAUSE_S)
    raise LocalStackError(f"Process {child.pid} ({child.name}) of an earlier start does not end.", exit_code=1)


def _take(descriptor: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(path: Path) -> str:
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"
