"""However long the past is, what happens all the time reads only what it needs: by the index that was made for it, and no table whole.

The statements run, and what they read is what Postgres counted: a plan that is shown may not be the one that is used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from app.lists import store as lists
from app.live import store as live
from app.metrics.store import FIGURES
from app.operations import store as operations
from sql import Connection
from tasks import store as tasks
from tests.factories import Device, Made, claim, complete, make_device, make_project, make_record, value
from tests.sql.past import FILLED, past

SCANS = """
    select relname, pg_stat_get_xact_numscans(oid) from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'i')
"""
QUEUES = "select procrastinate_fetch_job_v2(array['automation', 'checks'], null)"
LAST: dict[str, Any] = {"at": "infinity", "after": "ffffffff-ffff-ffff-ffff-ffffffffffff", "limit": 50}
NOBODY: dict[str, Any] = {"actor": None, "action": None, "record": None, "since": None, "until": None}


Act = Callable[["Present"], Awaitable[object]]


class Present:
    """A record that came just now, in a system with a past."""

    def __init__(self, conn: Connection, device: Device, made: Made) -> None:
        self.conn, self.device, self.made = conn, device, made
        self.mine: dict[str, Any] = {"projects": [device.project.id]}

    async def run(self, query: str, *args: object) -> None:
        await (await self.conn.execute(query.encode(), args)).fetchall()

    async def settle(self) -> None:
        attempt = await claim(self.conn, self.made.job_id)
        assert await complete(self.conn, self.made.job_id, attempt)

    async def resume(self) -> None:
        since = await value(self.conn, "select pg_snapshot_xmin(pg_current_snapshot())::text")
        await live.CHANGED_ANYWHERE(self.conn, since=since, limit=501)

    async def probe(self) -> None:
        """Of an account whose breaker may be tried; it goes on as before."""
        await self.conn.execute("update portal_account set breaker_until = clock_timestamp() - interval '1 s'")
        await tasks.PROMOTE_PROBES(self.conn)
        await self.conn.execute("update portal_account set breaker_until = null")


def view(name: str, where: str = "true") -> Act:
    """As a script of sql/ops asks it; `where` is about the present's own record and job."""
    return lambda p: p.run(f"select * from ops.{name} where {where.format(job=p.made.job_id, record=p.made.record_id)}")


LIVE = "automation_job_live or automation_job_open"
# Named is an index without which nothing else would serve; where several do, the statistics of the day decide, or one `or` the other is
# named. Not here: what looks at everything on purpose (ops.doctor), and counts all that is due (ops.retention).
HOT: dict[str, tuple[Act, set[str]]] = {
    "an upload": (lambda p: make_record(p.conn, device=p.device), {"asbuilt_record_pkey"}),
    "a fetch": (lambda p: p.run(QUEUES), {"procrastinate_jobs_priority_idx_v1"}),
    "claim and settle": (Present.settle, {"automation_job_pkey"}),
    "a sweep": (
        lambda p: tasks.RECONCILE(p.conn, grace_s=45.0),
        {"automation_attempt_open", "asbuilt_record_media_due"},
    ),
    "due retries": (lambda p: tasks.PROMOTE_DUE(p.conn), {f"automation_job_due or {LIVE}"}),
    "due probes": (Present.probe, {f"automation_job_waiting or {LIVE}"}),
    "new photos": (lambda p: tasks.COMPARE_PHOTOS(p.conn, most=20), set()),
    "a list": (lambda p: lists.LIST_RECORDS(p.conn, **p.mine, filter=Jsonb({}), **LAST), {"asbuilt_record_pkey"}),
    "the throughput": (
        lambda p: operations.THROUGHPUT(p.conn, **p.mine, step_s=300, steps=12),
        {"automation_attempt_ended"},
    ),
    "the numbers on top": (
        lambda p: lists.STATS(p.conn, **p.mine),
        {"automation_job_finished", "automation_job_open", "record_line_all or record_line_list"},
    ),
    "the figures of /metrics": (
        lambda p: FIGURES(p.conn, recent_s=300),
        {"automation_attempt_ended", "automation_attempt_open", "asbuilt_record_list or asbuilt_record_device", LIVE},
    ),
    "failures": (lambda p: operations.FAILURES(p.conn, **p.mine, limit=100), {"automation_job_failing"}),
    "the backlog": (lambda p: operations.BACKLOG(p.conn, **p.mine), {LIVE}),
    "questions": (lambda p: operations.QUESTIONS(p.conn, **p.mine, limit=200), set()),
    "the audit": (
        lambda p: operations.AUDIT(p.conn, **p.mine, before=2**63 - 1, limit=51, **NOBODY),
        {"audit_event_acts"},
    ),
    "a stream that resumes": (
        Present.resume,
        {"automation_job_changed"},
    ),
    "due queue rows": (
        lambda p: p.run("select due_queue_rows('completed', now() - interval '24 h', 200)"),
        {"procrastinate_events_well"},
    ),
    "due failed queue rows": (
        lambda p: p.run("select due_queue_rows('failed', now() - interval '7 d', 200)"),
        {"procrastinate_events_ill"},
    ),
    "due pictures": (
        lambda p: p.run("select due_attempts('picture', 'completed', now() - interval '12 d', 200)"),
        {"automation_attempt_pictures"},
    ),
    "due logs": (
        lambda p: p.run("select due_attempts('log', 'failed', now() - interval '12 d', 200)"),
        {"automation_attempt_logs"},
    ),
    "a batch of queue rows": (
        lambda p: tasks.RETAIN(p.conn, what="queue row", outcome="completed", begins=True, batch=None),
        {"procrastinate_events_well", "procrastinate_jobs_pkey", "procrastinate_events_job_id_fkey_v1"},
    ),
    "a batch of the audit": (
        lambda p: tasks.RETAIN(p.conn, what="audit", outcome="any", begins=True, batch=None),
        {"audit_event_elsewhere"},
    ),
    "ops.stuck": (view("stuck"), {LIVE}),
    "ops.failures": (view("failures"), {"automation_job_failing"}),
    "ops.backlog": (view("backlog"), {LIVE}),
    "ops.queue_depth": (view("queue_depth"), {LIVE, "automation_job_finished", "asbuilt_record_list"}),
    "ops.throughput": (view("throughput"), {"automation_attempt_ended"}),
    "ops.slow": (view("slow"), set()),
    "ops.portals": (view("portals"), {"automation_job_waiting", "automation_job_held"}),
    "ops.workers": (view("workers"), {"automation_attempt_open"}),
    "ops.attempts that run": (view("attempts", "ended_at is null"), {"automation_attempt_open"}),
    "ops.jobs, of one": (view("jobs", "id = '{job}'"), {"automation_job_pkey"}),
    "ops.records, of one": (view("records", "id = '{record}'"), {"asbuilt_record_pkey"}),
    "ops.timeline, of one": (
        view("timeline", "record_id = (select '{record}'::uuid)"), {"automation_job_record", "audit_event_record"},
    ),
    "ops.audit, of one": (view("audit", "job_id = '{job}'"), {"audit_event_job"}),
}  # fmt: skip
SMALL = {what: {"automation_attempt"} for what in ("the numbers on top", "the figures of /metrics", "ops.throughput")}
"""Read whole while that is less than to look for each of today's: where that ends, each version of Postgres has its own mind."""


async def scans(conn: Connection) -> dict[str, int]:
    return dict(await (await conn.execute(SCANS)).fetchall())


@pytest.mark.parametrize("jobs", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
async def test_what_happens_all_the_time_reads_no_table_whole(conn: Connection, jobs: int) -> None:
    device = await make_device(conn, await make_project(conn))
    wrong: dict[str, object] = {}
    async with past(conn, device, jobs=jobs):
        await tasks.WORKER_SEEN(conn, worker="w", version="1", places=4, beat_s=5.0, draining=False, begins=True)
        present = Present(conn, device, await make_record(conn, device=device))
        for what, (act, indexes) in HOT.items():
            before = await scans(conn)
            await act(present)
            read = {name for name, count in (await scans(conn)).items() if count > before.get(name, 0)}
            small = read & (SMALL.get(what, set()) if jobs < 100_000 else set())
            whole = read & set(FILLED.split(", ")) - small
            missed = {
                each for each in indexes if not read & set(each.split(" or ")) and not each.startswith(tuple(small))
            }
            if whole or missed:
                wrong[what] = {"whole": whole, "not by": missed, "by": read}
        assert (
            await value(conn, "select last_removed from retention where what = 'queue row' and outcome = 'completed'")
            > 0
        )
    assert wrong == {}
