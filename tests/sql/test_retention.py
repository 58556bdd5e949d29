"""What was kept long enough goes, at its border by the database's clock; the history of the work stays."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import AsyncConnection

from app.core.orphans import FILES_KEPT
from app.intake.uploads.store import EXPIRE
from app.review.store import TIMELINE_OF_RECORD
from sql import Connection
from tests.factories import State, claim, complete, finish, make_record, value

HISTORY = ("asbuilt_record", "automation_job", "automation_attempt", "job_event", "audit_event")
POLICY = "select keep, enabled, batch, last_removed, removed from retention where what = %s and outcome = %s"


async def row(conn: Connection, query: str, *args: object) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = await (await conn.execute(query.encode(), args)).fetchone()
    return found


async def retain(conn: Connection, what: str, outcome: str) -> int:
    """A round; answers what it removed."""
    removed, begins, more = 0, True, True
    while more:
        got = await row(conn, "select removed, more from retain(%s, %s, %s)", what, outcome, begins)
        assert got is not None
        removed, begins, more = removed + got[0], False, got[1]
    return removed


async def due(conn: Connection, what: str, outcome: str) -> int:
    return int(await value(conn, "select due from ops.retention where what = %s and outcome = %s", what, outcome))


async def age(conn: Connection, by: str) -> None:
    """Every queue row of the present was over so long ago."""
    await conn.execute("update procrastinate_events set at = now() - %s::interval", [by])


@pytest.mark.parametrize(
    ("state", "outcome", "kept", "gone"),
    [
        ("completed", "completed", "23:59:30", "24:00:30"),
        ("needs_input", "completed", "23:59:30", "24:00:30"),
        ("failed", "failed", "6 days 23:59:30", "7 days 00:00:30"),
        ("cancelled", "failed", "6 days 23:59:30", "7 days 00:00:30"),
    ],
)
async def test_queue_rows_go_at_their_border(
    conn: Connection, state: State, outcome: str, kept: str, gone: str
) -> None:
    made = await make_record(conn, state=state)
    spent = "select count(*) from procrastinate_jobs where status in ('succeeded', 'failed', 'cancelled', 'aborted')"
    before = {table: await value(conn, f"select count(*) from {table}") for table in HISTORY}
    shown = await value(conn, "select job_view(j) from automation_job as j where id = %s", made.job_id)
    live = await value(conn, "select count(*) from procrastinate_jobs where status in ('todo', 'doing')")
    assert await value(conn, spent) == 1
    await age(conn, kept)
    assert await due(conn, "queue row", outcome) == 0 == await retain(conn, "queue row", outcome)
    await age(conn, gone)
    other = "failed" if outcome == "completed" else "completed"
    assert await retain(conn, "queue row", other) == 0
    assert await due(conn, "queue row", outcome) == 1 == await retain(conn, "queue row", outcome)
    assert await value(conn, spent) == 0
    assert {table: await value(conn, f"select count(*) from {table}") for table in HISTORY} == before
    assert await value(conn, "select job_view(j) from automation_job as j where id = %s", made.job_id) == shown
    assert await value(conn, "select count(*) from procrastinate_jobs where status in ('todo', 'doing')") == live
    assert await value(conn, "select count(*) from ops.doctor()") == 0


@pytest.mark.parametrize("state", ["queued", "processing", "retrying", "held", "awaiting_media"])
async def test_rows_of_live_jobs_stay_however_old(conn: Connection, state: State) -> None:
    made = await make_record(conn, state=state)
    await age(conn, "10 years")
    await retain(conn, "queue row", "completed")
    await retain(conn, "queue row", "failed")
    assert await value(conn, "select count(*) from procrastinate_jobs as q join automation_job as j on j.queue_job_id = q.id where j.id = %s", made.job_id) == 1  # fmt: skip


async def test_a_row_that_ended_twice_is_kept_by_its_last_end(conn: Connection) -> None:
    await make_record(conn, state="failed")
    await age(conn, "8 days")
    await conn.execute(
        "insert into procrastinate_events (job_id, type) select id, 'succeeded' from procrastinate_jobs where status = 'failed'"
    )
    assert await retain(conn, "queue row", "failed") == 0
    await conn.execute("update procrastinate_events set at = now() - interval '25 h' where type = 'succeeded'")
    assert await retain(conn, "queue row", "completed") == 1


async def test_a_row_that_somebody_holds_is_left_for_the_next_round(conn: Connection, database_url: str) -> None:
    for _ in range(2):
        await make_record(conn, state="completed")
    await age(conn, "2 days")
    async with await AsyncConnection.connect(database_url) as other:
        await other.execute("select from procrastinate_jobs order by id limit 1 for update")
        assert await retain(conn, "queue row", "completed") == 1
        # And two rounds at once don't meet.
        await other.execute("select from retention for update")
        assert await retain(conn, "queue row", "completed") == 0
    assert await retain(conn, "queue row", "completed") == 1


async def test_what_was_done_to_a_record_stays_with_it(conn: Connection) -> None:
    """Timelines show it, and the doctor counts by it how often a job left its end. Acts on portals go."""
    made = await make_record(conn, state="failed")
    await conn.execute("select ops.retry(%s, 'the portal is back')", [made.job_id])
    attempt = await claim(conn, made.job_id)
    assert await complete(conn, made.job_id, attempt)
    await finish(conn, made.job_id, attempt)
    await conn.execute("select ops.run_again(%s, 'their database was restored')", [made.job_id])
    await conn.execute("select ops.pause_portal('npl', 'a moment'), ops.resume_portal('npl', 'done')")
    await conn.execute("update audit_event set at = now() - interval '6 years'")
    told = "select array_agg(t::text order by at, seq) from ops.timeline as t where record_id = %s"
    timeline = await value(conn, told, made.record_id)
    shown = await TIMELINE_OF_RECORD(conn, record=made.record_id)
    assert {"job.retry", "job.run_again"} <= {line.kind for line in shown}
    assert await due(conn, "audit", "any") == 2 == await retain(conn, "audit", "any")
    assert await value(conn, "select count(*) from audit_event where action like 'portal.%%'") == 0
    assert await value(conn, told, made.record_id) == timeline
    assert await TIMELINE_OF_RECORD(conn, record=made.record_id) == shown
    assert await value(conn, "select count(*) from ops.doctor()") == 0


async def test_truncated_events_begin_the_age_anew(conn: Connection) -> None:
    await make_record(conn, state="completed")
    await conn.execute("truncate procrastinate_events")
    assert await retain(conn, "queue row", "completed") == 0
    await age(conn, "25 h")
    assert await retain(conn, "queue row", "completed") == 1


ADD_PICTURE = """
    insert into artifact (job_id, attempt, step, kind, blob_sha256)
    select %s, %s::int, 'login', 'screenshot', keep_blob(sha256('x'), 1, 'image/png') returning id
"""


@pytest.mark.parametrize(
    ("state", "outcome", "kept", "gone"),
    [
        ("completed", "completed", "29 days 23:59", "30 days 00:01"),
        ("failed", "failed", "89 days 23:59", "90 days 00:01"),
    ],
)
async def test_pictures_and_logs_go_and_the_attempt_stays(
    conn: Connection, state: State, outcome: str, kept: str, gone: str
) -> None:
    made = await make_record(conn, state=state)
    picture = await value(conn, ADD_PICTURE, made.job_id, made.attempt)
    await conn.execute("update automation_attempt set log = 'read', traceback = 'at line 1'")
    await conn.execute(
        "insert into automation_input (job_id, attempt, generation, kind, prompt, artifact_id, expires_at, outcome)"
        " values (%s, 1, 1, 'fix', 'which?', %s, now(), 'expired')",
        [made.job_id, picture],
    )
    told = "select (a).outcome, (a).error_code, (a).log, (a).traceback from automation_attempt as a"
    for by, removed in ((kept, 0), (gone, 1), (gone, 0)):
        await conn.execute("update automation_attempt set ended_at = now() - %s::interval", [by])
        for what in ("picture", "log"):
            assert await due(conn, what, outcome) == removed == await retain(conn, what, outcome), (what, by)
        assert await value(conn, "select count(*) from artifact") == (1 if by == kept else 0)
    code = "STREAM_LOST" if state == "failed" else None
    assert await row(conn, told) == (outcome, code, "", None)
    assert await value(conn, "select count(*) from automation_input where artifact_id is null") == 1
    freed = "select release_blobs(array[sha256('x')], 0) = sha256('x')"
    assert await value(conn, freed) is True, "its file is an orphan now"


async def test_a_job_that_is_not_over_keeps_its_pictures_and_logs(conn: Connection) -> None:
    made = await make_record(conn, state="needs_input")
    await value(conn, ADD_PICTURE, made.job_id, made.attempt)
    await conn.execute("update automation_attempt set ended_at = now() - interval '2 years'")
    for what in ("picture", "log"):
        assert await due(conn, what, "failed") == 0 == await retain(conn, what, "failed")
    assert await value(conn, "select count(*) from artifact") == 1


SECRETS = {
    "session": (
        "insert into user_session (secret_hash, user_id, expires_at) select sha256('s'), id, now() - %s::interval from app_user",
        ("-00:01", "00:01"),
    ),
    "sign-in link": (
        "insert into sign_in_link (secret_hash, user_id, expires_at) select sha256('s'), id, now() - %s::interval from app_user",
        ("6 days 23:59", "7 days 00:01"),
    ),
    "token": (
        "update access_token set revoked_at = now() - %s::interval",
        ("89 days 23:59", "90 days 00:01"),
    ),
    "idempotency key": (
        "insert into idempotency_key select id, 'k', sha256('x'), now() - %s::interval from device",
        ("6 days 23:59", "7 days 00:01"),
    ),
    "audit": (
        "insert into audit_event (actor, action, at) values ('x', 'x', now() - %s::interval)",
        ("4 years 360 days", "5 years 1 day"),
    ),
}


@pytest.mark.parametrize("what", SECRETS)
async def test_secrets_go_when_their_time_is_over(conn: Connection, what: str) -> None:
    await make_record(conn)
    await conn.execute("insert into app_user (email, name) values ('a@example.org', 'A')")
    await conn.execute("delete from audit_event")
    outcome = await value(conn, "select outcome from retention where what = %s", what)
    made, (kept, gone) = SECRETS[what]
    for by, removed in ((kept, 0), (gone, 1)):
        async with conn.transaction(force_rollback=True):
            await conn.execute(made.encode(), [by])
            assert await due(conn, what, outcome) == removed == await retain(conn, what, outcome), by


async def test_files_and_uploads_stay_while_their_policy_is_not_enabled(conn: Connection) -> None:
    """Removed by the web process, which asks the same rows as the workers do."""
    made = await make_record(conn)
    await conn.execute(
        "insert into upload_session (device_id, record_id, name, expires_at) values (%s, %s, 'pole', now() - interval '1 day')",
        [made.device.id, made.record_id],
    )
    async with conn.transaction(force_rollback=True):
        await conn.execute("update retention set enabled = false where what in ('file', 'upload')")
        assert await FILES_KEPT(conn) is None
        assert await EXPIRE(conn, most=10) == []
        await conn.execute("update retention set enabled = true where what in ('file', 'upload')")
        kept = await FILES_KEPT(conn)
        assert kept is not None
        assert kept.after_s == 86_400
        # Its own time is over since a day; the policy may give it longer.
        await conn.execute("update retention set keep = '25 hours' where what = 'upload'")
        assert await EXPIRE(conn, most=10) == []
        await conn.execute("update retention set keep = '23 hours' where what = 'upload'")
        assert len(await EXPIRE(conn, most=10)) == 1
