"""Admission: limits are exact, a backlog of one portal delays nobody at another, and a freed slot is used at once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import ERROR, claim, complete, finish, make_record, value
from tests.sql.line import Line, make_line, settle_beside_upload


async def fetched(conn: Connection) -> UUID | None:
    """What a worker that is free takes."""
    worker = await value(conn, "select worker_id from procrastinate_register_worker_v1()")
    found = await value(
        conn,
        "select args ->> 'automation_job_id' from procrastinate_fetch_job_v2(array['automation'], %s::bigint)",
        worker,
    )
    return None if found is None else UUID(found)


async def test_the_third_of_two_waits_and_the_freed_slot_is_used_at_once(database_url: str, conn: Connection) -> None:
    line = await make_line(conn)
    first, second, third = [await line.upload() for _ in range(3)]
    assert [await line.may_run(job) for job in (first, second)] == [True, True]
    assert await line.state(third) == ("queued", "slot", "waiting")
    attempt = await claim(conn, first)
    async with await AsyncConnection.connect(database_url, autocommit=True) as worker:
        await worker.execute('listen "procrastinate_queue_v1#automation"')
        await complete(conn, first, attempt)
        assert [n.channel async for n in worker.notifies(timeout=10, stop_after=1)]
    assert await line.may_run(third)
    events = await conn.execute("select data ->> 'wait_reason' from job_event where job_id = %s order by seq", (third,))
    assert [row[0] for row in await events.fetchall()] == ["slot", None], "the wait is on the stream, and its end"


async def test_those_who_wait_go_on_by_priority_then_by_age(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    running, *waiting = [await line.upload() for _ in range(4)]
    await conn.execute(
        "update procrastinate_jobs set priority = 5 where id = (select queue_job_id from automation_job where id = %s)",
        (waiting[2],),
    )
    order = []
    for _ in range(3):
        await complete(conn, running, await claim(conn, running))
        running = await value(conn, "select id from automation_job where state = 'queued' and wait_reason is null")
        order.append(running)
    assert order == [waiting[2], waiting[0], waiting[1]]


async def test_a_settle_waits_for_an_upload_that_is_not_committed_and_then_sees_it(
    database_url: str, conn: Connection
) -> None:
    """Without the gate the settle finds nobody in line, and the upload commits a job that waits beside a free slot."""
    line, late = await settle_beside_upload(database_url, conn)
    assert await line.may_run(late)


async def test_twelve_takers_of_three_slots_are_never_more_than_three(database_url: str, conn: Connection) -> None:
    line = await make_line(conn, max_runs=3)
    conns = [await AsyncConnection.connect(database_url, autocommit=True) for _ in range(12)]
    seen: list[int] = []

    async def work(own: Connection) -> None:
        """Upload, then run whatever may run until nothing is left."""
        await line.upload(own)
        worker = await value(own, "select worker_id from procrastinate_register_worker_v1()")
        while await value(own, "select exists (select from automation_job where state <> 'completed')"):
            found = await own.execute(
                "select id, args ->> 'automation_job_id' from procrastinate_fetch_job_v2(array['automation'], %s::bigint)",
                (worker,),
            )
            row = await found.fetchone()
            if row is None or row[0] is None:
                await asyncio.sleep(0.005)
                continue
            attempt = await value(own, "select attempt from claim_attempt(%s, %s::bigint, 'w', 45)", row[1], row[0])
            assert attempt is not None
            seen.append(await value(own, "select count(*) from automation_attempt where ended_at is null"))
            await asyncio.sleep(0.01)
            await complete(own, UUID(row[1]), attempt)

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(work(own) for own in conns))
    finally:
        for own in conns:
            await own.close()
    assert max(seen) == 3, f"{max(seen)} ran at once"
    assert len(seen) == 12
    assert await line.taken() == 0


async def test_a_backlog_at_one_portal_delays_nobody_at_another(conn: Connection) -> None:
    slow, quick = await make_line(conn), await make_line(conn)
    backlog = [await slow.upload() for _ in range(200)]
    for job in backlog[:2]:
        assert await fetched(conn) == job
    assert await fetched(conn) is None, "the backlog wakes no worker"
    job = await quick.upload()
    assert await fetched(conn) == job


@pytest.mark.parametrize("how", ["detached", "lost", "run goes on"])
async def test_the_successor_inherits_the_slot(conn: Connection, how: str) -> None:
    line = await make_line(conn, max_runs=1)
    job, other = await line.upload(), await line.upload()
    attempt = await claim(conn, job)
    if how == "detached":
        await conn.execute("select settle_detached(%s, %s::int)", (job, attempt))
    elif how == "lost":
        await conn.execute("update automation_attempt set lease_until = now() - interval '1 s'")
        await conn.execute("select * from reconcile(45)")
    else:
        assert await line.fail(job, attempt, "STREAM_LOST", "transient", run_over=False) == "retrying"
        await conn.execute("update automation_job set ready_at = now() where id = %s", (job,))
        await conn.execute("select promote_due()")
    assert await line.state(other) == ("queued", "slot", "waiting")
    # Paused meanwhile: its run is in the portal all the same, and is followed to its end.
    await line.sets(paused_at="2026-01-01")
    assert await claim(conn, job) == 2
    assert await line.taken() == 1


@pytest.mark.parametrize("how", ["completed", "back-off", "outcome unknown", "cancelled"])
async def test_the_slot_is_free_when_the_run_is_over(conn: Connection, how: str) -> None:
    line = await make_line(conn, max_runs=1)
    job, other = await line.upload(), await line.upload()
    attempt = await claim(conn, job)
    if how == "completed":
        await complete(conn, job, attempt)
    elif how == "back-off":
        assert await line.fail(job, attempt, "ELEMENT_TIMEOUT", "transient") == "retrying"
    elif how == "outcome unknown":
        await conn.execute("select settle_parked(%s, %s::int, 'outcome_unknown', %s)", (job, attempt, Jsonb(ERROR)))
    else:
        await conn.execute("select settle_cancelled(%s, %s::int)", (job, attempt))
    assert await line.may_run(other)
    assert await line.taken() == 1


async def test_a_due_retry_without_a_slot_joins_the_line(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    job = await line.upload()
    await line.fail(job, await claim(conn, job), "ELEMENT_TIMEOUT", "transient")
    other = await line.upload()
    await conn.execute("update automation_job set ready_at = now() where id = %s", (job,))
    await conn.execute("select promote_due()")
    assert await line.state(job) == ("queued", "slot", "waiting")
    await complete(conn, other, await claim(conn, other))
    assert await claim(conn, job) == 2


async def test_a_claim_after_a_pause_is_turned_away_and_spends_nothing(conn: Connection) -> None:
    line = await make_line(conn)
    job = await line.upload()
    row = await value(conn, "select queue_job_id from automation_job where id = %s", job)
    await conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", (row,))
    await conn.execute("select ops.pause_portal(%s, 'their maintenance')", (line.portal,))
    assert await value(conn, "select attempt from claim_attempt(%s, %s::bigint, 'w', 45)", job, row) is None
    assert await line.state(job) == ("held", "paused", "waiting")
    assert await value(conn, "select attempt from automation_job where id = %s", job) == 0
    assert await line.taken() == 0
    await conn.execute("select ops.resume_portal(%s, 'they are back')", (line.portal,))
    assert await claim(conn, job) == 1
    acts = await conn.execute("select action, reason from audit_event where action like 'portal.%' order by id")
    assert await acts.fetchall() == [("portal.pause", "their maintenance"), ("portal.resume", "they are back")]


async def test_a_plain_update_of_the_account_takes_effect_at_once(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    jobs = [await line.upload() for _ in range(4)]
    await line.sets(max_runs=3)
    assert [await line.may_run(job) for job in jobs] == [True, True, True, False]
    await line.sets(paused_at="2026-01-01")
    assert await line.state(jobs[3]) == ("held", "paused", "waiting")
    assert await line.state(await line.upload()) == ("held", "paused", "waiting")
    await line.sets(paused_at=None)
    assert await line.state(jobs[3]) == ("queued", "slot", "waiting")
    running = [await claim(conn, job) for job in jobs[:3]]
    await line.sets(max_runs=1)
    await complete(conn, jobs[0], running[0])
    await complete(conn, jobs[1], running[1])
    assert await line.taken() == 1, "the limit is exact also while it is lowered under runs"
    await complete(conn, jobs[2], running[2])
    assert await line.may_run(jobs[3])


async def test_a_claim_above_a_lowered_limit_is_turned_away(conn: Connection) -> None:
    line = await make_line(conn, max_runs=2)
    jobs = [await line.upload() for _ in range(2)]
    await line.sets(max_runs=1)
    claimed = []
    for job in jobs:
        row = await value(conn, "select queue_job_id from automation_job where id = %s", job)
        await conn.execute("update procrastinate_jobs set status = 'doing' where id = %s", (row,))
        claimed.append(await value(conn, "select attempt from claim_attempt(%s, %s::bigint, 'w', 45)", job, row))
    assert sorted(claimed, key=str) == [1, None], "two ran at a limit of one"
    assert await line.taken() == 1


async def open_breaker(line: Line) -> list[UUID]:
    """Three jobs fail by the portal itself."""
    jobs = [await line.upload() for _ in range(3)]
    for job in jobs:
        if not await line.may_run(job):
            break
        await line.fail(job, await claim(line.conn, job), "PORTAL_UNREACHABLE", "transient")
    return jobs


async def test_the_breaker_opens_probes_and_closes_by_itself(conn: Connection) -> None:
    line = await make_line(conn, max_runs=3)
    await open_breaker(line)
    waiting = [await line.upload() for _ in range(3)]
    assert [await line.state(job) for job in waiting] == [("queued", "breaker", "waiting")] * 3
    shown = await conn.execute("select breaker, open_to, waiting from ops.portals where portal = %s", (line.portal,))
    assert await shown.fetchone() == ("open", 0, 3)
    # The timer sleeps until then.
    assert 50 < await value(conn, "select extract(epoch from breaker_until - now()) from portal_account where id = %s", line.account) <= 60  # fmt: skip
    await conn.execute("update automation_job set ready_at = now() + interval '1 day' where state = 'retrying'")
    assert await value(conn, "select promote_due()") <= 60
    await line.sets(breaker_until="2026-01-01")
    await conn.execute("select promote_probes()")
    await conn.execute("select promote_probes()")
    assert [await line.may_run(job) for job in waiting] == [True, False, False], "one probes"
    assert await line.state(await line.upload()) == ("queued", "breaker", "waiting")
    # It fails too: twice as long.
    await line.fail(waiting[0], await claim(conn, waiting[0]), "PORTAL_TIMEOUT", "transient")
    assert 100 < await value(conn, "select extract(epoch from breaker_until - now()) from portal_account where id = %s", line.account) <= 120  # fmt: skip
    await line.sets(breaker_until="2026-01-01")
    await conn.execute("select promote_probes()")
    await complete(conn, waiting[1], await claim(conn, waiting[1]))
    assert await value(conn, "select breaker from ops.portals where portal = %s", line.portal) == "closed"
    assert await line.may_run(waiting[2])


async def test_failures_between_successes_and_of_our_own_service_open_no_breaker(conn: Connection) -> None:
    line = await make_line(conn, max_runs=8)
    jobs = [await line.upload() for _ in range(8)]
    for code, error_class in (("SERVICE_5XX", "transient"), ("RATE_LIMITED", "portal_down"), ("SLOT_BUSY", "portal_down")):  # fmt: skip
        job = jobs.pop()
        await line.fail(job, await claim(conn, job), code, error_class)
    for _ in range(2):
        job = jobs.pop()
        await line.fail(job, await claim(conn, job), "PORTAL_ERROR", "transient")
    await line.sets(counts_from="2026-01-01")
    job = jobs.pop()
    await complete(conn, job, await claim(conn, job))
    job = jobs.pop()
    await line.fail(job, await claim(conn, job), "PORTAL_ERROR", "transient")
    assert await value(conn, "select breaker from ops.portals where portal = %s", line.portal) == "closed"
    assert await line.may_run(jobs.pop())


async def test_a_rejected_login_pauses_the_account_and_costs_nobody_anything(conn: Connection) -> None:
    line = await make_line(conn)
    jobs = [await line.upload() for _ in range(4)]
    assert await line.fail(jobs[0], await claim(conn, jobs[0]), "LOGIN_REJECTED", "login_failed", spends="nothing") == "held"  # fmt: skip
    assert [await line.state(job) for job in (jobs[0], jobs[2], jobs[3])] == [("held", "login", "waiting")] * 3
    paused = await conn.execute("select paused_as, paused_reason from ops.portals where portal = %s", (line.portal,))
    assert await paused.fetchone() == ("login", "login: it went wrong")
    with pytest.raises(AssertionError, match="cannot be claimed"):
        await claim(conn, jobs[1])
    await conn.execute("select ops.resume_portal(%s, 'new password')", (line.portal,))
    assert sum([await line.may_run(job) for job in jobs]) == 2
    assert await value(conn, "select max(failures) from automation_job") == 0


async def test_three_jobs_lost_at_one_step_pause_the_recipe(conn: Connection) -> None:
    line = await make_line(conn, max_runs=4)
    jobs = [await line.upload() for _ in range(5)]
    for n, job in enumerate(jobs[:3]):
        assert await value(conn, "select paused_as from portal_account where id = %s", line.account) is None, n
        await line.fail(job, await claim(conn, job), "ELEMENT_MISSING", "element_missing", again=False, step="photos")
    assert await value(conn, "select paused_as from portal_account where id = %s", line.account) == "recipe_paused"
    assert (await line.state(await line.upload()))[:2] == ("held", "recipe_paused")


async def test_a_portal_that_is_down_is_waited_for_a_day(conn: Connection) -> None:
    line = await make_line(conn)
    job = await line.upload()
    assert await line.fail(job, await claim(conn, job), "OUTSIDE_HOURS", "portal_down", spends="nothing") == "retrying"
    assert await line.state(job) == ("retrying", "portal_down", "waiting")
    await conn.execute("update automation_job set down_since = now() - interval '25 hours', ready_at = now()")
    await conn.execute("select promote_due()")
    assert await line.fail(job, await claim(conn, job), "OUTSIDE_HOURS", "portal_down", spends="nothing") == "held"
    assert await line.state(job) == ("held", "portal_down", "waiting")
    await conn.execute("select ops.release(%s, 'they promised')", (job,))
    assert await claim(conn, job) == 3
    assert await value(conn, "select failures from automation_job where id = %s", job) == 0


async def test_hold_and_release(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    job, other = await line.upload(), await line.upload()
    await conn.execute("select ops.hold(%s, 'ask the crew')", (job,))
    assert await line.state(job) == ("held", "hold", "waiting")
    assert await line.may_run(other), "its slot is free"
    await conn.execute("select ops.release(%s, 'asked')", (job,))
    assert await line.state(job) == ("queued", "slot", "waiting")
    await complete(conn, other, await claim(conn, other))
    assert await claim(conn, job) == 1
    for act in ("hold", "release"):
        with pytest.raises(psycopg.Error) as refused:
            await conn.execute(f"select ops.{act}(%s, 'late')".encode(), (job,))
        assert refused.value.sqlstate == "AB409"


@pytest.mark.parametrize(("state", "back"), [("awaiting_media", "awaiting_media"), ("held", "held"), ("retrying", "queued")])  # fmt: skip
async def test_what_a_held_job_waited_for_it_waits_for_again(conn: Connection, state: Any, back: str) -> None:
    made = await make_record(conn, state=state)
    before = await value(conn, "select wait_reason from automation_job where id = %s", made.job_id)
    await conn.execute("select ops.hold(%s, 'wait')", (made.job_id,))
    await conn.execute("select ops.release(%s, 'go on')", (made.job_id,))
    after = await conn.execute("select state, wait_reason from automation_job where id = %s", (made.job_id,))
    assert await after.fetchone() == (back, None if back == "queued" else before)


async def test_starts_are_spaced_and_an_attached_run_waits_for_nothing(conn: Connection) -> None:
    line = await make_line(conn, max_runs=4)
    await line.sets(starts_per_minute=60)
    jobs = [await line.upload() for _ in range(4)]
    waits = [await value(conn, "select reserve_start(%s, %s::int)", job, await claim(conn, job)) for job in jobs[:3]]
    assert waits == [0, pytest.approx(1, abs=0.9), pytest.approx(2, abs=0.9)]
    assert waits[0] < waits[1] < waits[2]
    attempt = await claim(conn, jobs[3])
    await conn.execute("insert into automation_run (job_id, generation, run_id) values (%s, 1, 'r')", (jobs[3],))
    assert await value(conn, "select reserve_start(%s, %s::int)", jobs[3], attempt) == 0


async def test_a_limit_is_set_by_name_and_keeps_the_rate_unless_told(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    jobs = [await line.upload() for _ in range(2)]
    for more, rate in (("", None), (", null, 30", 30), ("", 30), (", 'crew', 0", None)):
        await conn.execute(f"select ops.set_limit(%s, 2, 'they said so'{more})".encode(), (line.portal,))
        assert await value(conn, "select starts_per_minute from portal_account where id = %s", line.account) == rate
    assert await line.may_run(jobs[1])
    with pytest.raises(psycopg.Error) as refused:
        await conn.execute("select ops.set_limit(%s, 2, 'x', 'nobody')", (line.portal,))
    assert refused.value.sqlstate == "AB404"


async def test_a_sweep_mends_lost_slots_and_lost_promotions(conn: Connection) -> None:
    line = await make_line(conn, max_runs=1)
    job, other = await line.upload(), await line.upload()
    attempt = await claim(conn, job)
    await conn.execute("set session_replication_role = replica")
    await complete(conn, job, attempt)
    await conn.execute("set session_replication_role = origin")
    await finish(conn, job, attempt)
    assert "Q3" in {row[0] for row in await (await conn.execute("select rule from ops.doctor(0)")).fetchall()}
    mended = await (await conn.execute("select kind, job_id from reconcile(0)")).fetchall()
    assert {("slot", job), ("waiter", other)} <= set(mended)
    assert await line.may_run(other)
