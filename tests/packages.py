"""Other people's clients, installed as they are into a folder of a test's own, by the ordinary tools."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path


def npm(folder: Path, *packages: str) -> Path:
    """Install into `folder`, where scripts then find them; answers its `node_modules`."""
    _run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *packages)
    return folder / "node_modules"


def pip(folder: Path, *packages: str) -> Path:
    """Install into a virtual environment in `folder`; answers its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    _run(folder, str(python), "-m", "pip", "install", "--quiet", *packages)
    return python


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command[:3])}: {done.stdout[-500:]} {done.stderr[-2000:]}"
