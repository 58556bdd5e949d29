"""The servers from their wheels: they start where the tests run, root or not, and leave nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from app.local import postgres, valkey
from app.local.errors import LocalStackError
from app.local.process import Privilege, choose_privilege, launched, nobody


@pytest.fixture
def directory() -> Iterator[Path]:
    """Below the temporary directory itself: pytest's own is closed to the user nobody."""
    with tempfile.TemporaryDirectory(prefix="asbuilt-test-") as path:
        yield Path(path)


def test_a_throw_away_postgres_answers_and_goes(directory: Path) -> None:
    with postgres.server(directory, env=os.environ) as url:
        with psycopg.connect(url) as conn:
            row = conn.execute("select lower('É'), current_setting('server_version_num')::int").fetchone()
        assert row is not None
        assert row[0] == "é"
        assert row[1] >= 150000
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_its_data_outlives_it_and_another_version_s_is_refused(directory: Path) -> None:
    with postgres.server(directory, env=os.environ) as url, psycopg.connect(url) as conn:
        conn.execute("create table kept (it int)")
    with postgres.server(directory, env=os.environ) as url, psycopg.connect(url) as conn:
        assert conn.execute("select count(*) from kept").fetchone() == (0,)
    (directory / "postgres" / "PG_VERSION").write_text("9\n")
    with (
        pytest.raises(LocalStackError, match="made by Postgres 9"),
        postgres.server(directory, env=os.environ),
    ):
        pass


def test_an_interrupted_first_start_does_not_spoil_the_next(directory: Path) -> None:
    (directory / "postgres.new").mkdir()
    (directory / "postgres.new" / "half").write_text("")
    with postgres.server(directory, env=os.environ) as url, psycopg.connect(url) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    assert not (directory / "postgres.new").exists()


def test_a_throw_away_valkey_answers_and_goes(directory: Path) -> None:
    with valkey.server(directory, env=os.environ) as url:
        client = redis.Redis.from_url(url)
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        client.close()
    with pytest.raises(redis.exceptions.ConnectionError):
        redis.Redis.from_url(url).ping()


if sys.platform == "linux":

    def test_a_child_ends_with_its_parent() -> None:
        program = """
import signal, subprocess, sys
from pathlib import Path
from app.local.process import launched
sleeper = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
command = launched(sleeper, directory=Path("/"), death_signal=signal.SIGKILL)
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
signal.pause()
"""
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        parent.wait(timeout=60)
        parent.stdout.close()
        # A process's descriptor becomes readable when it ends.
        assert select.select([child], [], [], 60)[0]
        os.close(child)


if sys.platform == "linux" and os.geteuid() == 0:

    def test_root_can_always_be_given_up_by_setuid() -> None:
        assert _seen_uid("nobody") == nobody()[0]

    def test_where_namespaces_are_allowed_root_is_seen_as_nobody_and_keeps_its_files(directory: Path) -> None:
        program = Path("/usr/bin/env")
        if choose_privilege(program, directories=[directory], within=directory) == "namespace":
            assert _seen_uid("namespace") == nobody()[0]
            made = directory / "made"
            touch = launched(["touch", str(made)], directory=directory, privilege="namespace")
            subprocess.run(touch, check=True)
            assert made.stat().st_uid == 0

    def _seen_uid(privilege: Privilege) -> int:
        command = launched(["id", "-u"], directory=Path("/"), privilege=privilege, death_signal=signal.SIGKILL)
        return int(subprocess.run(command, capture_output=True, check=True).stdout)
