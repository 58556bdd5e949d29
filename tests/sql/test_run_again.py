"""A completed job is submitted once more by `ops.run_again` and by nothing else: under a reference, a run and attempts of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from app.jobs.states import JobState
from sql import Connection
from tasks import store as tasks
from tests.factories import Made, claim, complete, fail, finish, make_record, value
from tests.logins import as_role

AGAIN = "select ops.run_again(%s, 'they lost it')"


async def refused(conn: Connection, query: str, *values: object) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as raised:
        await conn.execute(query.encode(), values)
    return raised.value


async def row(conn: Connection, made: Made, columns: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] | None = await (
        await conn.execute(f"select {columns} from automation_job where id = %s".encode(), [made.job_id])
    ).fetchone()
    assert found is not None
    return found


async def ails(conn: Connection) -> list[Any]:
    return await (await conn.execute("select rule, sentence from ops.doctor(0)")).fetchall()


async def submissions(conn: Connection, made: Made) -> list[tuple[Any, ...]]:
    """As (the reference's ending, state, number)."""
    query = "select substr(external_ref, 14), state, confirmation from portal_submission where job_id = %s order by 1"
    return await (await conn.execute(query.encode(), [made.job_id])).fetchall()


async def submit(conn: Connection, made: Made, number: str) -> int:
    """An attempt that goes through, with its intent."""
    attempt = await claim(conn, made.job_id)
    assert await value(conn, "select record_intent(%s, %s::int)", made.job_id, attempt)
    assert await complete(conn, made.job_id, attempt, confirmation=number)
    await finish(conn, made.job_id, attempt)
    return attempt


async def test_a_completed_job_is_submitted_once_more_under_a_reference_of_its_own(conn: Connection) -> None:
    made = await make_record(conn)
    await submit(conn, made, "NPL-1")
    ref = await value(conn, "select external_ref from asbuilt_record")
    view = await value(conn, AGAIN, made.job_id)
    assert (view["state"], view["external_ref"], view["times"], view["confirmation"]) == ("queued", f"{ref}-2", 2, None)
    assert [(one["external_ref"], one["confirmation"]) for one in view["former"]] == [(ref, "NPL-1")]
    assert await row(conn, made, "generation, attempts_before, failures, started_at, finished_at, portal_url") == (
        2, 1, 0, None, None, None,
    )  # fmt: skip
    queue = await conn.execute("select queue_name, status::text from procrastinate_jobs order by id")
    assert await queue.fetchall() == [("automation", "succeeded"), ("automation", "todo")]
    # Its slot is its own again, which the end of a generation frees.
    assert await value(conn, "select count(*) from portal_slot where job_id = %s", made.job_id) == 1
    assert await ails(conn) == []

    await submit(conn, made, "NPL-2")
    assert await submissions(conn, made) == [("", "confirmed", "NPL-1"), ("-2", "confirmed", "NPL-2")]
    view = await value(conn, AGAIN, made.job_id)
    assert (view["external_ref"], view["times"], len(view["former"])) == (f"{ref}-3", 3, 2)
    assert await ails(conn) == []


async def test_the_act_is_on_record_with_the_number_that_was(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    await conn.execute(AGAIN, [made.job_id])
    query = (
        "select actor = session_user, reason, before ->> 'state', before ->> 'confirmation', after ->> 'state',"
        " after ->> 'confirmation' from audit_event where action = 'job.run_again'"
    )
    assert await (await conn.execute(query.encode())).fetchall() == [
        (True, "they lost it", "completed", "NPL-1", "queued", None)
    ]
    told = "select kind, state, data ->> 'confirmation' from ops.timeline where job_id = %s and seq is not null order by seq"
    assert (await (await conn.execute(told.encode(), [made.job_id])).fetchall())[-2:] == [
        ("state", "completed", "NPL-1"), ("state", "queued", None),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [each for each in JobState if each != JobState.COMPLETED])
async def test_no_other_state_is_run_again_and_the_hint_names_what_fits(conn: Connection, state: JobState) -> None:
    made = await make_record(conn, state=state)
    before = await row(conn, made, "seq, external_ref")
    error = await refused(conn, AGAIN, made.job_id)
    assert error.sqlstate == "AB409"
    retried = state in (JobState.FAILED, JobState.CANCELLED, JobState.RETRYING)
    assert ("ops.retry" in (error.diag.message_hint or "")) == retried
    assert await row(conn, made, "seq, external_ref") == before
    assert await value(conn, "select count(*) from audit_event where action = 'job.run_again'") == 0


async def test_nothing_else_leads_out_of_completed(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    retry = await refused(conn, "select ops.retry(%s, 'once more')", made.job_id)
    assert (retry.sqlstate, "ops.run_again" in (retry.diag.message_hint or "")) == ("AB409", True)
    bulk = await conn.execute("select outcome from ops.bulk('retry', array[%s], 'all of them')", [made.job_id])
    assert await bulk.fetchall() == [("refused",)]
    assert (await refused(conn, "select ops.bulk('run_again', array[%s], 'x')", made.job_id)).sqlstate == "AB422"
    by_hand = await refused(conn, "update automation_job set state = 'queued' where id = %s", made.job_id)
    assert (by_hand.sqlstate, "ops.run_again" in (by_hand.diag.message_hint or "")) == ("AB403", True)
    await conn.execute("update procrastinate_jobs set status = 'todo'")
    await conn.execute("select * from reconcile(0)")
    assert await row(conn, made, "state, times") == ("completed", 1)
    assert await ails(conn) == []


@pytest.mark.parametrize("login", ["app", "worker"])
async def test_no_process_restarts_a_job_beside_the_act(conn: Connection, database_url: str, login: str) -> None:
    made = await make_record(conn, state="completed")
    async with await AsyncConnection.connect(as_role(login, database_url), autocommit=True) as own:
        error = await refused(own, "select restart_job(lock_job(%s))", made.job_id)
    assert error.sqlstate == "42501"


async def test_of_two_at_once_one_submits_and_the_other_is_told(conn: Connection, database_url: str) -> None:
    made = await make_record(conn, state="completed")

    async def act() -> str | None:
        async with await AsyncConnection.connect(database_url, autocommit=True) as own:
            try:
                await own.execute(AGAIN, [made.job_id])
            except psycopg.Error as exc:
                return exc.sqlstate
        return None

    assert sorted(await asyncio.gather(act(), act()), key=str) == ["AB409", None]
    assert await row(conn, made, "times") == (2,)


async def test_who_has_seen_an_older_number_submits_nothing(conn: Connection) -> None:
    """Two people at two pages: the second presses when the first one's submission has gone through already."""
    made = await make_record(conn, state="completed")
    query = "select ops.run_again(%s, 'they lost it', %s)"
    await conn.execute(query.encode(), [made.job_id, "NPL-1"])
    await submit(conn, made, "NPL-2")
    error = await refused(conn, query, made.job_id, "NPL-1")
    assert (error.sqlstate, "NPL-2" in str(error)) == ("AB409", True)
    assert await row(conn, made, "state, times") == ("completed", 2)


async def test_it_fails_and_is_retried_under_the_new_reference(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    await conn.execute(AGAIN, [made.job_id])
    attempt = await claim(conn, made.job_id)
    assert await fail(conn, made.job_id, attempt) == "failed"
    await finish(conn, made.job_id, attempt)
    assert await ails(conn) == []
    await conn.execute("select ops.retry(%s, 'their fault')", [made.job_id])
    assert await row(conn, made, "times, attempts_before, right(external_ref, 2)") == (2, 1, "-2")
    await submit(conn, made, "NPL-2")
    assert [state for _, state, _ in await submissions(conn, made)] == ["confirmed", "confirmed"]
    assert await ails(conn) == []


async def test_a_cancel_that_came_too_late_for_the_first_one_is_not_asked_of_the_second(conn: Connection) -> None:
    made = await make_record(conn, state="processing")
    await conn.execute("select ops.cancel(%s, 'stop')", [made.job_id])
    assert await complete(conn, made.job_id, made.attempt)
    await finish(conn, made.job_id, made.attempt)
    await conn.execute(AGAIN, [made.job_id])
    assert await row(conn, made, "cancel_requested_at") == (None,)
    # Nor of what is retried after it failed all the same.
    attempt = await claim(conn, made.job_id)
    await conn.execute("select ops.cancel(%s, 'stop')", [made.job_id])
    assert await fail(conn, made.job_id, attempt) == "failed"
    await conn.execute("select ops.retry(%s, 'go on')", [made.job_id])
    assert await row(conn, made, "cancel_requested_at") == (None,)


async def test_the_portal_has_saved_nothing_of_the_second_one_yet(conn: Connection) -> None:
    """Steps of an attempt that took the run of a lost one over stand after the intent, and are the first submission's all the same."""
    made = await make_record(conn, state="completed")
    await conn.execute(
        "insert into automation_step (job_id, attempt, key, index, total, label, state, ended_at, input_hash, recipe_version)"
        " values (%s, 1, 'job', 1, 1, 'Job', 'confirmed', now(), 'hash', 1)", [made.job_id],
    )  # fmt: skip
    await conn.execute("update portal_submission set attempt = 0")
    asked: dict[str, Any] = {"job": made.job_id, "attempt": 2, "recipe_version": 1}
    assert [step.key for step in await tasks.CONFIRMED_STEPS(conn, **asked)] == ["job"]
    await conn.execute(AGAIN, [made.job_id])
    assert await tasks.CONFIRMED_STEPS(conn, **asked) == []


async def test_progress_of_the_second_one_counts(conn: Connection) -> None:
    """A step that the first one had confirmed too is progress: its worker's loss is the first in a row again."""
    made = await make_record(conn)
    step = "insert into automation_step values (%s, %s, 'job', 1, 1, 'Job', 'confirmed', '{}', now(), now())"
    attempt = await claim(conn, made.job_id)
    await conn.execute(step.encode(), [made.job_id, attempt])
    assert await complete(conn, made.job_id, attempt)
    await finish(conn, made.job_id, attempt)
    await conn.execute(AGAIN, [made.job_id])
    await conn.execute("update automation_job set interruptions = 2 where id = %s", [made.job_id])
    attempt = await claim(conn, made.job_id)
    await conn.execute(step.encode(), [made.job_id, attempt])
    await conn.execute("update automation_attempt set lease_until = now() - interval '1 s' where ended_at is null")
    await conn.execute("update automation_attempt set waits = false")
    await conn.execute("select * from reconcile(0)")
    assert await row(conn, made, "state, interruptions") == ("queued", 1)


async def test_a_lost_attempt_of_the_first_one_does_not_lock_the_record(conn: Connection) -> None:
    """Completed by a person's word after a lost worker: nothing of the second one is under way yet."""
    made = await make_record(conn, state="needs_input")
    await conn.execute("update automation_attempt set outcome = 'lost'")
    await conn.execute("select ops.answer_outcome(%s, true, 'NPL-1', 'seen')", [made.job_id])
    await conn.execute(AGAIN, [made.job_id])
    assert not await value(conn, "select under_way(j) from automation_job as j")
    await conn.execute("update automation_job set attempts_before = 0")
    assert await value(conn, "select under_way(j) from automation_job as j")


async def test_the_record_is_found_by_either_reference(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    ref = await value(conn, "select external_ref from asbuilt_record")
    await conn.execute(AGAIN, [made.job_id])
    for typed in (ref, f"{ref}-2"):
        query = "select count(*) from record_lines(array[%s], jsonb_build_object('like1', '%%' || %s::text || '%%'))"
        assert await value(conn, query, made.device.project.id, typed) == 1, typed
    # A correction makes the line anew.
    await conn.execute("update asbuilt_record set crew = 'Others'")
    assert await value(conn, "select search like '%%' || lower(%s) || '%%' from record_line", f"{ref}-2")
