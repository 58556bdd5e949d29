"""The collector against uploads of the very bytes it is about to remove: real rows, real files, every order of their steps."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from psycopg import AsyncConnection

from app.core import db
from app.core.blobs import Blobs, Found, shelf
from app.core.blobs_local import LocalBlobs
from app.core.orphans import RELEASE_BLOBS, TAKE_TURN, Orphans
from app.core.renditions import Renditions
from sql import Connection
from tests.factories import make_record
from tests.service import until

DATA = b"the very bytes"
SHA = hashlib.sha256(DATA).digest()
DAY_S = 86_400.0
STEPS = 9
"""More than a collector's two rounds have, so that an upload also comes after them."""


async def one(conn: Connection, query: str, *values: object) -> Any:
    row = await (await conn.execute(query.encode(), values)).fetchone()
    return None if row is None else row[0]


async def refer(conn: Connection, record: UUID) -> None:
    """What an upload's transaction does for a photo."""
    await conn.execute(
        "insert into photo (record_id, name, shot_key, blob_sha256, received_at)"
        " values (%s, %s, 'pole', keep_blob(%s, %s, 'image/jpeg'), now())",
        [record, uuid4().hex, SHA, len(DATA)],
    )


class Clocked(LocalBlobs):
    """Time passes between two rounds: what is aside has waited long enough, unless an upload is between bytes and row."""

    in_flight = False

    async def retired(self) -> AsyncIterator[list[Found]]:
        age_s = 0.0 if self.in_flight else DAY_S
        async for page in super().retired():
            yield [msgspec.structs.replace(found, age_s=age_s) for found in page]


class Impatient(Clocked):
    """Nothing waits aside."""

    in_flight = property(lambda self: False, lambda self, value: None)


class ShortSighted(Clocked):
    """Readers do not look aside."""

    def path(self, sha256: bytes) -> Path:
        return self.folder / shelf(sha256)


class Careless(Orphans):
    """What is aside is destroyed without asking the rows again."""

    async def _orphaned(self, page: list[Found]) -> set[bytes]:
        asked = await super()._orphaned(page)
        return {found.sha256 for found in page if "/retired/" in found.place} | asked


class Scene:
    """An orphan, old; an upload that keeps its bytes before one step of the collector and makes its row before another."""

    def __init__(self, conn: Connection, blobs: Clocked, orphans: Orphans, record: UUID) -> None:
        self.conn, self.blobs, self.orphans, self.record = conn, blobs, orphans, record
        self.referred = False

    async def play(self, *, start: str, keep_at: int, row_at: int, killed_at: int | None) -> None:
        await self._begin(start)
        step = 0
        for deadly in (killed_at, None):
            round_ = self.orphans.steps()
            seen = 0
            while seen != deadly:
                await self._upload(step, keep_at, row_at)
                self._look()
                if await anext(round_, None) is None:
                    break
                step, seen = step + 1, seen + 1
            await round_.aclose()
        for late in range(step, STEPS):
            await self._upload(late, keep_at, row_at)
        self._look()
        for _ in range(3):
            await self.orphans.collect()
        self._end()

    async def _begin(self, start: str) -> None:
        await self.conn.execute("delete from photo")
        await self.conn.execute("delete from blob")
        place = self.blobs.path(await self.blobs.put(DATA))
        then = time.time() - 2 * DAY_S
        os.utime(place, (then, then))
        if start != "no row":
            await one(self.conn, "select keep_blob(%s, %s, 'image/jpeg')", SHA, len(DATA))
            await self.conn.execute("update blob set created_at = now() - interval '2 days'")
        self.referred = start == "a photo"
        if self.referred:
            await refer(self.conn, self.record)

    async def _upload(self, step: int, keep_at: int, row_at: int) -> None:
        if step == keep_at:
            self.blobs.in_flight = True
            await self.blobs.put(DATA)
        if step == row_at:
            await refer(self.conn, self.record)
            self.blobs.in_flight, self.referred = False, True

    def _look(self) -> None:
        if self.referred:
            assert self.blobs.path(SHA).read_bytes() == DATA

    def _end(self) -> None:
        assert self.referred, "every upload comes to its end"
        place = self.blobs.folder / shelf(SHA)
        assert place.read_bytes() == DATA
        assert list((self.blobs.folder / "retired").glob("*")) == []


def schedules() -> Iterator[dict[str, Any]]:
    for start in ("no row", "a row", "a photo"):
        for killed_at in (None, 1, 2, 3):
            for keep_at in range(STEPS):
                for row_at in range(keep_at, STEPS):
                    yield {"start": start, "keep_at": keep_at, "row_at": row_at, "killed_at": killed_at}


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[db.Pool]:
    async with db.pool(database_url, name="asbuilt-web", size=2, wait_s=60, deadline_s=60) as opened:
        yield opened


def collector(pool: db.Pool, blobs: Blobs, kind: type[Orphans] = Orphans, after_s: float = DAY_S) -> Orphans:
    async def render(source: Path, to: Path, width: int) -> bool:
        raise AssertionError("not asked for")

    return kind(pool=pool, blobs=blobs, renditions=Renditions(blobs, render), after_s=after_s)


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
async def test_no_order_of_steps_takes_bytes_from_an_upload(
    conn: Connection, pool: db.Pool, tmp_path: Path, every: int
) -> None:
    blobs = Clocked(tmp_path)
    scene = Scene(conn, blobs, collector(pool, blobs), (await make_record(conn)).record_id)
    for schedule in itertools.islice(schedules(), 0, None, every):
        try:
            await scene.play(**schedule)
        except (AssertionError, OSError) as exc:
            raise AssertionError(schedule) from exc


@pytest.mark.parametrize(
    ("store", "kind"),
    [(Impatient, Orphans), (ShortSighted, Orphans), (Clocked, Careless)],
    ids=["nothing waits aside", "readers do not look aside", "the rows are not asked again"],
)
async def test_each_guard_is_needed(
    conn: Connection, pool: db.Pool, tmp_path: Path, store: type[Clocked], kind: type[Orphans]
) -> None:
    blobs = store(tmp_path)
    scene = Scene(conn, blobs, collector(pool, blobs, kind), (await make_record(conn)).record_id)
    lost = 0
    for schedule in schedules():
        try:
            await scene.play(**schedule)
        except (AssertionError, FileNotFoundError):
            lost += 1
            break
    assert lost


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_orphans_go_and_what_is_referred_to_stays(conn: Connection, pool: db.Pool, tmp_path: Path) -> None:
    blobs = Clocked(tmp_path)
    orphans = collector(pool, blobs)
    record = (await make_record(conn)).record_id
    await blobs.put(DATA)
    await refer(conn, record)
    for number in range(3):
        await blobs.put(b"orphan %d" % number)
    await one(conn, "select keep_blob(%s, 8, 'image/jpeg')", hashlib.sha256(b"orphan 1").digest())
    await conn.execute("update blob set created_at = now() - interval '2 days'")
    assert await orphans.collect() == 0, "all are young"
    then = time.time() - 2 * DAY_S
    for path in files(tmp_path):
        if path.name != hashlib.sha256(b"orphan 2").hexdigest():
            os.utime(path, (then, then))
    assert [await orphans.collect() for _ in range(3)] == [0, 2, 0]
    assert {path.name for path in files(tmp_path)} == {SHA.hex(), hashlib.sha256(b"orphan 2").hexdigest()}
    assert await one(conn, "select array_agg(sha256) from blob") == [SHA]


async def test_the_collector_goes_by_the_table(conn: Connection, pool: db.Pool, tmp_path: Path) -> None:
    """Four hours old: too young by default, and old enough once an operator says three."""
    blobs = LocalBlobs(tmp_path)
    await blobs.put(DATA)
    then = time.time() - 4 * 3600
    for path in files(tmp_path):
        os.utime(path, (then, then))
    assert await collector(pool, blobs).collect() == 0
    assert not any("retired" in path.parts for path in files(tmp_path))
    noted = "select last_at > now() - interval '1 min' from retention where what = 'file'"
    await conn.execute("update retention set keep = '3 hours', last_at = null where what = 'file'")
    try:
        async with collector(pool, blobs).running():
            await until(lambda: one(conn, noted), lambda said: said is True)
    finally:
        await conn.execute("update retention set keep = '24 hours' where what = 'file'")
    assert [path for path in files(tmp_path) if "retired" in path.parts], "moved aside in the first round"


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Connection]:
    async with await AsyncConnection.connect(database_url, autocommit=True) as made:
        yield made


async def old_row(conn: Connection) -> None:
    await one(conn, "select keep_blob(%s, %s, 'image/jpeg')", SHA, len(DATA))
    await conn.execute("update blob set created_at = now() - interval '2 days'")


async def released(conn: Connection) -> list[bytes]:
    return [row.sha256 for row in await RELEASE_BLOBS(conn, sha256=[SHA], older_s=DAY_S)]


async def test_a_row_that_an_upload_has_found_is_passed_over(conn: Connection, other: Connection) -> None:
    await old_row(conn)
    record = (await make_record(conn)).record_id
    async with conn.transaction():
        await one(conn, "select keep_blob(%s, %s, 'image/jpeg')", SHA, len(DATA))
        assert await released(other) == []
        await refer(conn, record)
    assert await released(other) == []


async def test_an_upload_that_finds_a_row_on_its_way_out_makes_it_anew(
    database_url: str, conn: Connection, other: Connection
) -> None:
    await old_row(conn)
    record = (await make_record(conn)).record_id
    pid = await one(other, "select pg_backend_pid()")
    async with conn.transaction():
        assert await released(conn) == [SHA]
        upload = asyncio.create_task(refer(other, record))
        async with await AsyncConnection.connect(database_url, autocommit=True) as watch:
            await until(lambda: one(watch, "select pg_blocking_pids(%s) <> '{}'", pid), bool)
    await upload
    assert await one(conn, "select blob_sha256 from photo") == SHA
    assert await released(conn) == []


async def test_a_young_row_is_not_released_and_a_hash_without_one_is(conn: Connection) -> None:
    assert await released(conn) == [SHA]
    await one(conn, "select keep_blob(%s, %s, 'image/jpeg')", SHA, len(DATA))
    assert await released(conn) == []


async def test_whatever_refers_to_a_blob_is_known_to_the_collector(conn: Connection) -> None:
    """A reference that `release_blobs` does not ask for would make every round fail."""
    tables = await one(
        conn, "select array_agg(conrelid::regclass::text) from pg_constraint where confrelid = 'blob'::regclass"
    )
    body = await one(conn, "select prosrc from pg_proc where proname = 'release_blobs'")
    assert [table for table in tables if body.count(f"from {table} where blob_sha256 = b.sha256") != 2] == []


async def test_nobody_refers_to_a_blob_but_through_keep_blob(conn: Connection) -> None:
    for name in ("accept_record", "accept_photo"):
        body = await one(conn, "select prosrc from pg_proc where proname = %s", name)
        assert ("keep_blob(" in body, "into blob" in body) == (True, False), name


async def test_a_round_is_one_process_s_turn(conn: Connection) -> None:
    assert await TAKE_TURN(conn, name="orphans", pause_s=3600.0) is not None
    assert await TAKE_TURN(conn, name="orphans", pause_s=3600.0) is None
    await conn.execute("update turn set next_at = now()")
    assert await TAKE_TURN(conn, name="orphans", pause_s=3600.0) is not None


async def test_a_round_that_fails_is_not_the_last(conn: Connection, pool: db.Pool, tmp_path: Path) -> None:
    await conn.execute("alter table turn rename to gone")
    try:
        async with collector(pool, Clocked(tmp_path), after_s=0.24).running():
            await until(lambda: one(conn, "select count(*) from pg_stat_activity where query ~ 'into turn'"), bool)
            await conn.execute("alter table gone rename to turn")
            await until(lambda: one(conn, "select count(*) from turn"), lambda count: count == 1)
    finally:
        await conn.execute("alter table if exists gone rename to turn")
