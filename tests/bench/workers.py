"""Our worker and the bare one, side by side on the same servers, with a queue each that the benchmarks fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import psycopg
from procrastinate.schema import SchemaManager

from tests.bench import bare, instant, payload
from tests.bench.stage import Database, Stage

Conn = psycopg.Connection[tuple[object, ...]]

OURS = payload.CALL.format(project="%(project)s", device="%(device)s", rest="%(rest)s", fingerprint="%(fingerprint)s")


class Side(Protocol):
    """A queue with its worker."""

    conn: Conn

    def enqueue(self) -> object:
        """Commit one job that notes its start; answers what it is known by."""

    def started_at(self, job: object) -> float | None:
        """When its worker began it, in seconds of the epoch."""

    def preload(self, count: int) -> None:
        """Commit so many jobs at once that do nothing."""


class Ours:
    """Jobs as an upload makes them."""

    def __init__(self, database: Database) -> None:
        self.conn: Conn = psycopg.connect(database.url, autocommit=True)
        self._values = {
            "project": database.project,
            "device": database.device,
            "rest": payload.rest_of_row(),
            "fingerprint": payload.fingerprint(),
        }

    def enqueue(self) -> object:
        row = self.conn.execute(OURS, self._values).fetchone()
        assert row is not None
        assert row[2] == "queued", f"the job is {row[2]}"
        return row[1]

    def started_at(self, job: object) -> float | None:
        return _seconds(self.conn, "select started_at from automation_attempt where job_id = %s and attempt = 1", job)

    def preload(self, count: int) -> None:
        with self.conn.transaction():
            for _ in range(count):
                self.enqueue()


class Bare:
    """Jobs of Procrastinate alone."""

    def __init__(self, url: str) -> None:
        self.conn: Conn = psycopg.connect(url, autocommit=True)
        self._number = 0

    def enqueue(self) -> object:
        self._number += 1
        self.conn.execute(bare.DEFER, ("note", self._number, self._number))
        return self._number

    def started_at(self, job: object) -> float | None:
        return _seconds(self.conn, "select at from started where number = %s", job)

    def preload(self, count: int) -> None:
        self.conn.execute(bare.DEFER, ("nothing", 1, count))


class Sides:
    """Both, ready."""

    def __init__(self, ours: Ours, peer: Bare) -> None:
        self.ours = ours
        self.peer = peer


@contextmanager
def running(stage: Stage) -> Iterator[Sides]:
    """Both workers, with the same concurrency and the same poll, and a service whose runs succeed at once."""
    database, other = stage.database(), stage.empty_database()
    with ExitStack() as stack:
        sides = Sides(Ours(database), Bare(other))
        for side in (sides.ours, sides.peer):
            stack.callback(side.conn.close)
        sides.peer.conn.execute(SchemaManager.get_schema())
        sides.peer.conn.execute(bare.TABLE)
        env = {
            "DATABASE_URL": database.worker,
            "REDIS_URL": stage.redis_url,
            "AUTOMATION_URL": stack.enter_context(instant.service()),
            "AUTOMATION_TOKEN": "bench",
            "ASBUILT_BLOBS": str(stage.folder / "blobs"),
        }
        stack.enter_context(stage.process(["procrastinate", "--app=tasks.app", "worker"], env=env))
        stack.enter_context(
            stage.process(
                ["procrastinate", "--app=tests.bench.bare.app", "worker"], env={"DATABASE_URL": other}, says_ready=False
            )
        )
        yield sides


def _seconds(conn: Conn, query: str, key: object) -> float | None:
    row = conn.execute(f"select extract(epoch from ({query}))::float8", (key,)).fetchone()
    return float(str(row[0])) if row is not None and row[0] is not None else None
