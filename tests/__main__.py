"""The product's commands for developers: everything they need is made ready first.

python -m tests            set up a browser, check, run the first tier (the README's test command)
python -m tests check      format, lint, types, layers, layout: seconds
python -m tests slow       the second tier: faults and soaks
python -m tests contract  whether an automation service speaks the contract: --url URL --token T --portal P --recipe R
python -m tests pictures   every screen in both themes into docs/pictures, or another folder
python -m tests bench      the benchmarks, as ratios in one run
Further arguments go to pytest.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from tests import machine
from tests.browser import pictures
from tests.contract import command as contract

ROOT = Path(__file__).parent.parent
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pytest", "-q", "tests/unit/test_layout.py", "tests/unit/test_openapi.py", "tests/unit/test_docs.py"),
)
SIDE_BY_SIDE = ("-n", "3", "--dist", "worksteal")
"""Each process has its own servers; most tests wait for others' work, so that three keep two cores busy."""


NOTHING_TO_RUN = 5
"""pytest's word for: of this kind, none was asked for."""


def run(*command: str) -> int:
    """Run a tool of this environment by its name; answers its exit code."""
    tool = Path(sys.executable).parent / command[0]
    return subprocess.run([str(tool), *command[1:]], cwd=ROOT, check=False).returncode


def check() -> int:
    started = time.monotonic()
    failed = [" ".join(command) for command in CHECKS if run(*command)]
    print(f"check: {time.monotonic() - started:.1f} s", *(f"failed: {name}" for name in failed), sep="\n", flush=True)
    return bool(failed)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            return check()
        case ["contract", *rest]:
            return asyncio.run(contract.run(rest))
        case ["pictures", *rest]:
            machine.ensure_browser()
            return asyncio.run(pictures.main(rest))
        case ["bench", *rest]:
            return subprocess.run([sys.executable, "-m", "tests.bench", *rest], cwd=ROOT, check=False).returncode
        case ["slow", *rest]:
            machine.ensure_browser()
            codes = [
                run("pytest", *SIDE_BY_SIDE, "-m", "slow and not alone", *rest),
                run("pytest", "-m", "slow and alone", *rest),
            ]
            return max((code for code in codes if code != NOTHING_TO_RUN), default=NOTHING_TO_RUN)
        case _:
            machine.ensure_browser()
            return check() or run("pytest", *SIDE_BY_SIDE, "-m", "not slow", *arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
