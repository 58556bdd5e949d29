"""The children's log files: opened for appending, turned over by size, and read back for whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

FULL_BYTES = 10 * 2**20
_LOOK_S = 0.2


def open_log(path: Path, *, full: int = FULL_BYTES) -> BinaryIO:
    """Open a log for appending; a full one becomes `<name>.1`, replacing the one before."""
    if path.exists() and path.stat().st_size >= full:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def last_lines(path: Path, *, count: int = 8) -> list[str]:
    """The end of a log, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


async def follow(logs: Path, *, show: Callable[[str], None]) -> None:
    """Show every line added to a log in this directory from now on, the log's name in front; never ends."""
    at = {path: path.stat().st_size for path in _logs_in(logs)}
    while True:
        await asyncio.sleep(_LOOK_S)
        for path in _logs_in(logs):
            at[path] = _show_new(path, start=at.get(path, 0), show=show)


def _logs_in(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.log"))


def _show_new(path: Path, *, start: int, show: Callable[[str], None]) -> int:
    size = path.stat().st_size
    # A log that was turned over starts again.
    start = 0 if size < start else start
    with path.open("rb") as file:
        file.seek(start)
        added = file.read(size - start)
    whole = added.rfind(b"\n") + 1
    for line in added[:whole].decode(errors="replace").splitlines():
        show(f"{path.stem:>8} | {line}")
    return start + whole
