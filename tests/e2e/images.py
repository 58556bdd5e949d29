"""What the images of others hold, as this machine has it: the programs of Postgres and Valkey, told the test's ports and folders
besides the arguments of compose.yaml; and what the image of Postgres does at its first start."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.local import postgres, valkey
from app.local.process import choose_privilege, launched

PING = "import socket; s = socket.create_connection(('127.0.0.1', {port}), 3); s.sendall(b'PING\\r\\n'); assert s.recv(5) == b'+PONG'"
NEWER = {"max_active_replication_origins": 18}
"""Settings that a Postgres before this version does not know: the image is pinned, what is installed here may be older."""


class Images:
    """`ports` are those of this machine, by the ones they stand for."""

    def __init__(self, folder: Path, ports: Mapping[str, str]) -> None:
        self.binaries = postgres.find(os.environ)
        self._ports = ports
        self._data, self._sockets = folder / "postgres", folder / "sockets"
        for made in (self._data, self._sockets):
            made.mkdir(mode=0o700)
        postgres_itself = self.binaries.program("postgres")
        self._privilege = choose_privilege(postgres_itself, directories=[self._data, self._sockets], within=folder)

    def command(self, words: Sequence[str]) -> tuple[str, ...] | None:
        """What is run here for a command of theirs; None: it is none of theirs."""
        program, *given = words
        match program:
            case "postgres":
                places = {
                    "listen_addresses": "127.0.0.1", "port": self._ports["5432"], "unix_socket_directories": str(self._sockets),
                }  # fmt: skip
                placed = [part for name, value in places.items() for part in ("-c", f"{name}={value}")]
                own = (str(self.binaries.program("postgres")), "-D", str(self._data), *placed, *self._known(given))
                return launched(own, directory=self._data, privilege=self._privilege, death_signal=signal.SIGINT)
            case "pg_isready":
                return (str(self.binaries.program("pg_isready")), "-p", self._ports["5432"], *given)
            case "valkey-server":
                server = valkey.find(os.environ)
                assert server is not None, valkey.ABSENT
                own = (str(server), "--bind", "127.0.0.1", "--port", self._ports["6379"], *given)
                return launched(own, directory=self._sockets, death_signal=signal.SIGTERM)
            case "valkey-cli":
                client = shutil.which("valkey-cli") or shutil.which("redis-cli")
                if client is None:
                    assert given == ["ping"]
                    return ("python3", "-c", PING.format(port=self._ports["6379"]))
                return (client, "-p", self._ports["6379"], *given)
        return None

    def _known(self, words: Sequence[str]) -> list[str]:
        """Pairs of `-c` and a setting."""
        version = postgres.major_version(self.binaries)
        settings = [word for word in words if word != "-c"]
        known = [each for each in settings if NEWER.get(each.partition("=")[0], 0) <= version]
        return [part for each in known for part in ("-c", each)]

    def initialise(self, env: Mapping[str, str]) -> None:
        """The data directory, with the superuser and the arguments that `env` names; passwords are asked for over TCP."""
        password = self._sockets / "password"
        password.write_text(env["POSTGRES_PASSWORD"])
        made = (
            str(self.binaries.program("initdb")), "-D", str(self._data), "-U", env["POSTGRES_USER"], "--pwfile", str(password),
            "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-sync", *shlex.split(env["POSTGRES_INITDB_ARGS"]),
        )  # fmt: skip
        subprocess.run(
            launched(made, directory=self._data, privilege=self._privilege, death_signal=signal.SIGKILL),
            env=postgres.environment({}), check=True, capture_output=True, start_new_session=True,
        )  # fmt: skip
        password.unlink()

    def first_start(self, env: Mapping[str, str], url: str, scripts: Sequence[Path]) -> None:
        """The database unless it is there, and the scripts of docker-entrypoint-initdb.d; `url` leads to the server's own database."""
        psql = [str(self.binaries.program("psql")), "-Xqv", "ON_ERROR_STOP=1"]
        own = {**os.environ, **env}
        made = f"select 'create database {env['POSTGRES_DB']}' where not exists (select from pg_database where datname = '{env['POSTGRES_DB']}') \\gexec"
        subprocess.run([*psql, url], input=made.encode(), env=own, check=True)
        for script in scripts:
            subprocess.run([*psql, "-f", str(script), url], env=own, check=True, capture_output=True)
