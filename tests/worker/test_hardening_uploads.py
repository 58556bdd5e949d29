"""The web process dies under an upload, or its database does. The phone sends again, and there is one record, whole."""

from __future__ import annotations

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from psycopg import AsyncConnection

from app.core.settings import Settings
from app.local.seed import seed
from sql import Connection
from sql.migrate import migrate
from tests.faults.timings import slack
from tests.logins import make_logins
from tests.service import ids, listed, multipart, record, service, until, web_settings
from tests.unit.pictures import jpeg
from tests.worker.own_server import OwnServer, own_server
from tests.worker.plant import SHOTS, plant
from tests.worker.processes import web_process, worker_process

FILES = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}


class Phone(msgspec.Struct, kw_only=True):
    """A token, and where the records go."""

    settings: Settings
    token: str

    async def send(self, url: str, body: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            headers = {"Authorization": f"Bearer {self.token}"}
            return await http.post("/api/mobile/records", headers=headers, **multipart(body, FILES))


@pytest.fixture
async def phone(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> Phone:
    settings = web_settings(database_url, redis_url, tmp_path, automation_url="http://127.0.0.1:9")
    seeded = await seed(database_url, portal_url="http://portal.example")
    return Phone(settings=settings, token=seeded.upload_token)


async def dies_at(phone: Phone, conn: Connection, point: str) -> None:
    body = record(photos=listed(SHOTS))
    async with web_process(msgspec.structs.replace(phone.settings, crashpoint=f"{point}:kill")) as web:
        with pytest.raises(httpx.HTTPError):
            await phone.send(web.ready, body)
        assert await web.ended() == -signal.SIGKILL
        assert f"crashpoint {point} kill" in web.said
    async with web_process(phone.settings) as web:
        answers = [await phone.send(web.ready, body) for _ in range(2)]
    # Stored before the death or not: the first answer the phone gets says which, and the second is the same.
    assert [answer.status_code for answer in answers] == [200 if point == "A6" else 201, 200]
    assert ids(answers[0]) == ids(answers[1])
    counted = await conn.execute(
        "select (select count(*) from asbuilt_record), (select count(*) from automation_job),"
        " (select count(*) from procrastinate_jobs), (select count(*) from photo where received_at is not null)"
    )
    assert await counted.fetchone() == (1, 1, 1, len(SHOTS))
    kept = await (await conn.execute("select encode(sha256, 'hex') from blob")).fetchall()
    files = {path.name: path for path in phone.settings.blobs.rglob("*") if path.is_file() and len(path.name) == 64}
    assert {row[0] for row in kept} <= files.keys()


async def test_an_upload_cut_off_before_its_commit_is_sent_again(phone: Phone, conn: Connection) -> None:
    await dies_at(phone, conn, "A5")


@pytest.mark.slow
@pytest.mark.parametrize("point", ["A1", "A2", "A3", "A4", "A5", "A6"])
async def test_an_upload_cut_off_anywhere_is_one_record_in_the_end(phone: Phone, conn: Connection, point: str) -> None:
    await dies_at(phone, conn, point)


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    async with own_server() as made:
        await migrate(made.url)
        make_logins(made.url)
        yield made


@pytest.mark.slow
async def test_a_freeze_of_twenty_seconds_costs_answers_only(server: OwnServer, redis_url: str, tmp_path: Path) -> None:
    async with service(web_settings(server.url, redis_url, tmp_path, database_s=2.0)) as served:
        headers = served.bearer()

        async def upload() -> tuple[float, int, str]:
            began = time.monotonic()
            answer = await served.http.post(
                "/api/mobile/records", headers=headers, **multipart(record(photos=listed(SHOTS)), FILES)
            )
            return time.monotonic() - began, answer.status_code, answer.headers.get("retry-after", "")

        async def alive() -> float:
            began = time.monotonic()
            assert (await served.http.get("/health/live")).status_code == 200
            return time.monotonic() - began

        await asyncio.gather(*(upload() for _ in range(8)))
        until_s = time.monotonic() + 20
        answers: list[tuple[float, int, str]] = []
        pulse: list[float] = []
        with server.frozen():
            while time.monotonic() < until_s:
                beating = asyncio.create_task(alive())
                answers += await asyncio.gather(*(upload() for _ in range(12)))
                pulse.append(await beating)
        thawed = time.monotonic()
        await until(upload, lambda answer: answer[1] == 201)
        recovered_s = time.monotonic() - thawed
        after = await asyncio.gather(*(upload() for _ in range(served.settings.pool_size)))
    print(
        f"frozen: {len(answers)} uploads, slowest {max(a[0] for a in answers):.2f} s, slowest pulse {max(pulse):.3f} s"
    )
    print(f"recovered after {recovered_s:.2f} s")
    assert {(status, retry) for _, status, retry in answers} == {(503, "2")}
    assert max(seconds for seconds, _, _ in answers) <= 3 * slack()
    assert recovered_s <= 3 * slack()
    assert [status for _, status, _ in after] == [201] * served.settings.pool_size


EAR = "select count(*) from pg_stat_activity where application_name = 'asbuilt-worker-listen'"


@pytest.mark.slow
async def test_pick_up_is_as_quick_as_ever_after_each_restart(
    server: OwnServer, database_url: str, redis_url: str, portal_schema: None, tmp_path: Path
) -> None:
    async with (
        await AsyncConnection.connect(server.url, autocommit=True) as first,
        plant(server.url, redis_url, first, tmp_path, portal_database=database_url) as works,
        worker_process(msgspec.structs.replace(works.settings, poll_s=3600.0)),
    ):
        for down_s in (0.0, 1.0, 5.0):
            await server.restart(down_s=down_s)
            async with await AsyncConnection.connect(server.url, autocommit=True) as conn:
                assert await after_a_restart(conn, down_s) < 0.5


async def after_a_restart(conn: Connection, down_s: float) -> float:
    """The p95 of insert to fetch, in seconds, from the moment on at which the worker hears again."""

    async def ears() -> int:
        row = await (await conn.execute(EAR)).fetchone()
        return int(row[0]) if row else 0

    restarted = time.monotonic()
    await until(ears, lambda count: count == 1)
    back_s = time.monotonic() - restarted
    waits = sorted([await picked_up(conn) for _ in range(40)])
    p50, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
    print(f"down {down_s} s: hears after {back_s:.2f} s, p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms")
    return p95


async def picked_up(conn: Connection) -> float:
    """Seconds from the commit of a queue row to its fetch, on the database's clock."""
    row = await (await conn.execute("select queue_defer(%s, 'automation')", [uuid4()])).fetchone()
    assert row is not None

    async def spent() -> str:
        found = await (await conn.execute("select status::text from procrastinate_jobs where id = %s", row)).fetchone()
        return str(found[0]) if found else ""

    await until(spent, lambda status: status == "aborted")
    took = await (
        await conn.execute(
            "select extract(epoch from max(at) filter (where type = 'started') - min(at) filter (where type = 'deferred'))"
            "::float8 from procrastinate_events where job_id = %s",
            row,
        )
    ).fetchone()
    assert took is not None
    return float(took[0])
