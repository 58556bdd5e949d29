"""Each act of a person at psql, who is nothing but an operator, reaches whoever looks at the page within a second."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Device, Made, claim, make_device, make_project, make_record, value
from tests.faults.timings import slack
from tests.logins import login
from tests.sql.psql import psql
from tests.web.live import Event, Tail, live

WITHIN_S = 1.0
APPROVAL = {"kind": "approval", "prompt": "Submit?", "within_s": 3600}


Act = tuple[Made, str, str | None, str | None]
"""Whose job or record it is about, what is typed, and the state and reason that the job has then; without a state, it is the record's alone."""


async def are_seen(acts: Iterable[Act], database_url: str, redis_url: str, device: Device) -> None:
    late = []
    async with live(database_url, redis_url) as served, served.tail(device.headers) as tail:
        await tail.of("snapshot")
        for made, typed, state, reason in acts:
            before = len(about(tail, made, job=state is not None))
            await psql(database_url, typed=f"{typed};")
            done = time.monotonic()
            await tail.until(lambda t: len(about(t, made, job=state is not None)) > before)  # noqa: B023 (awaited here)
            late.append((time.monotonic() - done, typed))
            if state is not None:
                seen = about(tail, made, job=True)[-1].data
                assert (seen["state"], seen["wait_reason"]) == (state, reason), typed
    assert max(late)[0] < WITHIN_S * slack(), max(late)


def about(tail: Tail, made: Made, *, job: bool) -> list[Event]:
    """What the stream told of a job, or of its record alone."""
    if job:
        return [e for e in tail.all("state") if e.data["id"] == str(made.job_id)]
    return [e for e in tail.all("record") if e.data["record_id"] == str(made.record_id)]


async def test_each_act_at_psql_is_seen_within_a_second(database_url: str, redis_url: str, conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    failed = await make_record(conn, state="failed", device=device)
    first = await make_record(conn, device=device)
    portal = await value(
        conn,
        "select a.portal_key from portal_account as a join automation_job as j on j.account_id = a.id where j.id = %s",
        first.job_id,
    )
    await conn.execute("select ops.set_limit(%s, 1, 'one at a time')", [portal])
    waiting = await make_record(conn, device=device)
    assert await value(conn, "select wait_reason from automation_job where id = %s", waiting.job_id) == "slot"
    acts = (
        (failed, f"select ops.retry('{failed.job_id}', 'the portal is back')", "queued", "slot"),
        (failed, f"select ops.hold('{failed.job_id}', 'ask the crew')", "held", "hold"),
        (failed, f"select ops.release('{failed.job_id}', 'asked')", "queued", "slot"),
        (waiting, f"select ops.pause_portal('{portal}', 'their maintenance')", "held", "paused"),
        (waiting, f"select ops.resume_portal('{portal}', 'they are back')", "queued", "slot"),
        (waiting, f"select ops.set_limit('{portal}', 2, 'they bear it')", "queued", None),
        (first, f"select ops.cancel('{first.job_id}', 'entered twice')", "cancelled", None),
        (first, f"select ops.retry('{first.job_id}', 'not twice after all')", "queued", "slot"),
        (failed, f"select * from ops.bulk('cancel', array['{failed.job_id}'::uuid], 'not needed')", "cancelled", None),
        (waiting, "update procrastinate_jobs set status = 'cancelled' where id ="
                  f" (select queue_row from ops.jobs where id = '{waiting.job_id}')", "cancelled", None),
    )  # fmt: skip
    await are_seen(acts, database_url, redis_url, device)
    others = "select count(*) from audit_event where actor <> %s and reason = 'asked'"
    assert await value(conn, others, login("operator")) == 0


async def test_an_act_on_a_record_a_question_or_a_group_is_seen_within_a_second(
    database_url: str, redis_url: str, conn: Connection
) -> None:
    device = await make_device(conn, await make_project(conn))
    done, bad, unknown, held, sent, new, asked = [
        await make_record(conn, state=state, device=device)
        for state in ("completed", "failed", "needs_input", "held", "queued", "queued", "processing")
    ]
    await conn.execute("select settle_asked(%s, 1, %s, null)", [asked.job_id, Jsonb(APPROVAL)])
    finding = await value(conn, "select id from defect where record_id = %s", held.record_id)
    project = device.project.code
    await conn.execute("select ops.require_review(%s, true, 'a new crew')", [project])
    with pytest.raises(AssertionError, match="cannot be claimed"):
        await claim(conn, new.job_id)
    assert await value(conn, "select wait_reason from automation_job where id = %s", new.job_id) == "review"
    acts = (
        (new, f"select ops.require_review('{project}', false, 'they know how')", "queued", None),
        (sent, f"select ops.review('{sent.record_id}', 'has_issues', 'the tag is cut off')", "held", "sent_back"),
        (sent, f"select ops.review('{sent.record_id}', 'approved', 'it can be read')", "queued", None),
        (held, f"select ops.waive('{finding}', 'the site has moved')", "queued", None),
        (asked, f"select ops.approve('{asked.job_id}', true, 'as it stands')", "queued", None),
        (unknown, f"select ops.answer_outcome('{unknown.job_id}', true, 'NPL-7', 'it is there')", "completed", None),
        (
            bad,
            f"select * from ops.requeue('they are back', p_project => '{project}', p_dry_run => false)",
            "queued",
            None,
        ),
        (done, f"select ops.comment('{done.record_id}', 'the customer has called')", None, None),
        (done, f"select ops.review('{done.record_id}', 'rejected', 'another pole')", None, None),
        (done, f"select ops.review('{done.record_id}', 'approved', 'the same pole')", None, None),
        (done, f"select ops.run_again('{done.job_id}', 'they have lost it', 'NPL-1')", "queued", None),
    )
    await are_seen(acts, database_url, redis_url, device)
