"""What an operator types into psql on Procrastinate's tables, and what comes of it. Each line of the table in
`docs/edits-by-hand.md` has its test here; afterwards the doctor finds nothing."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from sql import Connection
from tests.factories import Made, State, claim, complete, fail, finish, make_record, value
from tests.sql.dba import Dba

WAKE = "procrastinate_queue_v1#automation"


@pytest.fixture
async def dba(conn: Connection, database_url: str) -> AsyncIterator[Dba]:
    async with await AsyncConnection.connect(database_url, autocommit=True) as own:
        yield Dba(own)


async def wakes(conn: Connection) -> set[int | None]:
    """Workers' notifications that have arrived."""
    return {json.loads(note.payload)["job_id"] async for note in conn.notifies(timeout=0.2)}


def test_every_edit_of_the_documented_table_has_its_test() -> None:
    page = (Path(__file__).parents[2] / "docs" / "edits-by-hand.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    assert [int(row.split("|")[1]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 12
    assert all(named)
    assert {name for names in named for name in names} <= globals().keys()


async def test_failed_to_todo_is_a_retry_on_a_new_row(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="failed")
    await conn.execute(f'listen "{WAKE}"')
    assert await dba.types("update procrastinate_jobs set status = 'todo' where status = 'failed'") == 1
    assert await dba.rows() == [(1, "automation", "failed"), (2, "automation", "todo")]
    assert await dba.job(made.job_id) == ("queued", 2, 0)
    assert dba.told == [f"queue row 1 stays failed: job {made.job_id} runs again on queue row 2"]
    assert await dba.acts() == [("job.retry", "queue row 1 was set to todo by hand")]
    assert await wakes(conn) == {2}
    assert await dba.ails() == []


async def test_all_failed_rows_to_todo_at_once_retry_each_job_once_and_spare_the_others(
    conn: Connection, dba: Dba
) -> None:
    """The rows of attempts whose job went on, or is completed, are failed too."""
    thrice, done = await make_record(conn), await make_record(conn)
    for again in (True, True, False):
        attempt = await claim(conn, thrice.job_id)
        await fail(conn, thrice.job_id, attempt, again=again)
        await finish(conn, thrice.job_id, attempt)
    attempt = await claim(conn, done.job_id)
    await fail(conn, done.job_id, attempt, again=True)
    await finish(conn, done.job_id, attempt)
    attempt = await claim(conn, done.job_id)
    await complete(conn, done.job_id, attempt)
    await finish(conn, done.job_id, attempt)
    spent = await dba.rows()
    await dba.types("update procrastinate_jobs set status = 'todo' where status = 'failed'")
    now = await dba.rows()
    assert now[:-1] == spent
    assert await dba.job(thrice.job_id) == ("queued", now[-1][0], 0)
    assert (await dba.job(done.job_id))[:2] == ("completed", None)
    assert sum("runs again" in line for line in dba.told) == 1
    assert sum("cannot be retried" in line for line in dba.told) == 3
    assert await dba.ails() == []


async def test_procrastinates_own_retry_means_the_same(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="failed")
    await dba.types("select procrastinate_retry_job_v2(1, now(), 5, 'other', 'lock')")
    assert await dba.rows() == [(1, "automation", "failed"), (2, "automation", "todo")]
    assert await dba.job(made.job_id) == ("queued", 2, 0)


async def test_a_row_of_no_job_set_to_todo_stays(conn: Connection, dba: Dba) -> None:
    await make_record(conn, state="failed")
    for args in ('{"automation_job_id": "no uuid"}', "{}", json.dumps({"automation_job_id": str(uuid4())})):
        await conn.execute("update procrastinate_jobs set args = %s where id = 1", [args])
        await dba.types("update procrastinate_jobs set status = 'todo' where id = 1")
    assert await dba.rows() == [(1, "automation", "failed")]
    assert len(dba.told) == 3


async def test_doing_to_todo_while_the_attempt_runs_is_refused_with_a_hint(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="processing")
    with pytest.raises(psycopg.Error) as refusal:
        await dba.types("update procrastinate_jobs set status = 'todo', worker_id = null where status = 'doing'")
    assert refusal.value.sqlstate == "AB409"
    assert f"ops.cancel('{made.job_id}'" in (refusal.value.diag.message_hint or "")
    assert await dba.rows() == [(1, "automation", "doing")]
    assert await complete(conn, made.job_id, made.attempt)


async def test_doing_to_todo_before_the_claim_lets_another_worker_fetch_it_at_once(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn)
    await conn.execute("update procrastinate_jobs set status = 'doing'")
    await conn.execute(f'listen "{WAKE}"')
    await dba.types("update procrastinate_jobs set status = 'todo'")
    assert await wakes(conn) == {1}
    assert await claim(conn, made.job_id) == 1
    assert await value(conn, "select count(*) from claim_attempt(%s, 1::bigint, 'late', 45)", made.job_id) == 0


@pytest.mark.parametrize("state", ["queued", "retrying", "held", "awaiting_media", "needs_input"])
async def test_a_deleted_row_is_deferred_again(conn: Connection, dba: Dba, state: State) -> None:
    made = await make_record(conn, state=state)
    live = await dba.job(made.job_id)
    assert await dba.types("delete from procrastinate_jobs where status = 'todo'") == 1
    assert await dba.acts() == [("queue.delete", f"queue row {live[1]} was deleted by hand")]
    assert f"ops.cancel('{made.job_id}'" in dba.told[0]
    assert [rule for rule, _ in await dba.ails()] == ["J1"]
    assert await dba.sweeps() == ["rowless"]
    assert (await dba.job(made.job_id))[0] == state
    assert (await dba.rows())[-1][1:] == ("automation" if state == "queued" else "waiting", "todo")
    assert await dba.ails() == []


async def test_a_running_attempt_does_not_miss_its_deleted_row(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="processing")
    await dba.types("delete from procrastinate_jobs")
    assert await dba.sweeps() == []
    assert await dba.ails() == []
    assert await complete(conn, made.job_id, made.attempt)
    assert await dba.ails() == []


async def test_a_truncated_queue_is_deferred_anew(conn: Connection, dba: Dba) -> None:
    made = [await make_record(conn) for _ in range(3)]
    running = await make_record(conn, state="processing")
    await dba.types("truncate procrastinate_jobs cascade")
    assert await dba.acts() == [("queue.truncate", "procrastinate_jobs was truncated by hand")]
    assert await dba.sweeps() == ["rowless"] * 3
    assert {(await dba.job(job.job_id))[0] for job in made} == {"queued"}
    assert await complete(conn, running.job_id, running.attempt)
    assert await dba.ails() == []


async def test_attempts_to_zero_changes_nothing_and_says_what_would(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="failed")
    before = await dba.job(made.job_id)
    await dba.types("update procrastinate_jobs set attempts = 0")
    assert f"ops.retry('{made.job_id}'" in dba.told[0]
    assert await dba.job(made.job_id) == before
    assert await dba.ails() == []


@pytest.mark.parametrize("state", ["queued", "held"])
async def test_a_row_that_names_no_job_any_more_is_replaced(conn: Connection, dba: Dba, state: State) -> None:
    made = await make_record(conn, state=state)
    await dba.types("update procrastinate_jobs set args = jsonb_build_object('automation_job_id', gen_random_uuid())")
    assert [rule for rule, _ in await dba.ails()] == ["J1"]
    assert await dba.sweeps() == ["rowless"]
    assert (await dba.job(made.job_id))[:2] == (state, 2)
    assert [status for _, _, status in await dba.rows()] == ["cancelled", "todo"]
    assert await dba.ails() == []


async def test_a_row_that_names_another_job_runs_neither_of_them_wrongly(conn: Connection, dba: Dba) -> None:
    one, other = await make_record(conn), await make_record(conn)
    await dba.types(
        "update procrastinate_jobs set args = (select args from procrastinate_jobs where id = 2) where id = 1"
    )
    assert await value(conn, "select count(*) from claim_attempt(%s, 1::bigint, 'w', 45)", other.job_id) == 0
    assert await dba.sweeps() == ["rowless"]
    assert (await dba.job(one.job_id))[:2] == ("queued", 3)
    assert await claim(conn, other.job_id) == 1
    assert await dba.ails() == []


async def test_doing_to_succeeded_leaves_the_attempt_to_its_own_end(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="processing")
    await dba.types("update procrastinate_jobs set status = 'succeeded' where status = 'doing'")
    assert await dba.acts() == [("queue.ended", "queue row 1 was set to succeeded by hand")]
    assert "runs to its own end" in dba.told[0]
    assert await dba.sweeps() == []
    assert (await dba.job(made.job_id))[0] == "processing"
    with pytest.raises(psycopg.errors.RaiseException):
        await conn.execute("select procrastinate_finish_job_v1(1, 'succeeded', false)")
    assert await complete(conn, made.job_id, made.attempt)
    assert await dba.ails() == []


async def test_todo_to_succeeded_completes_nothing(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn)
    await dba.types("update procrastinate_jobs set status = 'succeeded' where status = 'todo'")
    assert await dba.sweeps() == ["rowless"]
    assert await dba.job(made.job_id) == ("queued", 2, 0)
    assert await dba.ails() == []


async def test_many_are_retried_by_the_operators_function(conn: Connection, dba: Dba) -> None:
    made = [await make_record(conn, state="failed") for _ in range(5)]
    await make_record(conn, state="completed")
    await conn.execute(f'listen "{WAKE}"')
    await dba.types("select ops.retry(id, 'the portal is back') from ops.jobs where state = 'failed'")
    states = [await dba.job(job.job_id) for job in made]
    assert {(state, failures) for state, _, failures in states} == {("queued", 0)}
    assert await wakes(conn) == {row for _, row, _ in states}
    assert await dba.acts() == [("job.retry", "the portal is back")] * 5
    assert await dba.ails() == []


async def test_a_record_with_a_live_job_cannot_be_deleted(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await dba.types("delete from asbuilt_record where id = %s", made.record_id)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await dba.types("delete from automation_job where id = %s", made.job_id)
    assert await dba.ails() == []


async def test_an_emptied_history_of_the_queue_hides_no_lost_worker(conn: Connection, dba: Dba) -> None:
    """The time of a fetch is known from the queue's history only."""
    queued, running = await make_record(conn), await make_record(conn, state="processing")
    await conn.execute("update procrastinate_jobs set status = 'doing' where id = 1")
    await dba.types("truncate procrastinate_events")
    assert await dba.sweeps() == ["unclaimed"]
    assert (await dba.job(queued.job_id))[0] == "queued"
    assert await complete(conn, running.job_id, running.attempt)
    await finish(conn, running.job_id, running.attempt)
    assert await dba.ails() == []


async def test_priority_is_the_operators(conn: Connection, dba: Dba) -> None:
    await make_record(conn)
    second = await make_record(conn)
    later = await make_record(conn, state="retrying")
    await dba.types("update procrastinate_jobs set priority = 7 where id = 2")
    fetched = await value(conn, "select (procrastinate_fetch_job_v2(array['automation'], null)).id")
    assert fetched == (await dba.job(second.job_id))[1] == 2
    await dba.types("update procrastinate_jobs set priority = 9 where queue_name = 'waiting'")
    await conn.execute("select ops.retry(%s, 'now')", [later.job_id])
    assert await value(conn, "select max(priority) from procrastinate_jobs where queue_name = 'automation'") == 9
    await conn.execute("update procrastinate_jobs set status = 'todo' where id = 2")
    assert await dba.ails() == []


async def test_a_locked_table_refuses_an_upload_whole_and_for_no_longer_than_it_is_locked(
    conn: Connection, dba: Dba
) -> None:
    made = await make_record(conn)
    await conn.execute("set lock_timeout = '50ms'")
    async with dba.conn.transaction():
        await dba.types("lock table procrastinate_jobs in access exclusive mode")
        for act in (make_record(conn), claim(conn, made.job_id), conn.execute("select * from reconcile(0)")):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await act
    assert await value(conn, "select count(*) from asbuilt_record") == 1
    assert await claim(conn, made.job_id) == 1
    assert (await make_record(conn)).state == "queued"


@pytest.mark.parametrize("state", ["queued", "retrying", "held", "awaiting_media", "needs_input"])
async def test_todo_to_cancelled_cancels_the_job(conn: Connection, dba: Dba, state: State) -> None:
    made = await make_record(conn, state=state)
    _, row, _ = await dba.job(made.job_id)
    await dba.types("update procrastinate_jobs set status = 'cancelled' where status = 'todo'")
    assert (await dba.job(made.job_id))[:2] == ("cancelled", None)
    assert await dba.acts() == [("job.cancel", f"queue row {row} was set to cancelled by hand")]
    assert await dba.ails() == []
    await dba.types("update procrastinate_jobs set status = 'todo' where id = %s", row)
    assert (await dba.job(made.job_id))[0] == (state if state in ("held", "awaiting_media") else "queued")
    assert await dba.ails() == []


async def test_an_abort_is_a_cancel_that_the_lease_tells(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="processing")
    assert await value(conn, "select procrastinate_cancel_job_v1(1, true, false)") == 1
    assert await dba.sees("select abort_requested, status::text from procrastinate_jobs") == (False, "doing")
    assert (await dba.job(made.job_id))[0] == "processing"
    assert await dba.sees("select cancel_requested_at is not null from automation_job")
    assert await dba.acts() == [("job.cancel", "abort of queue row 1 was requested by hand")]
    assert await value(conn, "select settle_cancelled(%s, 1)", made.job_id)


async def test_a_cancel_is_refused_while_nobody_knows_what_was_submitted(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="processing")
    assert await value(conn, "select record_intent(%s, 1)", made.job_id)
    for edit in ("abort_requested = true", "status = 'cancelled', abort_requested = true"):
        await conn.execute("update procrastinate_jobs set status = 'doing'")
        if "cancelled" in edit:
            await conn.execute("alter table procrastinate_jobs disable trigger app_queue_back")
            await conn.execute("update procrastinate_jobs set status = 'todo'")
            await conn.execute("alter table procrastinate_jobs enable trigger app_queue_back")
        with pytest.raises(psycopg.Error) as refusal:
            await dba.types(f"update procrastinate_jobs set {edit}")
        assert refusal.value.sqlstate == "AB409"


async def test_a_retrys_time_is_moved_with_its_row(conn: Connection, dba: Dba) -> None:
    made = await make_record(conn, state="retrying")
    await dba.types("update procrastinate_jobs set scheduled_at = '2099-01-01' where status = 'todo'")
    assert await dba.sees("select ready_at = '2099-01-01' from automation_job")
    assert await dba.sees("select queue_name, scheduled_at from procrastinate_jobs where status = 'todo'") == (
        "waiting", None,
    )  # fmt: skip
    await conn.execute(f'listen "{WAKE}"')
    await dba.types("update procrastinate_jobs set scheduled_at = now() where status = 'todo'")
    assert await wakes(conn) == {2}
    assert [action for action, _ in await dba.acts()] == ["job.reschedule"] * 2
    moved = "select before ->> 'ready_at' <> after ->> 'ready_at', after ->> 'ready_at' like '2099-%%' from audit_event where action = 'job.reschedule' order by id"
    assert await dba.sees(moved) == (True, True)
    assert (await dba.job(made.job_id))[2] == 1
    assert await claim(conn, made.job_id) == 2
    assert await dba.ails() == []


async def test_a_retry_moved_to_the_running_queue_is_due_now(conn: Connection, dba: Dba) -> None:
    await make_record(conn, state="retrying")
    await dba.types("update procrastinate_jobs set queue_name = 'automation' where queue_name = 'waiting'")
    assert await dba.sees("select ready_at <= clock_timestamp() from automation_job")
    assert (await dba.rows())[-1][1:] == ("automation", "todo")
    assert await dba.ails() == []


async def test_a_queued_job_can_be_put_off_and_called_back(conn: Connection, dba: Dba) -> None:
    await make_record(conn)
    await dba.types("update procrastinate_jobs set scheduled_at = '2099-01-01'")
    assert await value(conn, "select (procrastinate_fetch_job_v2(array['automation'], null)).id") is None
    assert await dba.sees("select ready_at = '2099-01-01' from automation_job")
    assert await dba.ails() == []
    await conn.execute(f'listen "{WAKE}"')
    await dba.types("update procrastinate_jobs set scheduled_at = null")
    assert await wakes(conn) == {1}
    assert await dba.sees("select ready_at from automation_job") is None


@pytest.mark.parametrize(("state", "queue"), [("queued", "waiting"), ("held", "automation"), ("awaiting_media", "x")])
async def test_a_row_cannot_be_moved_away_from_what_its_job_waits_for(
    conn: Connection, dba: Dba, state: State, queue: str
) -> None:
    await make_record(conn, state=state)
    with pytest.raises(psycopg.Error) as refusal:
        await dba.types("update procrastinate_jobs set queue_name = %s", queue)
    assert refusal.value.sqlstate == "AB409"
    assert await dba.ails() == []


@pytest.mark.parametrize(("to", "function"), [("queued", "ops.retry"), ("cancelled", "ops.cancel")])
async def test_the_state_of_a_job_is_not_set_by_hand(conn: Connection, dba: Dba, to: str, function: str) -> None:
    made = await make_record(conn, state="needs_input")
    with pytest.raises(psycopg.Error) as refusal:
        await dba.types("update automation_job set state = %s, wait_reason = null", to)
    assert refusal.value.sqlstate == "AB403"
    assert f"{function}('{made.job_id}'" in (refusal.value.diag.message_hint or "")
    assert (await dba.job(made.job_id))[0] == "needs_input"


async def test_copies_of_a_row_run_nothing_and_are_closed(conn: Connection, dba: Dba) -> None:
    made: Made = await make_record(conn)
    await dba.types(
        "insert into procrastinate_jobs (queue_name, task_name, args) select queue_name, task_name, args"
        " from procrastinate_jobs"
    )
    assert [rule for rule, _ in await dba.ails()] == ["J3"]
    assert await value(conn, "select count(*) from claim_attempt(%s, 2::bigint, 'w', 45)", made.job_id) == 0
    assert await dba.sweeps() == []
    assert [status for _, _, status in await dba.rows()] == ["todo", "cancelled"]
    assert await dba.ails() == []


async def test_a_workers_own_transitions_meet_none_of_this(conn: Connection, dba: Dba) -> None:
    """A fetch or a finish that hangs or fails stops a worker: they pass while all our tables are locked."""
    await make_record(conn)
    await conn.execute("set lock_timeout = '2s'")
    async with dba.conn.transaction():
        await dba.types(
            "lock table automation_job, automation_attempt, asbuilt_record, audit_event, job_event, portal_submission"
            " in access exclusive mode"
        )
        assert await value(conn, "select (procrastinate_fetch_job_v2(array['automation'], null)).id") == 1
        await conn.execute("select procrastinate_finish_job_v1(1, 'aborted', false)")
    assert await dba.acts() == []
