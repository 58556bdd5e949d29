"""What the command line does on a stack that runs: its settings, its psql, its demo's defaults."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence

from app.local import lock, postgres
from app.local.errors import LocalStackError
from app.local.home import Home, read_env


def running_env(home: Home) -> dict[str, str]:
    """The settings of the stack that runs for this home.

    Raises `LocalStackError` when none does.
    """
    values = read_env(home) if lock.owner(home) is not None else {}
    if not values:
        raise LocalStackError(f"No local stack is running for {home.root}; start it with: asbuilt up", exit_code=1)
    return values


def exec_psql(home: Home, *, arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Become psql on the running stack's database; never returns."""
    database_url = running_env(home)["DATABASE_URL"]
    beside = postgres.find(env).program("psql")
    program = str(beside) if beside.is_file() else shutil.which("psql", path=env.get("PATH"))
    if program is None:
        raise LocalStackError("There is no psql here; any other will do with the DATABASE_URL of: asbuilt env")
    os.execve(program, [program, database_url, *arguments], dict(env))
