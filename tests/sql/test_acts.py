"""Every act of the operators' functions says why, and is on record: who, why, before and after."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Made, State, make_record, value


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """An act on what `make_record` made in this state: its call with a place for the reason, and what the audit keeps of it."""

    call: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    state: State = "queued"
    first: tuple[str, ...] = ()


APPROVAL = """select settle_asked(:job, 1, '{"kind": "approval", "prompt": "Submit?", "within_s": 100}', null)"""
WAITS, RUNS = {"state": "needs_input"}, {"state": "queued"}
PAUSED = {"paused_as": "paused", "paused_reason": "because"}
ACTS = {
    "retry": Act(call="ops.retry(:job, :why)", action="job.retry", state="failed", before={"state": "failed"}, after=RUNS),
    "run_again": Act(call="ops.run_again(:job, :why)", action="job.run_again", state="completed",
                     before={"state": "completed", "times": 1}, after={**RUNS, "times": 2}),
    "cancel": Act(call="ops.cancel(:job, :why)", action="job.cancel", before=RUNS, after={"state": "cancelled"}),
    "hold": Act(call="ops.hold(:job, :why)", action="job.hold", before=RUNS, after={"state": "held", "wait_reason": "hold"}),
    "release": Act(call="ops.release(:job, :why)", action="job.release", first=("select ops.hold(:job, 'first')",),
                   before={"state": "held"}, after=RUNS),
    "bulk": Act(call="ops.bulk('hold', array[:job]::uuid[], :why)", action="job.hold", before=RUNS, after={"state": "held"}),
    "requeue": Act(call="ops.requeue(:why, 'npl', p_dry_run => false)", action="job.retry", state="failed",
                   before={"state": "failed"}, after=RUNS),
    "set_retention": Act(call="ops.set_retention('log', '12 days', :why, 'failed')", action="retention.set",
                         before={"what": "log", "outcome": "failed", "keep": "90 days"}, after={"keep": "12 days"}),
    "approve": Act(call="ops.approve(:job, true, :why)", action="question.answer", state="processing", first=(APPROVAL,),
                   before=WAITS, after={**RUNS, "answered": {"kind": "approval", "decision": "approved"}}),
    "answer_outcome": Act(call="ops.answer_outcome(:job, true, 'NPL-7', :why)", action="job.outcome", state="needs_input",
                          before=WAITS, after={"state": "completed", "confirmation": "NPL-7", "submitted": True}),
    "pause_portal": Act(call="ops.pause_portal('npl', :why)", action="portal.pause", before={"paused_as": None}, after=PAUSED),
    "resume_portal": Act(call="ops.resume_portal('npl', :why)", action="portal.resume",
                         first=("select ops.pause_portal('npl', 'because')",), before=PAUSED, after={"paused_as": None}),
    "set_limit": Act(call="ops.set_limit('npl', 2, :why, null, 6)", action="portal.limit",
                     before={"max_runs": 64, "starts_per_minute": None}, after={"max_runs": 2, "starts_per_minute": 6}),
    "require_approval": Act(call="ops.require_approval(true, :why, 'npl')", action="approval.require",
                            before={"portal": "npl", "on": False}, after={"portal": "npl", "on": True}),
    "require_review": Act(call="ops.require_review(:project, true, :why)", action="review.require",
                          before={"on": False}, after={"on": True}),
    "review": Act(call="ops.review(:record, 'has_issues', :why)", action="record.has_issues",
                  before={"state": "received", "version": 1}, after={"state": "has_issues", "note": "because"}),
    "waive": Act(call="ops.waive(:defect, :why)", action="defect.waive", state="held",
                 before={"status": "open"}, after={"status": "waived", "reason": "because"}),
}  # fmt: skip
OF_ITS_OWN_KIND = {"comment"}
"""Who said what and when is all there is to a comment: it is its own record, never changed, and no act."""
NO_ACT = {"doctor"}


def put(query: str, made: Made | None, why: str) -> str:
    """The query about what was made, or about nothing that there is."""
    if made is None:
        found = {"job": f"'{uuid4()}'", "record": f"'{uuid4()}'", "defect": f"'{uuid4()}'", "project": "'nobody'"}
    else:
        found = {"job": f"'{made.job_id}'", "record": f"'{made.record_id}'", "project": f"'{made.project.code}'",
                 "defect": f"(select id from defect where record_id = '{made.record_id}')"}  # fmt: skip
    return re.sub(r":(job|record|defect|project|why)\b", lambda name: {**found, "why": why}[name[1]], query)


async def test_every_function_of_ops_is_an_act_or_says_what_else(conn: Connection) -> None:
    rows = await conn.execute("select proname from pg_proc where pronamespace = 'ops'::regnamespace")
    assert {row[0] for row in await rows.fetchall()} == ACTS.keys() | OF_ITS_OWN_KIND | NO_ACT


@pytest.mark.parametrize("reason", ["null", "''", "E' \\t\\n'"])
async def test_an_act_without_a_reason_is_refused(reason: str, conn: Connection) -> None:
    """An approved record needs no note; one that is sent back does, in words of its own."""
    for name, act in ACTS.items():
        with pytest.raises(psycopg.Error, match="has to be told" if name == "review" else "an act says why") as refused:
            await conn.execute(f"select {put(act.call, None, reason)}".encode())
        assert refused.value.sqlstate == "AB422"
        assert ("note" if name == "review" else "ops.retry") in (refused.value.diag.message_hint or "")


@pytest.mark.parametrize("name", ACTS)
async def test_an_act_is_on_record_with_what_was_and_what_is(conn: Connection, name: str) -> None:
    act = ACTS[name]
    made = await make_record(conn, state=act.state)
    async with conn.transaction(force_rollback=True):
        for each in act.first:
            await conn.execute(put(each, made, "").encode())
        known = await value(conn, "select max(id) from audit_event")
        await conn.execute(put(f"select {act.call}", made, "' because '").encode())
        rows = await conn.execute(
            "select action, reason, actor = session_user, before @> %s, after @> %s, before, after from audit_event where id > %s",
            [Jsonb(act.before), Jsonb(act.after), known],
        )
        found = await rows.fetchall()
    assert [row[:5] for row in found] == [(act.action, "because", True, True, True)], found


async def test_an_approval_of_a_record_may_say_no_more(conn: Connection) -> None:
    """And a comment is no act: both are so on purpose (docs/repair-in-sql.md)."""
    made = await make_record(conn)
    await conn.execute("select ops.review(%s, 'approved', null), ops.comment(%s, 'seen')", [made.record_id] * 2)
    rows = await conn.execute("select action, reason from audit_event where action <> 'record.upload'")
    assert await rows.fetchall() == [("record.approved", "")]
    assert await value(conn, "select author = session_user and text = 'seen' from comment") is True


WRONG = {
    "ops.approve(:job, null, :why)": "AB422",
    "ops.approve(:job, true, :why)": "AB404",
    "ops.set_limit('npl', 0, :why)": "AB422",
    "ops.set_limit('npl', null, :why)": "AB422",
    "ops.set_limit('npl', 1001, :why)": "AB422",
    "ops.set_limit('npl', 1, :why, null, -1)": "AB422",
    "ops.set_limit('npl', 1, :why, null, 'NaN')": "AB422",
    "ops.set_limit('nowhere', 1, :why)": "AB404",
    "ops.pause_portal('npl', :why, 'nobody')": "AB404",
    "ops.resume_portal(null, :why)": "AB404",
    "ops.require_review(:project, null, :why)": "AB422",
    "ops.require_review('nowhere', true, :why)": "AB404",
    "ops.require_approval(null, :why, 'npl')": "AB422",
    "ops.require_approval(true, :why)": "AB422",
    "ops.require_approval(true, :why, 'npl', :project)": "AB422",
    "ops.require_approval(true, :why, 'nowhere')": "AB404",
    "ops.requeue(:why)": "AB422",
    "ops.requeue(:why, 'npl', p_limit => -1)": "AB422",
    "ops.requeue(:why, 'npl', p_limit => null)": "AB422",
    "ops.bulk(null, array[:job]::uuid[], :why)": "AB422",
    "ops.retry(null, :why)": "AB404",
    "ops.retry(:job, :why)": "AB409",
    "ops.run_again(:job, :why)": "AB409",
    "ops.release(:job, :why)": "AB409",
    "ops.answer_outcome(:job, true, 'N', :why)": "AB409",
    "ops.review(:record, null, :why)": "AB422",
    "ops.review(:record, 'approved', :why, 7)": "AB412",
    "ops.review(null, 'approved', :why)": "AB404",
    "ops.comment(:record, E' \\n')": "AB422",
    "ops.comment(null, :why)": "AB404",
    "ops.waive(null, :why)": "AB404",
    "ops.set_retention(null, '1 day', :why)": "AB404",
}


async def test_what_is_wrong_with_a_call_has_a_code_and_a_hint(conn: Connection) -> None:
    made = await make_record(conn)
    for call, code in WRONG.items():
        with pytest.raises(psycopg.Error) as refused:
            await conn.execute(put(f"select {call}", made, "'because'").encode())
        assert refused.value.sqlstate == code, (call, refused.value)
        assert refused.value.diag.message_hint, call


async def test_a_rehearsal_is_one_until_it_is_told_otherwise(conn: Connection) -> None:
    """Neither yes nor no is no yes."""
    made = await make_record(conn, state="failed")
    rows = await conn.execute("select job_id, outcome from ops.requeue('why', 'npl', p_dry_run => null)")
    assert await rows.fetchall() == [(made.job_id, "would")]


def test_every_refusal_in_sql_has_a_code_and_a_hint() -> None:
    """Whoever reads it at night has nobody to ask."""
    seen, lacking = 0, []
    for path in sorted((files("sql") / "functions").iterdir(), key=lambda found: found.name):
        bare = re.sub(r"'(?:[^']|'')*'|--[^\n]*", "''", path.read_text(encoding="utf-8"))
        for refusal in re.findall(r"\braise exception\b[^;]*;", bare):
            seen += 1
            if not re.search(r"\berrcode =", refusal) or not re.search(r"\bhint =", refusal):
                lacking.append((path.name, refusal))
    assert seen > 30
    assert lacking == []


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


async def test_what_is_refused_is_not_on_record(conn: Connection) -> None:
    made = await make_record(conn, state="completed")
    for act, code in ((f"retry('{made.job_id}', 'again')", "AB409"), (f"hold('{uuid4()}', 'wait')", "AB404")):
        with pytest.raises(psycopg.Error) as refused:
            await conn.execute(f"select ops.{act}".encode())
        assert refused.value.sqlstate == code
    assert await value(conn, "select count(*) from audit_event where action <> 'record.upload'") == 0
