"""A disk of its own for one process: some megabytes of memory, mounted where it alone sees it, and whoever is sent there."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

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


def beside(pid: int) -> tuple[str, ...]:
    """What a command is prefixed with to find the disks of this process."""
    enter = ("nsenter", "--target", str(pid), "--mount")
    if Path(f"/proc/{pid}/ns/user").readlink() == Path("/proc/self/ns/user").readlink():
        return enter
    return (*enter, "--user", "--preserve-credentials")


class Disk:
    """A process's disk as it sees it. `fill` leaves so many bytes, `empty` gives the room back."""

    def __init__(self, pid: int, place: Path) -> None:
        self.root = Path(f"/proc/{pid}/root{place}")
        self._filler = self.root / "filler"

    def fill(self, *, leave: int = 0) -> None:
        """Others may write to the disk meanwhile: it is full in the end, whoever took the last byte."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while (more := self.free() - leave) > 0:
                    filler.write(b"\0" * min(more, 2**20))
            except OSError as exc:
                if exc.errno != errno.ENOSPC:
                    raise

    def empty(self) -> None:
        self._filler.unlink()

    def free(self) -> int:
        stat = os.statvfs(self.root)
        return stat.f_bavail * stat.f_frsize

    def files(self) -> set[str]:
        """All but the filler."""
        found = (path for path in self.root.rglob("*") if path.is_file() and path != self._filler)
        return {str(path.relative_to(self.root)) for path in found}
