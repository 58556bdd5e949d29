"""What a person at psql asks at night, and does: every script of `sql/ops` and every block of the how-to, run by the real psql as
an operator who has no right on any table of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sql import Connection
from tests.factories import Made, claim, fail, make_record, value
from tests.logins import login
from tests.sql.psql import SCRIPTS, psql, script

PAGE = Path(__file__).parents[2] / "docs" / "repair-in-sql.md"
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ACTS = {"retry": "job.retry", "cancel": "job.cancel", "pause": "portal.pause", "resume": "portal.resume"}
"""Scripts that act as they are; requeue rehearses."""


async def portal_of(conn: Connection, made: Made) -> str:
    query = (
        "select a.portal_key from portal_account as a join automation_job as j on j.account_id = a.id where j.id = %s"
    )
    return str(await value(conn, query, made.job_id))


async def failed(conn: Connection, *, code: str = "PORTAL_DOWN") -> Made:
    made = await make_record(conn, state="failed")
    await conn.execute(
        "update automation_job set error_code = %s, error_step = 'sign-in' where id = %s", [code, made.job_id]
    )
    return made


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.glob("*.sql")))
async def test_every_script_runs_and_says_how_it_is_used(name: str, conn: Connection, database_url: str) -> None:
    made = await (make_record(conn) if name == "cancel" else failed(conn))
    portal = await portal_of(conn, made)
    if name == "resume":
        await conn.execute("select ops.pause_portal(%s, 'before')", [portal])
    text = (SCRIPTS / f"{name}.sql").read_text(encoding="utf-8")
    assert re.match(rf"-- .+\n--\n--     psql .*-f {name}\.sql", text), "its head says what for, and how"
    if "\\else\n\\echo" in text:
        assert f"-f {name}.sql" in await script(database_url, name)
    await script(database_url, name, job=made.job_id, portal=portal, why="for the test", record=made.record_id)
    acts = await conn.execute("select action, actor from audit_event where reason = 'for the test'")
    acted = [(ACTS[name], login("operator"))] if name in ACTS else []
    assert await acts.fetchall() == acted


async def test_every_script_stands_in_the_page_and_every_one_named_there_exists() -> None:
    named = set(re.findall(r"`(\w+\.sql)`", PAGE.read_text(encoding="utf-8")))
    assert named == {path.name for path in SCRIPTS.glob("*.sql")}


async def test_the_page_is_true_from_top_to_bottom(conn: Connection, database_url: str) -> None:
    """Its blocks in their order, as somebody would type them; the variables are what the views have shown."""
    one, two = await failed(conn), await failed(conn)
    done_once = await make_record(conn, state="completed")
    portal = await portal_of(conn, one)
    fingerprint = await value(conn, "select failure from automation_job where id = %s", two.job_id)
    reference = await value(conn, "select external_ref from automation_job where id = %s", one.job_id)
    assert len(BLOCKS) >= 11
    for block in BLOCKS:
        if "ops.retry(:'job'" in block:
            await conn.execute("select ops.cancel(%s, 'for the page')", [one.job_id])
        job = done_once.job_id if "ops.run_again(" in block else one.job_id
        await psql(
            database_url, typed=block, job=job, confirmation="NPL-1", portal=portal, fingerprint=fingerprint, record=reference,
            project=one.device.project.code,
        )  # fmt: skip
    rows = await conn.execute("select action from audit_event where actor = %s order by id", [login("operator")])
    done = [row[0] for row in await rows.fetchall()]
    assert done == ["job.retry"] * 3 + [
        "job.hold", "job.release", "job.cancel", "job.run_again", "portal.pause", "portal.resume",
        "portal.limit",
    ]  # fmt: skip


async def test_a_group_is_rehearsed_first_and_then_retried(conn: Connection, database_url: str) -> None:
    group = [await failed(conn) for _ in range(3)]
    other = await failed(conn, code="PORTAL_REJECTED")
    rehearsed = await script(database_url, "requeue", code="PORTAL_DOWN", why="they are back")
    assert [line.split("|")[5] for line in rehearsed.splitlines()] == ["would"] * 3
    assert await value(conn, "select count(*) from automation_job where state = 'failed'") == 4
    done = await script(database_url, "requeue", code="PORTAL_DOWN", why="they are back", most=2, go=1)
    assert [line.split("|")[5] for line in done.splitlines()] == ["done"] * 2
    done = await script(database_url, "requeue", code="PORTAL_DOWN", why="they are back", go=1)
    assert {line.split("|")[0] for line in done.splitlines()} <= {str(made.job_id) for made in group}
    left = await conn.execute("select id from automation_job where state = 'failed'")
    assert [row[0] for row in await left.fetchall()] == [other.job_id]


async def test_a_group_is_chosen_by_something_and_with_a_reason(conn: Connection, database_url: str) -> None:
    for variables, message in (({"why": "all"}, "chosen by something"), ({"code": "PORTAL_DOWN"}, "an act says why")):
        with pytest.raises(AssertionError, match=message):
            await script(database_url, "requeue", go=1, **variables)


async def test_what_is_stuck_says_why_and_what_helps(conn: Connection, database_url: str) -> None:
    ready, held, asked, lost, slow = [await make_record(conn) for _ in range(5)]
    fresh = await make_record(conn)
    await conn.execute("select ops.hold(%s, 'wait')", [held.job_id])
    for made in (lost, slow):
        await claim(conn, made.job_id)
    await conn.execute("alter table automation_job disable trigger user")
    try:
        await conn.execute(
            "update automation_job set changed_at = now() - interval '25 hours', queued_at = case state when 'queued'"
            " then now() - interval '6 minutes' end where id <> %s", [fresh.job_id],
        )  # fmt: skip
        await conn.execute(
            "update automation_job set state = 'needs_input', wait_reason = 'outcome_unknown' where id = %s",
            [asked.job_id],
        )
    finally:
        await conn.execute("alter table automation_job enable trigger user")
    await conn.execute(
        "update automation_attempt set lease_until = now() - interval '1 minute' where job_id = %s", [lost.job_id]
    )
    await conn.execute(
        "update automation_attempt set started_at = now() - interval '11 minutes', lease_until = now() + interval '1 minute'"
        " where job_id = %s", [slow.job_id],
    )  # fmt: skip
    rows = await conn.execute("select id, why, hint from ops.stuck")
    found = {row[0]: (row[1], row[2]) for row in await rows.fetchall()}
    assert found.keys() == {made.job_id for made in (ready, held, asked, lost, slow)}
    for made, why, hint in (
        (ready, "no worker takes it", "ops.workers"),
        (held, "it is held: hold", "ops.release"),
        (asked, "waits for a person: outcome_unknown", "ops.answer_outcome"),
        (lost, "worker-1 has stopped", "ops.workers"),
        (slow, "over ten minutes", "ops.cancel"),
    ):
        assert why in found[made.job_id][0]
        assert hint in found[made.job_id][1]
    assert str(ready.job_id) in await script(database_url, "stuck")


async def test_the_views_count_what_is_there(conn: Connection) -> None:
    ready, done, bad = await make_record(conn), await make_record(conn, state="completed"), await failed(conn)
    again = await make_record(conn)
    attempt = await claim(conn, again.job_id)
    await fail(conn, again.job_id, attempt, again=True)
    depth = await conn.execute(
        "select sum(ready), sum(running), sum(waiting), sum(came_1h), sum(went_1h) from ops.queue_depth"
    )
    assert await depth.fetchone() == (1, 0, 1, 4, 1)
    rows = await conn.execute("select id, job_id, state from ops.records order by received_at")
    assert {tuple(row) for row in await rows.fetchall()} == {
        (ready.record_id, ready.job_id, "queued"), (done.record_id, done.job_id, "completed"),
        (bad.record_id, bad.job_id, "failed"), (again.record_id, again.job_id, "retrying"),
    }  # fmt: skip


async def test_a_corrections_fields_are_in_no_view(conn: Connection) -> None:
    """The audit of a correction holds the record's fields, which are people's data."""
    made = await make_record(conn)
    content = '{"revision": 1, "fields": {"crew_lead": "M. Okafor"}}'
    await conn.execute(
        "insert into audit_event (actor, action, record_id, job_id, before, after) values ('x', 'record.correct', %s, %s, %s, %s)",
        [made.record_id, made.job_id, content, content],
    )
    for view in ("audit", "timeline"):
        text = await value(conn, f"select string_agg(v::text, ' ') from ops.{view} as v")
        assert "record.correct" in text
        assert "Okafor" not in text


PLAIN = {
    "id", "job_id", "job", "record_id", "project", "portal", "account", "external_ref", "state", "wait_reason", "at", "name",
    "attempt", "max_attempts", "started_at", "ended_at", "created_at", "queued_at", "finished_at", "received_at", "captured_at",
    "reason", "step", "code", "class", "jobs", "first_at", "last_at", "newest_job", "form", "asset", "crew", "revision",
    "error_code", "error_class", "error_message", "error_step", "steps_confirmed", "progress", "queue_row", "queue_status",
    "confirmation", "oldest_age", "oldest_ready_age", "age", "kind", "prompt", "question", "asked_at", "answered_at",
    "answered_by", "expires_at", "outcome", "starts_per_minute", "next_start_at", "paused_reason", "paused_by", "paused_at",
    "breaker", "breaker_reason", "version", "seen_at", "draining_at", "hour", "completed", "failed", "lost", "pickup_p95_s",
    "run_p95_s", "max_s",
}  # fmt: skip
"""Columns whose name says it all, or whose neighbour's comment does. Any other explains itself in `\\d+`."""


async def test_everything_in_ops_explains_itself(conn: Connection) -> None:
    rows = await conn.execute(
        "select concat('view ', relname) from pg_class where relnamespace = 'ops'::regnamespace and obj_description(oid, 'pg_class') is null"
        " union all select concat('function ', proname) from pg_proc"
        "  where pronamespace = 'ops'::regnamespace and obj_description(oid, 'pg_proc') is null"
    )
    assert [row[0] for row in await rows.fetchall()] == []
    rows = await conn.execute(
        "select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0"
        " where c.relnamespace = 'ops'::regnamespace and col_description(c.oid, a.attnum) is null"
    )
    assert [f"{view}.{column}" for view, column in await rows.fetchall() if column not in PLAIN] == []
