"""A client that comes back with its last id misses nothing, whatever order transactions committed in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Hashable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from app.live.store import Page
from sql import Connection
from tests.factories import Made, claim, complete, fail, make_device, make_project, make_record
from tests.web.live import Event, Live, Tail, live


async def committed(conn: Connection, made: list[Made]) -> dict[str, tuple[int, str]]:
    rows = await (
        await conn.execute("select id, seq, state from automation_job where id = any(%s)", ([m.job_id for m in made],))
    ).fetchall()
    return {str(job): (seq, state) for job, seq, state in rows}


async def commit_in_reverse(database_url: str, made: list[Made]) -> None:
    """Every job gets a change in a transaction of its own; all are open at once, and the first to begin commits last."""
    async with AsyncExitStack() as stack:
        open_ones: list[Connection] = []
        for one in made:
            conn = await stack.enter_async_context(await AsyncConnection.connect(database_url))
            await conn.execute("update automation_job set portal_url = 'http://p/' || seq where id = %s", (one.job_id,))
            open_ones.append(conn)
        for conn in reversed(open_ones):
            await conn.commit()


def enough(events: int) -> Callable[[Tail], bool]:
    return lambda tail: len(tail.events) > events or whole(tail)


def whole(tail: Tail) -> bool:
    """A beat comes when nothing else is left to say."""
    return tail.comments > 0


async def follow_with_breaks(
    served: Live, made: list[Made], writing: asyncio.Task[None], *, of_job: bool
) -> list[Event]:
    """Read with a new connection every few events, each from the last id, until the writing has ended and one more."""
    rng = random.Random(7)
    events: list[Event] = []
    last_id = ""
    scope: dict[str, object] = {"job": made[0].job_id} if of_job else {"project": made[0].project.code}
    rounds_after = 0
    while rounds_after < 2:
        rounds_after += writing.done()
        async with served.tail(made[0].device.headers, last_id=last_id, **scope) as tail:
            await tail.until(whole if rounds_after else enough(rng.randrange(4)))
        events += tail.events
        last_id = tail.last_id
    return events


@pytest.mark.parametrize("of_job", [True, False], ids=["job", "project"])
async def test_nothing_is_lost_over_many_reconnects(
    database_url: str, redis_url: str, conn: Connection, of_job: bool
) -> None:
    device = await make_device(conn, await make_project(conn))
    made = [await make_record(conn, device=device) for _ in range(4)]

    async def write() -> None:
        for _ in range(40):
            await commit_in_reverse(database_url, made)

    async with live(database_url, redis_url) as served:
        writing = asyncio.create_task(write())
        events = await follow_with_breaks(served, made, writing, of_job=of_job)
    tail = Tail()
    tail.events = events
    if of_job:
        # Exactly once and in order; the snapshot stands for what came before it.
        first = [e for e in events if e.name == "snapshot"]
        assert len(first) == 1
        told = tail.seqs(made[0].job_id)
        assert told == list(range(first[0].data["jobs"][0]["seq"] + 1, 42))
    else:
        assert tail.newest() == await committed(conn, made)


async def test_a_change_begun_before_the_cursor_and_committed_after_it_is_replayed(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    slow, quick = await make_record(conn, device=device), await make_record(conn, device=device)
    async with (
        live(database_url, redis_url) as served,
        await AsyncConnection.connect(database_url) as open_one,
    ):
        await claim(open_one, slow.job_id)
        async with served.tail(device.headers) as tail:
            await tail.of("snapshot")
            await claim(conn, quick.job_id)
            await tail.state(quick.job_id, "processing")
            await tail.until(lambda t: t.comments > 0)
        await open_one.commit()
        async with served.tail(device.headers, last_id=tail.last_id) as again:
            await again.state(slow.job_id, "processing")
        assert again.all("snapshot") == []
        async with served.tail(device.headers, last_id=again.last_id) as third:
            new = await make_record(conn, device=device)
            await claim(conn, new.job_id)
            # Two changes of one job in a moment may be told as one: such a stream tells each row's latest state.
            await third.state(new.job_id, "processing")


async def test_a_job_stream_goes_on_in_a_new_process(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    async with live(database_url, redis_url) as served, served.tail(made.device.headers, job=made.job_id) as tail:
        await tail.of("snapshot")
        attempt = await claim(conn, made.job_id)
        await tail.state(made.job_id, "processing")
    await fail(conn, made.job_id, attempt, again=True)
    await conn.execute("select ops.retry(%s, 'now')", (made.job_id,))
    async with (
        live(database_url, redis_url) as served,
        served.tail(made.device.headers, job=made.job_id, last_id=tail.last_id) as again,
    ):
        attempt = await claim(conn, made.job_id)
        await complete(conn, made.job_id, attempt)
        await again.state(made.job_id, "completed")
    epoch = tail.last_id.rpartition("-")[0]
    assert [(e.id, e.data["seq"]) for e in again.all("state")] == [(f"{epoch}-{n}", n) for n in (3, 4, 5, 6)]
    assert again.all("snapshot") == []


async def test_a_long_history_is_replayed_whole(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    epoch = (await (await conn.execute("select epoch from stream_epoch")).fetchone() or [""])[0]
    await conn.execute(
        "do $$ begin for n in 1..1200 loop update automation_job set portal_url = 'http://p/' || n; end loop; end $$"
    )
    async with (
        live(database_url, redis_url) as served,
        served.tail(made.device.headers, job=made.job_id, last_id=f"{epoch}-1") as tail,
    ):
        await tail.of("state", 1200)
        assert tail.seqs(made.job_id) == list(range(2, 1202))


async def test_too_much_to_replay_is_a_snapshot(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    await make_record(conn, device=device)
    async with live(database_url, redis_url) as served:
        async with served.tail(device.headers) as tail:
            await tail.of("snapshot")
        for _ in range(501):
            await make_record(conn, device=device)
        async with served.tail(device.headers, last_id=tail.last_id) as again:
            snapshot = (await again.of("snapshot"))[0].data
    assert snapshot["reason"] == "gap"
    assert len(snapshot["jobs"]) == 500


async def test_another_history_voids_what_was_known(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn)
    async with live(database_url, redis_url) as served:
        for last_id, scope in ((f"{uuid4()}-3", {"job": made.job_id}), (f"{uuid4()}:7", {})):
            async with served.tail(made.device.headers, last_id=last_id, **scope) as tail:
                assert (await tail.of("snapshot"))[0].data["reason"] == "epoch"
        async with served.tail(made.device.headers) as tail, served.tail(made.device.headers, job=made.job_id) as one:
            await tail.of("snapshot")
            await one.of("snapshot")
            old = UUID(tail.last_id.partition(":")[0])
            for ahead, scope in ((f"{old}-999", {"job": made.job_id}), (f"{old}:99999999", {})):
                async with served.tail(made.device.headers, last_id=ahead, **scope) as other:
                    assert (await other.of("snapshot"))[0].data["reason"] == "epoch"
            # A restore: the epoch is renewed under the running process.
            await conn.execute("update stream_epoch set epoch = gen_random_uuid()")
            for each in (tail, one):
                assert (await each.of("snapshot", 2))[1].data["reason"] == "epoch"
            assert UUID(tail.last_id.partition(":")[0]) != old
            await claim(conn, made.job_id)
            for each in (tail, one):
                event = await each.state(made.job_id, "processing")
                assert str(old) not in (event.id or str(old))


@pytest.mark.parametrize("of_job", [True, False], ids=["job", "all"])
async def test_a_malformed_last_event_id_is_refused(
    database_url: str, redis_url: str, conn: Connection, of_job: bool
) -> None:
    made = await make_record(conn)
    epoch = uuid4()
    of_the_other_kind = f"{epoch}:5" if of_job else f"{epoch}-5"
    scope: dict[str, object] = {"job": made.job_id} if of_job else {}
    tails = ("-", "-x", "-99999999999", ":-1", ":", "_7", "", ":99999999999999999999", "-1 ")
    async with live(database_url, redis_url) as served:
        for sent in ("1", "x-1", of_the_other_kind, *(f"{epoch}{tail}" for tail in tails)):
            answer = await served.get(made.device.headers, last_event_id=sent, **scope)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request"), sent
        answer = await served.get({**made.device.headers, "Last-Event-ID": of_the_other_kind}, **scope)
        assert answer.status_code == 400


async def test_the_query_resumes_too(database_url: str, redis_url: str, conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    async with live(database_url, redis_url) as served:
        async with served.tail(made.device.headers, job=made.job_id) as tail:
            await tail.of("snapshot")
        await complete(conn, made.job_id, 1)
        async with served.tail(made.device.headers, job=made.job_id, last_event_id=tail.last_id) as again:
            await again.state(made.job_id, "completed")
    assert again.all("snapshot") == []


async def test_a_quiet_stream_moves_its_resume_point(database_url: str, redis_url: str, conn: Connection) -> None:
    """Else a client of a quiet project would come back with a cursor of last week, and read everybody's week."""
    mine, other = await make_record(conn), await make_record(conn)
    async with live(database_url, redis_url) as served, served.tail(mine.device.headers) as tail:
        await tail.of("snapshot")
        first = int(tail.last_id.partition(":")[2])
        await claim(conn, other.job_id)
        await tail.until(lambda t: int(t.last_id.partition(":")[2]) > first)
    assert tail.all("state") == []


@pytest.mark.parametrize("of_job", [True, False], ids=["job", "all"])
@pytest.mark.parametrize("when", ["before the read", "after the read"])
async def test_a_change_beside_the_snapshot_is_told_once(
    database_url: str,
    redis_url: str,
    conn: Connection,
    monkeypatch: pytest.MonkeyPatch,
    of_job: bool,
    when: str,
) -> None:
    """Subscribed first, then read: what falls in between is in the snapshot or follows it, never neither, never both."""
    made = await make_record(conn)
    scope: dict[str, UUID] = {"job": made.job_id} if of_job else {}
    async with live(database_url, redis_url) as served, served.tail(made.device.headers) as witness:
        await witness.of("snapshot")
        read = served.hub.reads.read

        async def beside(
            key: Hashable, query: Callable[[Connection], Coroutine[Any, Any, Page]], *, sight: tuple[UUID, ...]
        ) -> Page:
            monkeypatch.undo()
            page: Page | None = await read(key, query, sight=sight) if when == "after the read" else None
            await claim(conn, made.job_id)
            await witness.state(made.job_id, "processing")
            return await read(key, query, sight=sight) if page is None else page

        monkeypatch.setattr(served.hub.reads, "read", beside)
        async with served.tail(made.device.headers, last_id="", **scope) as tail:
            await tail.of("snapshot")
            await complete(conn, made.job_id, 1)
            await tail.state(made.job_id, "completed")
        snapshot = tail.all("snapshot")[0].data["jobs"][0]["seq"]
    assert len(tail.all("snapshot")) == 1
    assert snapshot == (1 if when == "after the read" else 2)
    assert tail.seqs(made.job_id) == list(range(snapshot + 1, 4))
