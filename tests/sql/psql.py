"""A person at psql: the real program, signed in as a member of a role."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from app.local.postgres import find
from tests.logins import as_role

SCRIPTS = Path(__file__).parents[2] / "sql" / "ops"


async def psql(database_url: str, *arguments: str, role: str = "operator", typed: str = "", **variables: Any) -> str:
    """What it printed, run with these arguments or on what is typed, as a member of a role or as the `owner`.

    Raises `AssertionError` when it fails.
    """
    given = [f"--set={name}={value}" for name, value in variables.items()]
    process = await asyncio.create_subprocess_exec(
        find({}).program("psql"), "-XqAt", "--set=ON_ERROR_STOP=1", database_url if role == "owner" else as_role(role, database_url), *given, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PGTZ": "UTC"},
    )  # fmt: skip
    out, err = await process.communicate(typed.encode())
    assert process.returncode == 0, f"{arguments} {typed}\n{err.decode()}"
    return out.decode()


async def script(database_url: str, name: str, *, role: str = "operator", **variables: Any) -> str:
    """What one of the scripts of `sql/ops` prints."""
    return await psql(database_url, "-f", str(SCRIPTS / f"{name}.sql"), role=role, **variables)
