"""What every benchmark stands on: throw-away servers with fsync on, databases on them, and processes that are ready."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
from psycopg import conninfo

from app.local import postgres, valkey
from app.local.seed import seed
from sql.migrate import migrate
from tests.e2e.stacks import clean_env
from tests.logins import as_role, make_logins

READY_S = 60.0
FORM = "bench-pole"
"""The demo's form of a pole without its photo shots: a record of it may run at once."""

ADD_FORM = """
    insert into form_def (form_key, version, title, schema, measures, rules)
    select %s, version, title, schema, measures, rules from form_def where form_key = 'pole-replacement'
"""
DEVICE = "select t.device_id, d.project_id from access_token as t join device as d on d.id = t.device_id"


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A migrated database with the demo project, and the device that uploads to it. `app` and `worker` are its URL for these processes."""

    url: str
    token: str
    device: str
    project: str

    @property
    def app(self) -> str:
        return as_role("app", self.url)

    @property
    def worker(self) -> str:
        return as_role("worker", self.url)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The running servers; `folder` takes logs and blobs."""

    folder: Path
    postgres_url: str
    redis_url: str

    def empty_database(self) -> str:
        """A new database's URL."""
        name = f"bench_{uuid4().hex[:8]}"
        with psycopg.connect(self.postgres_url, autocommit=True) as conn:
            conn.execute(f"create database {name}")
        return conninfo.make_conninfo(self.postgres_url, dbname=name)

    def database(self) -> Database:
        """A new database as a fresh installation has it."""
        url = self.empty_database()
        asyncio.run(migrate(url))
        # As in production: the owner is bound by no policy and no limit.
        make_logins(url)
        token = asyncio.run(seed(url, portal_url="http://portal.example", max_runs=1000)).upload_token
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(ADD_FORM, (FORM,))
            device, project = conn.execute(DEVICE).fetchone() or ("", "")
        return Database(url=url, token=token, device=str(device), project=str(project))

    @contextmanager
    def process(self, command: Sequence[str], *, env: Mapping[str, str], says_ready: bool = True) -> Iterator[str]:
        """A process of this environment's Python; yields what its ready line says, if it has one. Stopped at the end."""
        log = self.folder / f"{uuid4().hex[:8]}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=clean_env() | dict(env),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert process.stdout is not None
        try:
            line = process.stdout.readline() if says_ready else "ready"
            if not line.startswith("ready"):
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            yield line.removeprefix("ready").strip()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=READY_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


@contextmanager
def stage() -> Iterator[Stage]:
    """Postgres with fsync on and Valkey, both gone at the end with all they hold."""
    # Not below a closed directory: the server may have to run as the user nobody.
    folder = Path(tempfile.mkdtemp(prefix="asbuilt-bench-"))
    try:
        with (
            postgres.server(folder / "postgres", durable=True) as postgres_url,
            valkey.server(folder / "valkey") as redis_url,
        ):
            yield Stage(folder=folder, postgres_url=postgres_url, redis_url=redis_url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
