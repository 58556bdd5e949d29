"""The shell blocks of a page, typed one after another into one shell, as a reader does who stops what has no end by Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

PATIENCE_S = 120.0
_BLOCK = re.compile(r"(?:<!-- (?P<how>[^\n]+) -->\n)?```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_DONE = "--- typed, exit code"


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Commands of a page. `until` is what they print before the reader presses Ctrl-C; `skipped` is why they are not run."""

    text: str
    until: str = ""
    skipped: str = ""


def blocks(page: Path) -> list[Block]:
    """In their order. A comment above one says `until: WORDS` or `not run: WHY`."""
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        kind, _, rest = (match["how"] or "").partition(": ")
        found.append(
            Block(
                text=match["text"],
                until=rest if kind == "until" else "",
                skipped=rest if kind == "not run" else "",
            )
        )
    return found


def typed(commands: list[Block], *, folder: Path, env: Mapping[str, str]) -> list[str]:
    """What each block printed. Raises `AssertionError` when one fails, or is not done in time."""
    # Where tests run in the background Ctrl-C is ignored, and whoever is started there ignores it, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    shell = subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)
    assert shell.stdin is not None
    late = threading.Timer(PATIENCE_S, os.killpg, (shell.pid, signal.SIGKILL))
    late.start()
    try:
        # Ctrl-C goes to all of a terminal's foreground, and an interactive shell outlives it.
        shell.stdin.write("trap : INT\n")
        return [_typed(shell, each) for each in commands]
    finally:
        late.cancel()
        shell.stdin.close()
        shell.wait(timeout=PATIENCE_S)
        assert shell.stdout is not None
        shell.stdout.close()


def _typed(shell: subprocess.Popen[str], block: Block) -> str:
    assert shell.stdin is not None
    assert shell.stdout is not None
    shell.stdin.write(f"{{\n{block.text}}}\ncode=$?; echo; echo '{_DONE}' $code\n")
    shell.stdin.flush()
    said = ""
    for line in shell.stdout:
        if line.startswith(_DONE):
            assert block.until in said, f"{block.text}\n{said}"
            assert block.until or line.split()[-1] == "0", f"{block.text}\n{said}"
            return said
        said += line
        if block.until and block.until in line:
            os.killpg(shell.pid, signal.SIGINT)
    raise AssertionError(f"the shell ended in\n{block.text}\n{said}")
