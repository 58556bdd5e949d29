"""Run as a script, it becomes another program: gives up root, ties its life to its parent's, then `exec`s.

A script of its own, with nothing but the standard library, since the same between `fork` and `exec` of a process with
threads may hang for ever. Its arguments are made by `process.launched`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Arguments: privilege, user id, group id, death signal (0: none), parent's process id, directory, program…"""
    privilege, uid, gid, death_signal, parent, directory, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if privilege == "namespace":
        _enter_namespace(libc, uid=int(uid), gid=int(gid))
    elif privilege == "nobody":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux" and int(death_signal):
        # After the privileges: changing them clears the death signal.
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("the parent is gone already")
    os.chdir(directory)
    os.execvp(command[0], command)


def _enter_namespace(libc: ctypes.CDLL, *, uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    # The kernel accepts a group map of an unprivileged process only after setgroups is given up.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")


if __name__ == "__main__":
    main(sys.argv[1:])
