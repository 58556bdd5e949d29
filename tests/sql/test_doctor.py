"""`ops.doctor()` is silent on a healthy system, and each of its rules speaks when it is broken behind our triggers' back."""

from __future__ import annotations

import pytest

from app.jobs.states import JobState
from sql import Connection
from tests.factories import State, claim, complete, fail, finish, make_record, value

BROKEN: list[tuple[str, State, str]] = [
    ("U4", "queued", "delete from audit_event where job_id = ':job'"),
    ("U5", "queued", "delete from automation_job where id = ':job'"),
    ("U6", "queued", "update automation_job set external_ref = 'AB-0000000000' where id = ':job'"),
    ("P1", "awaiting_media", "update photo set declared_sha256 = sha256('a'), blob_sha256 = sha256('b'), received_at = now() where record_id = ':record'"),
    ("P2", "awaiting_media", "update asbuilt_record set media_state = 'complete' where id = ':record'"),
    ("J1", "queued", "delete from procrastinate_jobs where args ->> 'automation_job_id' = ':job'"),
    ("J1", "held", "update procrastinate_jobs set status = 'failed' where args ->> 'automation_job_id' = ':job'"),
    ("J1", "queued", "update procrastinate_jobs set args = '{}' where args ->> 'automation_job_id' = ':job'"),
    ("J1", "queued", "update procrastinate_jobs set queue_name = 'waiting' where args ->> 'automation_job_id' = ':job'"),
    ("J1", "held", "update procrastinate_jobs set queue_name = 'automation' where args ->> 'automation_job_id' = ':job'"),
    ("J1", "retrying", "update automation_job set ready_at = now() - interval '1 hour' where id = ':job'"),
    ("J1", "queued", "update procrastinate_jobs set status = 'doing' where args ->> 'automation_job_id' = ':job'"),
    ("J1", "awaiting_media", "update photo set rejected_reason = 'broken', received_at = now() where record_id = ':record'"),
    ("J1", "held", "update defect set status = 'waived', by = 'x', reason = 'y', closed_at = now() where record_id = ':record'"),
    ("J1", "awaiting_media", "update asbuilt_record set media_due_at = now() - interval '1 hour' where id = ':record'"),
    ("J1", "held", "update automation_job set wait_reason = 'media_overdue' where id = ':job'"),
    ("J2", "processing", "update automation_attempt set ended_at = now(), outcome = 'lost' where job_id = ':job'"),
    ("J2", "completed", "update automation_attempt set ended_at = null, outcome = null where job_id = ':job'"),
    ("J2", "processing", "update automation_attempt set lease_until = now() - interval '1 hour' where job_id = ':job'"),
    ("J2", "failed", "update automation_attempt set attempt = 2 where job_id = ':job'"),
    ("J2", "queued", "update automation_job set failures = 2 where id = ':job'"),
    ("J2", "failed", "insert into automation_step values (':job', 1, 'job', 1, 1, 'Job', 'running')"),
    ("J3", "completed", "update procrastinate_jobs set status = 'doing' where args ->> 'automation_job_id' = ':job'"),
    ("J3", "failed", "update procrastinate_jobs set status = 'todo' where args ->> 'automation_job_id' = ':job'"),
    ("J3", "queued", "insert into procrastinate_jobs (queue_name, task_name, args) values ('automation', 'automation', '{}')"),
    ("J3", "queued", "insert into procrastinate_jobs (queue_name, task_name, args) select queue_name, task_name, args from procrastinate_jobs where args ->> 'automation_job_id' = ':job'"),
    ("J4", "completed", "update job_event set data = data || '{\"state\": \"held\"}' where seq = 2 and job_id = ':job'"),
    ("J4", "failed", "update job_event set data = data || '{\"state\": \"completed\"}' where seq = 1 and job_id = ':job'"),
    ("J5", "queued", "update automation_job set state = 'failed', error_code = 'X', finished_at = now(), queue_job_id = null where id = ':job'"),
    ("S0", "completed", "delete from job_event where seq = 2 and job_id = ':job'"),
    ("S0", "completed", "delete from job_event where seq = 3 and job_id = ':job'"),
    ("S0", "queued", "delete from job_event where job_id = ':job'"),
    ("Q1", "processing", "update portal_slot set job_id = null, taken_at = null, run_at = null where job_id = ':job'"),
    ("Q2", "queued", "update automation_job set wait_reason = 'slot' where id = ':job'"),
    ("Q3", "completed", "update portal_slot set job_id = ':job', taken_at = now() where n = 7"),
    ("Q3", "held", "update portal_slot set job_id = ':job', taken_at = now() where n = 7"),
    ("L1", "queued", "delete from record_line where record_id = ':record'"),
    ("L1", "queued", "update asbuilt_record set deleted_at = now() where id = ':record'"),
    ("L1", "failed", "update record_line set job_state = 'queued' where record_id = ':record'"),
    ("L1", "held", "update record_line set severity = 'none' where record_id = ':record'"),
    ("E3", "completed", "delete from portal_submission where job_id = ':job'"),
    ("E3", "completed", "update portal_submission set confirmation = 'another' where job_id = ':job'"),
    ("E3", "completed", "update portal_submission set state = 'intent', confirmation = null where job_id = ':job'"),
    ("U6", "completed", "update automation_job set times = 2 where id = ':job'"),
    ("J4", "completed", "update automation_job set times = 2, external_ref = external_ref || '-2' where id = ':job'"),
    ("E1", "completed", "insert into portal_submission select 'npl', external_ref || '-2', id, 'confirmed', 1, 1, now(), 'N-2' from automation_job where id = ':job'"),
    ("E3", "failed", "insert into portal_submission select 'npl', external_ref, id, 'intent', 1, 1, now() from automation_job where id = ':job'"),
]  # fmt: skip


async def rules(conn: Connection, grace_s: float = 0) -> set[str]:
    found = await conn.execute("select rule, sentence, hint from ops.doctor(%s)", [grace_s])
    rows = await found.fetchall()
    assert all(sentence and hint for _, sentence, hint in rows), rows
    return {rule for rule, _, _ in rows}


async def test_jobs_of_every_state_are_well(conn: Connection) -> None:
    for state in JobState:
        await make_record(conn, state=state)
    assert await rules(conn) == set()


async def test_a_long_life_is_well(conn: Connection) -> None:
    """Failed, retried, lost, retried by a person, detached, cancelled, retried again, completed."""
    job = (await make_record(conn)).job_id
    attempt = await claim(conn, job)
    await fail(conn, job, attempt, again=True)
    await finish(conn, job, attempt)
    attempt = await claim(conn, job)
    await conn.execute("update automation_attempt set lease_until = now() - interval '1 s' where ended_at is null")
    await conn.execute("select * from reconcile(0)")
    attempt = await claim(conn, job)
    await fail(conn, job, attempt)
    await finish(conn, job, attempt)
    await conn.execute("select ops.retry(%s, 'again')", [job])
    attempt = await claim(conn, job)
    await conn.execute("select settle_detached(%s, %s::int)", [job, attempt])
    await finish(conn, job, attempt)
    await conn.execute("select ops.cancel(%s, 'no'), ops.retry(%s, 'yes')", [job, job])
    attempt = await claim(conn, job)
    assert await complete(conn, job, attempt)
    await finish(conn, job, attempt)
    assert await value(conn, "select state from automation_job where id = %s", job) == "completed"
    assert await rules(conn) == set()


@pytest.mark.parametrize(
    ("rule", "state", "breakage"), BROKEN, ids=[f"{r}-{s}-{n}" for n, (r, s, _) in enumerate(BROKEN)]
)
async def test_a_broken_rule_is_told_of_the_right_job(conn: Connection, rule: str, state: State, breakage: str) -> None:
    await make_record(conn, state="needs_input")
    made = await make_record(conn, state=state)
    # As a superuser who switches every trigger and foreign key off.
    await conn.execute("set session_replication_role = replica")
    await conn.execute(breakage.replace(":job", str(made.job_id)).replace(":record", str(made.record_id)).encode())
    found = await (await conn.execute("select rule, job_id, record_id from ops.doctor(0)")).fetchall()
    assert rule in {row[0] for row in found}, found
    assert {made.record_id, None} >= {row[2] for row in found}, found
    assert await rules(conn) >= {rule}


async def test_what_is_on_its_way_counts_after_the_grace_only(conn: Connection) -> None:
    made = await make_record(conn)
    attempt = await claim(conn, made.job_id)
    await complete(conn, made.job_id, attempt)
    assert await rules(conn, 0) == {"J3"}
    assert await rules(conn, 60) == set()
    await finish(conn, made.job_id, attempt)
    assert await rules(conn, 0) == set()
