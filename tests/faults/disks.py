"""A disk of its own for one process: a few megabytes of memory, mounted where the process alone sees it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.faults.processes import Proc

WAYS = (("unshare", "--map-root-user", "--mount"), ("unshare", "--mount"))
"""As anybody, where the system lets people have namespaces; else as root."""


def small_disk(place: Path, *, mib: int) -> tuple[str, ...]:
    """What a command is prefixed with to find `place` on a disk of so many mebibytes. Raises `AssertionError`."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ("sh", "-c", f'mount -t tmpfs -o size={mib}m tmpfs "$0" && exec "$@"', str(place))
    for way in WAYS:
        if subprocess.run([*way, *mount, "true"], capture_output=True, check=False).returncode == 0:
            return (*way, *mount)
    raise AssertionError("a full disk needs a mount namespace: root, or a system that lets people have them")


class Disk:
    """A process's disk as it sees it. `fill` leaves so many bytes, `empty` gives the room back."""

    def __init__(self, proc: Proc, place: Path) -> None:
        self.root = Path(f"/proc/{proc.pid}/root{place}")
        self._filler = self.root / "filler"

    def fill(self, *, leave: int) -> None:
        free = self.free()
        with self._filler.open("ab") as filler:
            filler.write(b"\0" * (free - leave))

    def empty(self) -> None:
        self._filler.unlink()

    def free(self) -> int:
        stat = os.statvfs(self.root)
        return stat.f_bavail * stat.f_frsize

    def files(self) -> set[str]:
        """All but the filler."""
        found = (path for path in self.root.rglob("*") if path.is_file() and path != self._filler)
        return {str(path.relative_to(self.root)) for path in found}
