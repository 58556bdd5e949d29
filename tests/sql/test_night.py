"""What a person at psql asks at night, and does: every script of `sql/ops` and every block of the how-to, run by the real psql as
an operator who has no right on any table of ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tasks import store as tasks
from tests.factories import Made, claim, complete, fail, finish, make_record, value
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


async def test_what_a_script_prints_is_what_there_is(conn: Connection, database_url: str) -> None:
    """One is done, one has failed, and a worker has one."""
    bad = await failed(conn)
    done, under_way = [await make_record(conn, device=bad.device) for _ in range(2)]
    await tasks.WORKER_SEEN(conn, worker="worker-1", version="7.7", places=4, beat_s=60.0, draining=False, begins=True)
    step: dict[str, Any] = {"key": "sign-in", "seq": 1, "generation": 1}
    for made in (done, under_way):
        attempt = await claim(conn, made.job_id)
        of = {"job": made.job_id, "attempt": attempt} | step
        await tasks.BEGIN_STEP(conn, **of, index=1, total=2, label="Sign in", recipe_version=1)
        await tasks.CONFIRM_STEP(conn, **of, outputs=Jsonb({}), input_hash="")
        if made is done:
            assert await complete(conn, made.job_id, attempt)
            await finish(conn, made.job_id, attempt)
    project = bad.device.project.code
    refs = "select external_ref from automation_job where id = %s"
    bad_ref, ref = [await value(conn, refs, made.job_id) for made in (bad, under_way)]
    for name, lines in {
        "failures": [rf"npl\|{project}\|PORTAL_DOWN\|sign-in\|.+\|1\|0\|", rf"{bad_ref}\|failed\|PORTAL_DOWN\|"],
        "growing": [rf"{project}\|0\|1\|0\|\|3\|1\|2", rf"{project}\|processing\|\|1\|", rf".*\|{project}\|1\|1\|0\|"],
        "growth": [r"automation_job\|\d+ kB\|\d+ kB\|"],
        "lost": [r"1\|1\|0\|1\|3"],
        "portals": [r"npl\|contractor\|64\|64\|1\|0\|\|\|\|closed\|\|"],
        "record": [rf"{bad.record_id}\|{bad_ref}\|{project}\|", r".+\|state\|failed\|.*\|the run was lost sight of"],
        "slow": [r"npl\|sign-in\|1\|", rf"{ref}\|{project}\|worker-1\|[\d:]+\|1\|"],
        "workers": [r"worker-1\|alive\|1\|4\|7\.7\|", rf"worker-1\|alive\|{ref}\|{project}\|1\|[\d:]+\|1\|"],
    }.items():
        printed = await script(database_url, name, record=bad_ref)
        for line in lines:
            assert re.search(f"^{line}", printed, re.MULTILINE), (name, line, printed)


async def test_who_acted_on_a_job_is_told_however_long_ago_it_was(conn: Connection, database_url: str) -> None:
    made, other = await failed(conn), await failed(conn)
    await script(database_url, "retry", job=made.job_id, why="last month")
    await script(database_url, "retry", job=other.job_id, why="just now")
    await conn.execute("update audit_event set at = now() - interval '30 days' where reason = 'last month'")
    for given, reasons in (
        ({}, ["just now"]),
        ({"job": made.job_id}, ["last month"]),
        ({"job": made.job_id, "hours": 24}, []),
        ({"hours": 24 * 31}, ["just now", "last month"]),
        ({"hours": 24 * 31, "actor": "nobody"}, []),
    ):
        printed = [line.split("|") for line in (await script(database_url, "who", **given)).splitlines()]
        assert [(line[1], line[4]) for line in printed] == [(login("operator"), reason) for reason in reasons], given


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
    ready, held, asked, lost, slow, rowless = [await make_record(conn) for _ in range(6)]
    bare = await make_record(conn, state="awaiting_media")
    fresh = [await make_record(conn), await make_record(conn, state="awaiting_media")]
    await conn.execute("select ops.hold(%s, 'wait')", [held.job_id])
    for made in (lost, slow):
        await claim(conn, made.job_id)
    await conn.execute(
        "delete from procrastinate_jobs where id = (select queue_job_id from automation_job where id = %s)",
        [rowless.job_id],
    )
    await conn.execute("select ops.set_limit('npl', 1, 'one at a time')")
    shut = await make_record(conn)
    await conn.execute("alter table automation_job disable trigger user")
    try:
        await conn.execute(
            "update automation_job set changed_at = now() - interval '25 hours', created_at = now() - interval '25 hours',"
            " queued_at = case when id = %s then now() - interval '61 minutes' when state = 'queued' then now() - interval '6 minutes' end"
            " where id <> all (%s)", [shut.job_id, [made.job_id for made in fresh]],
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
    assert found.keys() == {made.job_id for made in (ready, held, asked, lost, slow, rowless, bare, shut)}
    for made, why, hint in (
        (ready, "no worker takes it", "ops.workers"),
        (held, "it is held: hold", "ops.release"),
        (asked, "waits for a person: outcome_unknown", "ops.answer_outcome"),
        (lost, "worker-1 has stopped", "ops.workers"),
        (slow, "over ten minutes", "ops.cancel"),
        (rowless, "it has no queue row", "next sweep"),
        (shut, "lets it in no more: slot", "ops.set_limit"),
        (bare, "have not come for a day", "the crew sends them"),
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
