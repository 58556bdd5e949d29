"""How a child process is started: without root where a program refuses it, and not outliving its parent on Linux.

It never decides what to run. Elsewhere than on Linux a child may outlive a killed parent; the next start ends it (`lock`).
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from app.local import launch
from app.local.errors import LocalStackError

Privilege = Literal["same", "namespace", "nobody"]
"""`same` as the parent · `namespace`: a user namespace in which root is seen as nobody · `nobody`: by setuid."""


def launched(
    command: Sequence[str],
    *,
    directory: Path,
    privilege: Privilege = "same",
    death_signal: signal.Signals | None = None,
) -> tuple[str, ...]:
    """The command line that runs `command` in `directory` like this, in the very process that is started.

    `death_signal` is what it gets when this process is killed (Linux only).
    """
    uid, gid = nobody()
    return (
        *(sys.executable, "-I", "-S", launch.__file__),
        *(privilege, str(uid), str(gid), str(int(death_signal or 0)), str(os.getpid()), str(directory)),
        *command,
    )


def choose_privilege(program: Path, *, directories: Sequence[Path], within: Path) -> Privilege:
    """How `program`, which refuses root, can run here and use these directories.

    As root it hands them to whom the program will be; nobody may then pass through `within`, not read it.
    Raises `LocalStackError` when root has no way to run it.
    """
    if os.geteuid() != 0:
        return "same"
    if sys.platform == "linux" and _works(program, cwd=within, privilege="namespace"):
        for directory in directories:
            _give(directory, uid=os.geteuid(), gid=os.getegid())
        return "namespace"
    uid, gid = nobody()
    within.chmod(0o711)
    for directory in directories:
        _give(directory, uid=uid, gid=gid)
    if all(_works(program, cwd=directory, privilege="nobody") for directory in directories):
        return "nobody"
    raise LocalStackError(
        "Postgres refuses to run as root, and the user nobody cannot reach its files here: "
        "start this as another user, or set DATABASE_URL."
    )


def _works(program: Path, *, cwd: Path, privilege: Privilege) -> bool:
    # Its directory is entered after the rights are given up, so that this tells whether it can be.
    command = launched([str(program), "--version"], directory=cwd, privilege=privilege)
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def program_of(pid: int) -> str | None:
    """The name of the program a process runs; None when there is no such process."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return None
    answer = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None


def nobody() -> tuple[int, int]:
    """User and group id of the account without rights."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid


def _give(directory: Path, *, uid: int, gid: int) -> None:
    if directory.stat().st_uid == uid:
        return
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            os.lchown(Path(folder, name), uid, gid)
    # Last, so that a hand-over that was cut off is done again.
    os.chown(directory, uid, gid)
