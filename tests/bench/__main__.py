"""`python -m tests.bench [--write]`: all benchmarks on throw-away servers, two tables; `--write` puts them into the docs."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from pathlib import Path

from tests.bench import drain, figures, growth, lists, phone, pickup, resumable, rows, screen, upload, workers
from tests.bench.stage import stage

PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"
TEXT = """# Benchmarks

`python -m tests.bench` measures our hot paths beside a peer, on throw-away servers with fsync on, in one run of a few
minutes. The rounds of both sides alternate and medians count, so that the ratios hold where the numbers do not: those depend on
the machine, on which server, database and clients share the processors. `--write` renews this page.

{table}

{waits}

Measured on {machine}.

{what}
"""


def main() -> None:
    """Measure, and show."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench", description="The benchmarks.")
    # A part alone would take the others' figures off the page.
    either = arguments.add_mutually_exclusive_group()
    either.add_argument("--write", action="store_true", help=f"put the tables into docs/{PAGE.name}")
    either.add_argument(
        "--only",
        choices=("upload", "resumable", "phone", "workers", "lists", "growth", "screen", "rows"),
        help="a part of it",
    )
    asked = arguments.parse_args()
    busy = _busy()
    if busy and asked.write:
        sys.exit(f"{busy}: nothing measured now is worth writing down.")
    if asked.write and shutil.which("npm") is None:
        sys.exit("There is no npm here, so the resumable uploads have no peer: the page would lose them.")
    started = time.monotonic()
    compared: list[figures.Comparison] = []
    waited: list[figures.Wait] = []
    with stage() as servers:
        if asked.only in (None, "upload"):
            compared += upload.run(servers)
        if asked.only in (None, "resumable"):
            compared += resumable.run(servers)
        if asked.only in (None, "phone"):
            waited += phone.run(servers)
        if asked.only in (None, "lists"):
            compared += lists.run(servers)
        if asked.only in (None, "growth"):
            compared += growth.run(servers)
        if asked.only in (None, "workers"):
            with workers.running(servers) as sides:
                compared += pickup.run(sides)
                compared += drain.run(sides)
        if asked.only in (None, "screen"):
            compared += screen.run(servers)
        if asked.only in (None, "rows"):
            waited += rows.run(servers)
    table, waits = figures.table(compared), figures.waits(waited)
    print(f"\n{table}\n\n{waits}\n\n{time.monotonic() - started:.0f} s", flush=True)
    if busy:
        print(f"{busy}, and a single process loses more by that than eight connections do: don't trust these ratios.")
    if asked.write:
        what = "\n\n".join(
            (
                upload.WHAT,
                resumable.WHAT,
                phone.WHAT,
                lists.WHAT,
                growth.WHAT,
                pickup.WHAT,
                drain.WHAT,
                screen.WHAT,
                rows.WHAT,
            )
        )
        PAGE.write_text(TEXT.format(table=table, waits=waits, machine=_machine(), what=what), encoding="utf-8")


def _busy() -> str:
    """A sentence when other work is under way on this machine, else nothing."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f"The machine is busy (load {load:.1f} on {cores} cores)" if load > 0.6 * cores else ""


def _machine() -> str:
    return f"{os.cpu_count()} shared {platform.machine()} cores, {platform.system()}, Python {sys.version_info[0]}.{sys.version_info[1]}"


if __name__ == "__main__":
    main()
