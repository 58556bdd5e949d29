"""What every command's arguments have in common: their types, the option that names the local stack, and what it means."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from app.core.auth import Role
    from app.core.settings import Settings
    from app.local.home import Home


class Arguments(argparse.Namespace):
    """Every option of every command, typed."""

    command: str
    port: int
    home: Path | None
    preset: str
    no_browser: bool
    verbose: bool
    deep: bool
    jobs: int
    kill: float
    seed: int
    records: int
    url: str
    token: str
    arguments: list[str]
    project: str
    scope: list[list[str]]
    label: str
    email: str
    name: str
    role: Role
    portal: str
    account: str
    user: str
    password: str
    password_file: Path | None
    totp_file: Path | None
    folder: Path
    file: Path
    files: list[Path]
    form: str
    record: UUID | None
    sample: str
    browser: bool
    commit: bool
    frames: Path
    dry_run: bool


def add_home(command: argparse.ArgumentParser) -> None:
    """`--home`, which `home_of` and `settings_of` read."""
    command.add_argument("--home", type=Path, metavar="DIR", help="of the local stack (default: your data directory)")


def home_of(arguments: Arguments) -> Home:
    """The local stack that the arguments mean."""
    from app.core.settings import environment
    from app.local.home import locate

    return locate(arguments.home, env=environment(), platform=sys.platform, user_home=Path.home())


def settings_of(arguments: Arguments) -> Settings:
    """The local stack's with `--home`, or where no `DATABASE_URL` is set."""
    from app.core.settings import environment, load
    from app.local.running import running_env

    env = environment()
    if arguments.home is not None or not env.get("DATABASE_URL"):
        env |= running_env(home_of(arguments))
    return load("database_url", env=env)
