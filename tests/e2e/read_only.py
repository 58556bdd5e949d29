"""A process on a read-only root, as `read_only: true` gives it to a container: a mount namespace of its own, where the system has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

# What is mounted first is made read-only last: what is bound from it in between stays as it is.
SCRIPT = r"""
before=$(awk '$2 !~ "^/(proc|sys|dev)(/|$)" {print $2}' /proc/self/mounts)
mount -t tmpfs -o size=512m,mode=1777 tmpfs "$1"
shift
while [ "$1" != -- ]; do mount --bind "$1" "$1"; shift; done
shift
for each in $before; do mount -o remount,bind,ro "$each"; done
exec "$@"
"""


def command(words: Sequence[str], *, tmp: Path, volumes: Sequence[Path]) -> list[str]:
    """`words` where nothing can be written to but `tmp`, which is memory, and `volumes`; as they are where that cannot be had."""
    return [*_apart(), str(tmp), *map(str, volumes), "--", *words] if is_possible() else list(words)


def _apart() -> list[str]:
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *rights, "sh", "-euc", SCRIPT, "read-only"]


@cache
def is_possible() -> bool:
    """Whether this system lets us; not inside most containers."""
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory() as tmp:
        tried = subprocess.run([*_apart(), tmp, "--", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        print(f"nothing is read-only here: {tried.stderr.decode().strip()}")
    return tried.returncode == 0
