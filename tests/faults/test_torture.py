"""The command `asbuilt torture` as anybody runs it, and with its guard broken: then it must say so."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pytest

from app.core.settings import environment
from tests.faults.cluster import MUTATED
from tests.faults.mutants import Code
from tests.faults.processes import ROOT

LIMIT_S = 290
BLIND = Code(
    module="tasks.verifying",
    old="    return answer\n\n\nasync def _settled",
    new="    from datetime import UTC, datetime\n    return Absent(as_of=datetime.now(UTC), index_lag_s=0.0)\n\n\nasync def _settled",
)
"""Whoever looks sees nothing."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", "torture", *arguments]


def env(folder: Path, **more: str) -> dict[str, str]:
    """Its throw-away home lies in this folder."""
    return {**environment(), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), **more}


def working_in(folder: Path) -> list[str]:
    """Processes whose working directory is below it."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def torture(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=env(folder, **more), capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.fixture
def folder() -> Path:
    # Not pytest's own, whose path is too long for a socket.
    return Path(tempfile.mkdtemp(prefix="torture-"))


@pytest.mark.slow
def test_guarded_records_are_submitted_exactly_once(folder: Path) -> None:
    done = torture(folder, "--jobs", "6")
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert last.startswith("HELD: 6 of 6 guarded records were submitted exactly once;")
    assert "processes left over                        0" in done.stdout
    assert working_in(folder) == []
    assert list(folder.glob("asbuilt-*")) == []


@pytest.mark.slow
def test_without_the_guard_it_says_so(folder: Path) -> None:
    mutant = folder / "mutant.json"
    mutant.write_bytes(msgspec.json.encode(BLIND))
    # The automation service ends when the portal has answered and nobody is told yet, rather than where the dice have it.
    broken = {"PYTHONPATH": f"{MUTATED}:{ROOT}", "FAULT_MUTANT": str(mutant), "CRASHPOINT": "R4:kill"}
    done = torture(folder, "--jobs", "3", "--kill", "0", **broken)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("VIOLATED: ")
    assert "duplicated)" in done.stdout or "duplicated," in done.stdout
    assert working_in(folder) == []


@pytest.mark.slow
def test_interrupted_it_leaves_nothing(folder: Path) -> None:
    with subprocess.Popen(
        command("--jobs", "6", "--kill", "1"), env=env(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " frozen;" in line and "guarded 0/0" not in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=60) == 130
    until = time.monotonic() + 10
    while working_in(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert working_in(folder) == []
    assert list(folder.glob("asbuilt-*")) == []
