"""compose.yaml without a container engine: its commands with its environments, in its order, waited for by its health checks, the
servers' with them, on a read-only root where the system allows it; and lines of `docker compose`, as the pages have them."""

from __future__ import annotations

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

from psycopg import conninfo

from tests import composed
from tests.e2e import read_only
from tests.e2e.images import Images
from tests.machine import free_port

BIN = Path(sys.executable).parent
SERVERS = ("postgres", "valkey")
PORTS = ("8000", "8010", "8020", "5432", "6379")
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

    def __init__(self, folder: Path) -> None:
        self.env = secrets()
        self.services = composed.services(self.env)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, composed.Service] = {}
        self.folder = folder
        self.ports = {port: str(free_port()) for port in PORTS}
        self.images = Images(folder, self.ports)
        self.tmp = folder / "tmp"
        for place in (self.tmp, *map(self._place, PLACES)):
            place.mkdir()

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
        return [name for name in composed.in_order(self.services) if name in in_use]

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
        url = self.url("asbuilt", self.env["OWNER_PASSWORD"], "asbuilt")
        done = subprocess.run(
            [self.images.binaries.program(program), *options, url], input=typed, capture_output=True, check=False
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
        told = {key: self.here(str(value)) for key, value in self.services[name].get("environment", {}).items()}
        # /tmp itself holds this test's folder, and maybe the program.
        return {"PATH": f"{BIN}:/usr/bin:/bin", "TMPDIR": str(self.tmp), "ASBUILT_BROWSER": "none"} | told

    def here(self, text: str) -> str:
        if match := re.fullmatch(r"postgresql://(\w+):(\w+)@postgres:5432/(\w+)", text):
            return self.url(*match.groups())
        if text == "/tmp":
            return str(self.tmp)
        for place in PLACES:
            text = text.replace(place, str(self._place(place)))
        for port, own in self.ports.items():
            text = re.sub(rf"(?<![\w.]){port}\b|(?<=:){port}\b", own, text)
        return re.sub(r"\b(runner|portal|api|valkey)(?=:\d)", "127.0.0.1", text).replace("0.0.0.0", "127.0.0.1")

    def _place(self, of_the_image: str) -> Path:
        return self.folder / of_the_image.rsplit("/", 1)[1]

    def url(self, user: str, password: str, database: str) -> str:
        where = {"host": "127.0.0.1", "port": self.ports["5432"]}
        return conninfo.make_conninfo(**where, user=user, password=password, dbname=database)

    def command(self, name: str, words: list[str]) -> list[str]:
        """What is run for a command of this service."""
        if (theirs := self.images.command(words)) is not None:
            return list(theirs)
        written = [
            self._place(volume.split(":")[1])
            for volume in self.services[name].get("volumes", [])
            if ":ro" not in volume
        ]
        assert self.services[name]["read_only"]
        return read_only.command([str(BIN / words[0]), *map(self.here, words[1:])], tmp=self.tmp, volumes=written)

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of a service, to its end."""
        command = self.command(name, list(words or self.services[name]["command"]))
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
                self.command(name, each["command"]), env=self.environment(name), cwd=self.folder, stdout=log, stderr=log
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
def prepared(folder: Path) -> Iterator[Machine]:
    """With its Postgres as the image leaves it after its first start: the owner, the database, and sql/setup/logins.sql."""
    machine = Machine(folder)
    told = machine.services["postgres"]
    scripts = [volume.split(":")[0] for volume in told["volumes"] if "docker-entrypoint-initdb.d" in volume]
    machine.images.initialise(told["environment"])
    try:
        machine.up("postgres")
        url = machine.url("asbuilt", machine.env["OWNER_PASSWORD"], "postgres")
        for _ in range(2):  # it may be run again
            machine.images.first_start(told["environment"], url, [composed.ROOT / script for script in scripts])
        yield machine
    finally:
        for process in machine.running.values():
            process.kill()
            process.wait()
