"""compose.yaml without a container engine: its commands with its environments, in its order, waited for by its health checks, on
the test's own servers; and lines of `docker compose`, as the pages have them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import conninfo, sql

from app.local import postgres
from tests import composed
from tests.machine import free_port

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
        self.env = secrets()
        self.services = composed.services(self.env)
        self.database = f"asbuilt_composed_{uuid4().hex[:8]}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, composed.Service] = {}
        self.folder = folder
        self.ports = {port: str(free_port()) for port in PORTS}
        self._server = server_url
        self._redis_url = redis_url

    def put(self, line: str) -> None:
        """A line more in `.env`."""
        name, _, value = line.partition("=")
        self.env |= {name: value}
        self.services = composed.services(self.env)

    def types(self, line: str) -> str:
        """A line of a page, as the engine would do it; what it prints. Raises `AssertionError` when it fails."""
        words = shlex.split(line, comments=True)
        assert words[:2] == ["docker", "compose"], line
        profile = words[3] if words[2] == "--profile" else ""
        verb, *rest = words[4 if profile else 2 :]
        given = [word for word in rest if not word.startswith("--") and word != "-d"]
        match verb:
            case "build":
                return ""  # there are no images here: what runs is what is checked out
            case "up":
                for name in given or self._wanted(profile):
                    if name in given or self._started.get(name) != self.services[name]:
                        self.stop(name)
                        self.up(name)
                return ""
            case "run":
                name, *command = rest[rest.index("--rm") + 1 :]
                return self._well(self.run(name, *command), line)
            case "exec":
                return self._well(self._in_postgres(rest), line)
        raise AssertionError(f"nobody knows what {line} does")

    def _wanted(self, profile: str) -> list[str]:
        in_use = {name for name, each in self.services.items() if set(each.get("profiles", [])) <= {profile}}
        return [name for name in composed.in_order(self.services) if name in in_use - SERVERS]

    def _in_postgres(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """`-T postgres PROGRAM -U asbuilt … asbuilt`, with what is redirected."""
        assert words[:2] == ["-T", "postgres"]
        program, user, owner, *options = words[2:]
        assert (user, owner) == ("-U", "asbuilt")
        into = self.folder / options.pop() if options[-2] == ">" else None
        typed = (self.folder / options.pop()).read_bytes() if options[-2] == "<" else None
        if options[-1] in "<>":
            options.pop()
        assert options.pop() == "asbuilt"
        url = self.url("asbuilt", self.env["OWNER_PASSWORD"], self.database)
        done = subprocess.run(
            [postgres.find(os.environ).program(program), *options, url], input=typed, capture_output=True, check=False
        )
        if into is not None:
            into.write_bytes(done.stdout)
        out = "" if into is not None else done.stdout.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, out, done.stderr.decode())

    @staticmethod
    def _well(done: subprocess.CompletedProcess[str], line: str) -> str:
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

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
        each = self._started[name] = self.services[name]
        if "healthcheck" not in each:
            done = self.run(name)
            assert done.returncode == 0, (name, done.stderr)
            return
        log = (self.folder / f"{name}.log").open("ab")
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

    def stop(self, name: str) -> int | None:
        """End a service as the engine does; its exit code, None when it was not running."""
        process = self.running.pop(name, None)
        if process is None:
            return None
        process.send_signal(signal.Signals[self.services[name].get("stop_signal", "SIGTERM")])
        return process.wait(timeout=composed.seconds(self.services[name]["stop_grace_period"]))

    def down(self) -> dict[str, int | None]:
        """End everything, the last first; exit codes."""
        return {name: self.stop(name) for name in reversed(list(self.running))}


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
