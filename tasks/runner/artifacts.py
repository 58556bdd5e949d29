"""What a run leaves to look at: frames and, when it failed, the page; one file each, numbered from 1, gone with the run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Literal

import msgspec

Kind = Literal["frame", "page"]

_SUFFIXES = {"image/jpeg": ".jpg", "text/html": ".html", "text/plain": ".txt"}
_MIMES = {suffix: mime for mime, suffix in _SUFFIXES.items()}
_NAME = re.compile(r"(?P<run>run_[0-9a-f]{1,40})-[0-9]{1,9}")


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `size` in bytes."""

    id: str
    url: str
    kind: Kind
    mime: str
    size: int


class Artifacts:
    """All runs' artifacts, in a folder a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, run_id: str, body: bytes, *, mime: str) -> Artifact:
        """Keep it; what is kept must not hold secrets any more."""
        folder = self._folder / run_id
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{run_id}-{len(list(folder.iterdir())) + 1}{_SUFFIXES[mime]}"
        path.write_bytes(body)
        return _view(path)

    def of(self, run_id: str) -> list[Artifact]:
        """A run's artifacts, oldest first."""
        folder = self._folder / run_id
        paths = [path for path in folder.iterdir() if path.suffix in _MIMES] if folder.is_dir() else []
        return [_view(path) for path in sorted(paths, key=lambda path: int(path.stem.rsplit("-", 1)[1]))]

    def find(self, artifact_id: str) -> tuple[Artifact, Path] | None:
        """An artifact and its file."""
        match = _NAME.fullmatch(artifact_id)
        if match is None:
            return None
        paths = (self._folder / match["run"] / f"{artifact_id}{suffix}" for suffix in _MIMES)
        return next(((_view(path), path) for path in paths if path.is_file()), None)

    def remove(self, run_id: str) -> None:
        shutil.rmtree(self._folder / run_id, ignore_errors=True)


def _view(path: Path) -> Artifact:
    mime = _MIMES[path.suffix]
    return Artifact(
        id=path.stem,
        url=f"/v1/artifacts/{path.stem}",
        kind="frame" if mime.startswith("image/") else "page",
        mime=mime,
        size=path.stat().st_size,
    )
