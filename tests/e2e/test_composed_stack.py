"""The processes of compose.yaml without a container engine: the same commands with the same environments, in the same order,
waited for by the same health checks, on the test's own servers, up to completed jobs and a clean end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from app.local import postgres
from tests import composed
from tests.conftest import short_folder
from tests.machine import free_port
from tests.packages import pip

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
SERVERS = {"postgres", "valkey"}
PORTS = ("8000", "8010", "8020")
PLACES = ("/data/blobs", "/data/runner", "/data/portal", "/etc/asbuilt")
WAIT_S = 60.0


def secrets() -> dict[str, str]:
    """`.env` as docs/deploy.md makes it."""
    page = (composed.ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- env -->\n```sh\n(.*?)```", page, re.DOTALL)
    assert block is not None
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["sh", "-eu", "-c", block[1]], cwd=folder, check=True)
        made = Path(folder, ".env")
        assert made.stat().st_mode & 0o777 == 0o600
        return dict(line.split("=", 1) for line in made.read_text(encoding="utf-8").splitlines())


class Machine:
    """What stands in for the engine: names of hosts, ports and places are those of this machine."""

    def __init__(self, server_url: str, redis_url: str, folder: Path) -> None:
        self.env = secrets() | {"DEMO_PORTAL_URL": "http://portal:8020"}
        self.services = composed.services(self.env)
        self.database = f"asbuilt_composed_{uuid4().hex[:8]}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.folder = folder
        self.ports = {port: str(free_port()) for port in PORTS}
        self._server = server_url
        self._redis_url = redis_url

    def environment(self, name: str) -> dict[str, str]:
        """Of a service, and nothing of the test's own."""
        told = {key: self.here(str(value)) for key, value in self.services[name]["environment"].items()}
        return {"PATH": f"{BIN}:/usr/bin:/bin", "ASBUILT_BROWSER": "none"} | told

    def here(self, text: str) -> str:
        if match := re.fullmatch(r"postgresql://(\w+):(\w+)@postgres:5432/(\w+)", text):
            user, password, database = match.groups()
            return self.url(user, password, self.database if database == "asbuilt" else f"{self.database}_portal")
        if text == "redis://valkey:6379/0":
            return self._redis_url
        for place in PLACES:
            text = text.replace(place, str(self.folder / place.rsplit("/", 1)[1]))
        for port, own in self.ports.items():
            text = re.sub(rf"(?<![\w.]){port}\b|(?<=:){port}\b", own, text)
        return re.sub(r"\b(runner|portal|api)(?=:\d)", "127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")

    def url(self, user: str, password: str, database: str) -> str:
        return conninfo.make_conninfo(self._server, user=user, password=password, dbname=database)

    def command(self, words: list[str]) -> list[str]:
        return [str(BIN / words[0]), *map(self.here, words[1:])]

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of a service, to its end."""
        command = self.command(list(words or self.services[name]["command"]))
        return subprocess.run(
            command,
            env=self.environment(name),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(self, name: str) -> None:
        """Start a service, and wait as those wait that depend on it."""
        each = self.services[name]
        if "healthcheck" not in each:
            done = self.run(name)
            assert done.returncode == 0, (name, done.stderr)
            return
        log = (self.folder / f"{name}.log").open("wb")
        with log:
            self.running[name] = subprocess.Popen(
                self.command(each["command"]), env=self.environment(name), cwd=self.folder, stdout=log, stderr=log
            )
        kind, *test = each["healthcheck"]["test"]
        assert kind == "CMD"
        until = time.monotonic() + WAIT_S
        while (done := self.run(name, *test)).returncode != 0:
            assert self.running[name].poll() is None, self.said(name)
            assert time.monotonic() < until, (name, done.stderr, self.said(name))
            time.sleep(0.2)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def down(self) -> dict[str, int]:
        """End everything as the engine does, the last first; exit codes."""
        codes = {}
        for name, process in reversed(self.running.items()):
            process.send_signal(signal.Signals[self.services[name].get("stop_signal", "SIGTERM")])
            codes[name] = process.wait(timeout=composed.seconds(self.services[name]["stop_grace_period"]))
        self.running.clear()
        return codes


@contextmanager
def prepared(server_url: str, redis_url: str, folder: Path) -> Iterator[Machine]:
    """What the images of Postgres do at their first start: the owner, the database, and sql/setup/logins.sql."""
    machine = Machine(server_url, redis_url, folder)
    for place in PLACES:
        (folder / place.rsplit("/", 1)[1]).mkdir()
    logins = (composed.ROOT / "sql" / "setup" / "logins.sql").read_text(encoding="utf-8")
    script = folder / "logins.sql"
    script.write_text(
        logins.replace("database portal ", f"database {machine.database}_portal ").replace(
            "'portal'", f"'{machine.database}_portal'"
        )
    )
    with psycopg.connect(server_url, autocommit=True) as conn:
        there = conn.execute("select from pg_roles where rolname = 'asbuilt'").fetchone()
        owner = sql.Identifier("asbuilt")
        conn.execute(sql.SQL("create role {} superuser login").format(owner)) if there is None else None
        conn.execute(sql.SQL("alter role {} password {}").format(owner, machine.env["OWNER_PASSWORD"]))
        conn.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(machine.database), owner))
    psql = postgres.find(os.environ).program("psql")
    names = machine.services["postgres"]["environment"]
    url = machine.url("asbuilt", machine.env["OWNER_PASSWORD"], machine.database)
    try:
        for _ in range(2):  # it may be run again
            subprocess.run([psql, url, "-qf", script], env={**os.environ, **names}, check=True, capture_output=True)
        yield machine
    finally:
        for process in machine.running.values():
            process.kill()
            process.wait()
        with psycopg.connect(server_url, autocommit=True) as conn:
            for name in (machine.database, f"{machine.database}_portal"):
                conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def machine(server_url: str, redis_url: str, servers: ExitStack) -> Iterator[Machine]:
    with prepared(server_url, redis_url, short_folder(servers)) as made:
        yield made


def test_the_commands_of_the_file_make_a_stack_that_completes_jobs(machine: Machine, server_url: str) -> None:
    for name in composed.in_order(machine.services):
        if name not in SERVERS | {"tools"}:
            machine.up(name)
    seeded = machine.run("tools", "asbuilt", "seed")
    assert seeded.returncode == 0, seeded.stderr
    token = dict(line.split("=", 1) for line in seeded.stdout.splitlines())["ASBUILT_TOKEN"]
    url = f"http://127.0.0.1:{machine.ports['8000']}"
    demo = machine.run("tools", "asbuilt", "demo", "--records", "2", "--url", url, "--token", token)
    assert demo.returncode == 0, demo.stdout + demo.stderr + machine.said("worker")
    doctor = machine.run("tools")
    assert doctor.returncode == 0, doctor.stdout
    with psycopg.connect(server_url, autocommit=True) as conn:
        rows = conn.execute(
            "select distinct application_name, usename from pg_stat_activity where datname = %s", (machine.database,)
        )
        signed_in = {usename for _, usename in rows}
    assert signed_in == {"asbuilt_api", "asbuilt_runs"}, signed_in
    codes = machine.down()
    assert codes == dict.fromkeys(codes, 0), {name: machine.said(name)[-2000:] for name in codes}
    assert machine.run("worker", "asbuilt", "alive").returncode == 1
    assert all(
        secret not in machine.said(name) for name in codes for secret in machine.env.values() if len(secret) > 30
    )


def test_the_file_is_what_the_specification_calls_a_compose_file(tmp_path: Path) -> None:
    """By the schema that a well-kept checker carries."""
    python = pip(tmp_path / "checker", "check-jsonschema>=0.30")
    checker = [str(python), "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert _checked(checker, composed.FILE) == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(composed.FILE.read_text(encoding="utf-8").replace("cap_drop:", "cap_drip:"), encoding="utf-8")
    assert _checked(checker, wrong) != 0


def _checked(checker: list[str], path: Path) -> Any:
    return subprocess.run([*checker, str(path)], capture_output=True, check=False).returncode
