"""The commands of an installation: is this machine's worker alive, and the demo's projects for one that has none."""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.cli_options import Arguments

SILENT_S = 60.0
"""How old a worker's last sign of life may be, at least; slower ones are given three of their beats."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`alive` and `seed`."""
    commands.add_parser("alive", help="exit 0 when a worker of this machine has given a sign of life")
    commands.add_parser("seed", help="projects, forms and accounts of the demo; prints a sign-in link and a token")


def alive(_arguments: Arguments) -> int:
    """0 when a worker of this host is there, draining or not; for a container's health check."""
    import socket

    from app.core.settings import load
    from app.local.beats import last_beat

    age_s, beat_s = asyncio.run(last_beat(load("database_url").database_url, host=socket.gethostname()))
    if age_s is None:
        print("no worker of this machine is there", file=sys.stderr)
        return 1
    print(f"its last sign of life is {age_s:.1f} s old", file=sys.stderr)
    return 0 if age_s < max(SILENT_S, 3 * beat_s) else 1


def seed(_arguments: Arguments) -> int:
    """Make the demo's projects where they are not there, and print how to come in."""
    from app.core.settings import load
    from app.local.seed import seed as sow

    settings = load("database_url", "portal_url")
    seeded = asyncio.run(sow(settings.database_url, portal_url=settings.portal_url))
    print(f"ASBUILT_SIGN_IN={settings.public_url}/sign-in#{seeded.sign_in_code}")
    print(f"ASBUILT_TOKEN={seeded.upload_token}")
    return 0
