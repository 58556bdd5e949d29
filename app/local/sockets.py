"""Short private directories for unix sockets: a socket's path has at most 107 bytes, a home's may be longer."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from app.local.errors import LocalStackError
from app.local.process import nobody


def socket_directory(home: Path, *, base: Path | None = None) -> Path:
    """The directory of `home`'s sockets, made with mode 0700 below the temporary directory; for the home's owner only.

    Raises `LocalStackError` when it belongs to somebody else, who could listen in our place.
    """
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    path = (base or Path(tempfile.gettempdir())) / f"asbuilt-{os.geteuid()}-{digest}"
    if os.geteuid() == 0 and path.is_dir() and path.lstat().st_uid == nobody()[0]:
        # Handed to nobody by an earlier start, or made by a process of theirs: nothing in it can be trusted.
        shutil.rmtree(path)
    path.mkdir(mode=0o700, exist_ok=True)
    require_private(path)
    return path


def require_private(path: Path) -> None:
    """Refuse a directory that is a link or another user's; close it to others."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalStackError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a directory of your own.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
