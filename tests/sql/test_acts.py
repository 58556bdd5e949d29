"""Every act of the operators' functions says why, and is on record: who, why, before and after."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from sql import Connection
from tests.factories import make_record, value

ACTS = {
    "retry": "ops.retry(gen_random_uuid(), {})",
    "run_again": "ops.run_again(gen_random_uuid(), {})",
    "cancel": "ops.cancel(gen_random_uuid(), {})",
    "hold": "ops.hold(gen_random_uuid(), {})",
    "release": "ops.release(gen_random_uuid(), {})",
    "bulk": "ops.bulk('retry', '{{}}', {})",
    "requeue": "ops.requeue({}, 'npl')",
    "set_retention": "ops.set_retention('queue row', '1 day', {})",
    "approve": "ops.approve(gen_random_uuid(), true, {})",
    "answer_outcome": "ops.answer_outcome(gen_random_uuid(), false, null, {})",
    "pause_portal": "ops.pause_portal('npl', {})",
    "resume_portal": "ops.resume_portal('npl', {})",
    "set_limit": "ops.set_limit('npl', 2, {})",
    "require_approval": "ops.require_approval(true, {}, 'npl')",
    "require_review": "ops.require_review('demo', true, {})",
}
SAYS_SO_ITSELF = {"review", "comment", "waive"}
"""A decision's note, a comment and a waiver are what they are for; each refuses to be empty in its own words."""
NO_ACT = {"doctor"}


async def test_every_function_of_ops_is_an_act_or_says_what_else(conn: Connection) -> None:
    rows = await conn.execute("select proname from pg_proc where pronamespace = 'ops'::regnamespace")
    assert {row[0] for row in await rows.fetchall()} == ACTS.keys() | SAYS_SO_ITSELF | NO_ACT


@pytest.mark.parametrize("reason", ["null", "''", "E' \\t\\n'"])
async def test_an_act_without_a_reason_is_refused(reason: str, conn: Connection) -> None:
    for act in ACTS.values():
        with pytest.raises(psycopg.Error, match="an act says why") as refused:
            await conn.execute(f"select {act.format(reason)}".encode())
        assert refused.value.sqlstate == "AB422"
        assert "ops.retry" in (refused.value.diag.message_hint or "")


async def test_an_act_is_on_record_with_what_was_and_what_is(conn: Connection) -> None:
    made = await make_record(conn, state="failed")
    project = made.device.project.code
    portal = await value(
        conn, "select a.portal_key from portal_account as a join automation_job as j on j.account_id = a.id"
    )
    for act in (
        f"retry('{made.job_id}', ' the portal is back ')",
        f"hold('{made.job_id}', 'ask the crew')",
        f"release('{made.job_id}', 'asked')",
        f"cancel('{made.job_id}', 'entered twice')",
        f"pause_portal('{portal}', 'their maintenance')",
        f"resume_portal('{portal}', 'they are back')",
        f"set_limit('{portal}', 3, 'they said so')",
        f"require_approval(true, 'first week', p_portal => '{portal}')",
        f"require_review('{project}', true, 'a new crew')",
    ):
        await conn.execute(f"select ops.{act}".encode())
    rows = await conn.execute(
        "select action, reason, actor = session_user, coalesce(before ->> 'state', before ->> 'on', before ->> 'max_runs'),"
        "       coalesce(after ->> 'state', after ->> 'on', after ->> 'max_runs'), before is not null and after is not null"
        "  from audit_event where action <> 'record.upload' order by id"
    )
    found = await rows.fetchall()
    assert [row[:2] for row in found] == [
        ("job.retry", "the portal is back"),
        ("job.hold", "ask the crew"),
        ("job.release", "asked"),
        ("job.cancel", "entered twice"),
        ("portal.pause", "their maintenance"),
        ("portal.resume", "they are back"),
        ("portal.limit", "they said so"),
        ("approval.require", "first week"),
        ("review.require", "a new crew"),
    ]
    assert all(row[2] and row[5] for row in found)
    assert [row[3:5] for row in found[:4]] == [
        ("failed", "queued"), ("queued", "held"), ("held", "queued"), ("queued", "cancelled"),
    ]  # fmt: skip
    assert [row[3:5] for row in found[-2:]] == [("false", "true")] * 2


async def test_an_act_that_changes_nothing_says_so(conn: Connection) -> None:
    """What stands there already is left as it is: nothing is changed that is not on record."""
    await make_record(conn, state="retrying")
    await conn.execute("update portal_account set starts_per_minute = 4, next_start_at = now() + interval '9 s'")
    stands = "select jsonb_agg(to_jsonb(a)) from portal_account as a"
    noted = "select count(*) from audit_event"
    before = await value(conn, stands), await value(conn, noted)
    keep = await value(conn, "select keep from retention where what = 'log' and outcome = 'failed'")
    runs = await value(conn, "select max_runs from portal_account")
    for act, *given in (
        ("resume_portal('npl', 'to be sure')",),
        ("set_limit('npl', %s, 'to be sure')", runs),
        ("set_limit('npl', %s, 'to be sure', null, 4)", runs),
        ("set_retention('log', %s, 'to be sure', 'failed')", keep),
    ):
        assert await value(conn, f"select ops.{act}", *given) == 0, act
        assert (await value(conn, stands), await value(conn, noted)) == before, act


async def test_a_pause_says_its_own_reason(conn: Connection) -> None:
    await make_record(conn)
    async with conn.transaction(force_rollback=True):
        await conn.execute("set local asbuilt.reason = 'of something else'")
        await conn.execute("select ops.pause_portal('npl', 'their maintenance')")
        assert await value(conn, "select reason from audit_event order by id desc limit 1") == "their maintenance"


async def test_an_approval_says_yes_or_no(conn: Connection) -> None:
    """Nothing said would be a no, and the job has failed."""
    with pytest.raises(psycopg.Error) as refused:
        await conn.execute("select ops.approve(%s, null, 'why')", [(await make_record(conn)).job_id])
    assert refused.value.sqlstate == "AB422"
    assert refused.value.diag.message_hint


async def test_what_is_refused_is_not_on_record(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    for act, code in ((f"retry('{made.job_id}', 'again')", "AB409"), (f"hold('{uuid4()}', 'wait')", "AB404")):
        with pytest.raises(psycopg.Error) as refused:
            await conn.execute(f"select ops.{act}".encode())
        assert refused.value.sqlstate == code
    assert await value(conn, "select count(*) from audit_event where action <> 'record.upload'") == 0
