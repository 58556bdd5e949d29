"""The portal's submission log: one fsynced JSON line for every submit request, the ground truth for "exactly once"."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A submit request as the portal saw it; `fence` is the attempt that the request named."""

    reference: str
    fence: int | None
    time: datetime
    accepted: bool
    confirmation: str | None = None
    portal: str = "npl"


class Ledger:
    """Appends only. A line is on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # O_APPEND: a second portal process on the same file can interleave lines, never overwrite them.
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    async def write(self, *, reference: str, fence: int | None, confirmation: str | None, portal: str = "npl") -> None:
        """Record one submit request; it was accepted when it has a confirmation number."""
        line = Line(
            reference=reference,
            fence=fence,
            time=datetime.now(UTC),
            accepted=confirmation is not None,
            confirmation=confirmation,
            portal=portal,
        )
        await asyncio.to_thread(self._append, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """After the last request."""
        os.close(self._fd)

    def _append(self, line: bytes) -> None:
        os.write(self._fd, line)
        os.fsync(self._fd)
