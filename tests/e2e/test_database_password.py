"""A database that does not take our password: every process says so, and none says the password."""

from __future__ import annotations

import itertools
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.core.settings import Settings
from app.local import postgres
from tests.e2e.stacks import home_directory
from tests.service import web_settings
from tests.worker.processes import DEADLINE_S, variables

ASKS = "local all postgres trust\nlocal all all scram-sha-256\n"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The URL of a real server that asks its user for a password."""
    with home_directory() as folder, postgres.server(folder) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("create role keeper login password 'another one'")
            [place] = conn.execute("show hba_file").fetchone() or [""]
            Path(place).write_text(ASKS)
            conn.execute("select pg_reload_conf()")
        yield make_conninfo(url, user="keeper")


def ended(settings: Settings, *command: str) -> str:
    """What a command says until it gives up."""
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:]],
        env=variables(settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def goes_on(settings: Settings, *command: str) -> str:
    """What a process that waits for its database says of it, three times."""
    program = Path(sys.executable).parent / command[0]
    with subprocess.Popen(
        [program, *command[1:]], env=variables(settings), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        told = (line for line in process.stderr if "password" in line)
        said = "".join(itertools.islice(told, 3))
        process.kill()
        return said + process.stderr.read()


@pytest.mark.slow
def test_a_wrong_password_of_the_database_is_said_without_saying_it(
    guarded: str, redis_url: str, tmp_path: Path
) -> None:
    canary = f"pass-{secrets.token_hex(12)}"
    settings = web_settings(
        make_conninfo(guarded, password=canary), redis_url, tmp_path, automation_url="http://127.0.0.1:9", port=0
    )
    said = [
        ended(settings, "asbuilt", "migrate"),
        ended(settings, "asbuilt", "doctor"),
        goes_on(settings, "asbuilt", "serve"),
        goes_on(settings, "procrastinate", "--app=tasks.app", "worker"),
    ]
    assert all("password authentication failed" in each for each in said)
    assert not any(canary in each for each in said)
