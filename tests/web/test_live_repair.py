"""Each act of a person at psql, who is nothing but an operator, reaches whoever looks at the page within a second."""

from __future__ import annotations

import time
from uuid import UUID

from sql import Connection
from tests.factories import make_device, make_project, make_record, value
from tests.faults.timings import slack
from tests.logins import login
from tests.sql.psql import psql
from tests.web.live import Tail, live

WITHIN_S = 1.0


async def hears(tail: Tail, job: UUID, before: int) -> None:
    """Wait for one more event of the job than there were."""
    await tail.until(lambda t: len(t.seqs(job)) > before)


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
    late = []
    async with live(database_url, redis_url) as served, served.tail(device.headers) as tail:
        await tail.of("snapshot")
        for made, typed, state, reason in acts:
            before = len(tail.seqs(made.job_id))
            await psql(database_url, typed=f"{typed};")
            done = time.monotonic()
            await hears(tail, made.job_id, before)
            late.append((time.monotonic() - done, typed))
            seen = [e.data for e in tail.all("state") if e.data["id"] == str(made.job_id)][-1]
            assert (seen["state"], seen["wait_reason"]) == (state, reason), typed
    assert max(late)[0] < WITHIN_S * slack(), max(late)
    others = "select count(*) from audit_event where actor <> %s and reason = 'asked'"
    assert await value(conn, others, login("operator")) == 0
