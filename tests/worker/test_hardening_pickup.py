"""Whatever makes a job ready wakes a worker at once.

These workers poll, and mend, once an hour: what is not notified never runs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Notify

from app.core import db
from sql import Connection
from tasks.listening import CALL_S, CHANNEL, CHANNELS, HardenedConnector, Listener
from tests.service import ids, listed, multipart, record, until
from tests.unit.pictures import jpeg
from tests.web.wire import wire
from tests.worker.plant import SHOTS, Plant, plant

NEVER_S = 3600.0
EAR = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where application_name = 'asbuilt-worker-listen' and datname = current_database()"
)
LISTENING = "select count(*) from pg_stat_activity where application_name = 'asbuilt-worker-listen' and state = 'idle'"
# Rows of a job that does not exist: the worker claims nothing and ends them as aborted.
INSERT = "select queue_defer(%s, 'automation')"
LEFT = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path) as made:
        yield made


async def insert_pairs(works: Plant, pairs: int) -> None:
    """Two rows 0 to 8 ms apart, again and again; each pair must be worked off before the next comes."""
    dice = random.Random(7)
    for _ in range(pairs):
        await works.conn.execute(INSERT, [uuid4()])
        await asyncio.sleep(dice.uniform(0, 0.008))
        await works.conn.execute(INSERT, [uuid4()])
        # Nothing but a notification makes the worker look, so a lost one is a pair that is never done.
        await until(lambda: works.one(LEFT), lambda left: left == 0)


async def test_a_notification_during_an_empty_fetch_is_a_reason_to_fetch_again(
    works: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Procrastinate clears its event after the fetch: of rows inserted in pairs, 27 in 800 waited for the poll."""
    listening, empty, heard, answered = (asyncio.Event() for _ in range(4))
    ask, take, returned = HardenedConnector.execute_query_one_async, Listener._take, HardenedConnector._returned

    async def held_back(self: HardenedConnector, query: Any, **arguments: Any) -> dict[str, Any]:
        row: dict[str, Any] = await ask(self, query, **arguments)
        if "queues" in arguments and row["id"] is None and not heard.is_set():
            empty.set()
            await answered.wait()
        return row

    async def noticed(self: Listener, note: Notify) -> None:
        await take(self, note)
        if note.channel == CHANNEL:
            heard.set()

    async def came_back(self: HardenedConnector) -> None:
        await returned(self)
        listening.set()

    monkeypatch.setattr(HardenedConnector, "execute_query_one_async", held_back)
    monkeypatch.setattr(HardenedConnector, "_returned", came_back)
    monkeypatch.setattr(Listener, "_take", noticed)
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S), asyncio.timeout(60):
        await listening.wait()
        await empty.wait()
        await works.conn.execute(INSERT, [uuid4()])
        await heard.wait()
        answered.set()
        await until(lambda: works.one(LEFT), lambda left: left == 0)


async def test_no_wake_up_is_lost_between_two_fetches(works: Plant) -> None:
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        await insert_pairs(works, 200)


@pytest.mark.slow
async def test_no_wake_up_is_lost_in_ten_thousand(works: Plant) -> None:
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        await insert_pairs(works, 5000)


async def test_listen_comes_back_each_time_it_is_lost(works: Plant) -> None:
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        for _ in range(3):
            await until(lambda: works.one(LISTENING), lambda count: count == 1)
            await works.conn.execute(EAR)
            assert await works.ends(await works.upload()) == "completed"


async def test_what_was_inserted_while_nobody_listened_does_not_wait_for_the_poll(works: Plant) -> None:
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        for _ in range(5):
            await until(lambda: works.one(LISTENING), lambda count: count == 1)
            async with works.conn.transaction():
                # The notification is sent at the commit, when the listener is gone already.
                await works.conn.execute(EAR)
                await works.conn.execute(INSERT, [uuid4()])
            await until(lambda: works.one(LEFT), lambda left: left == 0)


async def test_retries_releases_and_an_operators_sql_wake_a_worker(works: Plant) -> None:
    await works.quirks(closed_district="North")
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        job = await works.upload()
        assert await works.ends(job) == "failed"
        await works.quirks(closed_district="")
        await works.conn.execute("select ops.retry(%s, 'the district is open again')", [job])
        assert await works.ends(job) == "completed"

        body = record(photos=listed(SHOTS))
        files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        last = {"base": files.pop("base")}
        bearer = works.served.bearer()
        answer = await works.served.http.post("/api/mobile/records", headers=bearer, **multipart(body, files))
        late = ids(answer)[1]
        assert await works.state(late) == "awaiting_media"
        put = f"/api/mobile/records/{body['id']}/photos/base"
        await works.served.http.put(put, headers=bearer, content=last["base"])
        assert await works.ends(late) == "completed"


async def test_a_retry_that_falls_due_needs_no_poll(works: Plant) -> None:
    await works.quirks(error_rate=1.0)
    async with works.worker(poll_s=NEVER_S, reconcile_s=NEVER_S):
        job = await works.upload()
        assert await works.ends(job) == "failed"
    assert await works.one("select failures from automation_job where id = %s", job) == 3


async def test_a_connection_that_went_deaf_is_found_out_and_replaced(
    database_url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a transaction pooler, or with a peer that vanished: no error, and no notification either."""
    monkeypatch.setattr("tasks.listening.PING_S", 0.2)
    monkeypatch.setattr("tasks.listening.ANSWER_S", 0.5)
    heard: asyncio.Queue[str] = asyncio.Queue()
    returns: asyncio.Queue[bool] = asyncio.Queue()

    async def hear(*, channel: str, payload: str) -> None:
        heard.put_nowait(payload)

    async def back() -> None:
        returns.put_nowait(True)

    async with asyncio.timeout(60), wire(database_url) as (carrier, url):
        listening = asyncio.create_task(Listener(url, channels=CHANNELS, hear=hear, back=back).run())
        try:
            await returns.get()
            carrier.deaf = True
            tried = carrier.connections
            await until(lambda: connections(carrier.connections), lambda count: count >= tried + 2)
            assert returns.empty()
            carrier.deaf = False
            await returns.get()
            await conn.execute("select pg_notify(%s, 'hello')", [CHANNEL])
            assert await heard.get() == "hello"
        finally:
            listening.cancel()


async def connections(count: int) -> int:
    return count


def test_the_deadline_of_a_call_is_longer_than_the_servers_own() -> None:
    """Else the client would cut connections whose lock wait the server is about to end by itself."""
    assert "lock_timeout=5s" in db.connect_arguments("x")["options"]
    assert CALL_S > 5
