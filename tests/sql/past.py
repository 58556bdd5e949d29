"""A crowd with all that a past leaves behind: lines, revisions, events, submissions, spent queue rows, acts. Made by SQL alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sql import Connection
from tests.factories import Device
from tests.sql.crowd import ATTEMPTS, JOBS, RECORDS

FILLED = (
    "asbuilt_record, record_revision, record_line, automation_job, automation_attempt, job_event, portal_submission,"
    " procrastinate_jobs, procrastinate_events, audit_event"
)
# Ids below zero: those that the sequences will give stay free.
REST = """
    with numbered as (select job_id, attempt, -row_number() over () as n from automation_attempt)
    update automation_attempt as a set queue_job_id = n from numbered where numbered.job_id = a.job_id and numbered.attempt = a.attempt;

    insert into record_revision (record_id, revision, fields, by) select id, 1, fields, 'device:x' from asbuilt_record;
    insert into record_line (record_id, project_id, received_at, review_state, job_state, portal_key, search)
    select r.id, r.project_id, r.received_at, r.review_state, j.state, 'npl', lower(r.external_ref)
      from asbuilt_record as r join automation_job as j on j.record_id = r.id;
    insert into job_event (job_id, seq, at, kind, actor, data)
    select id, n, created_at, 'state', 'worker', '{}' from automation_job, generate_series(1, 3) as n;
    insert into portal_submission (portal_key, external_ref, job_id, state, attempt, intent_at, confirmation)
    select 'npl', external_ref, id, 'confirmed', 1, finished_at, 'N-1' from automation_job where state = 'completed';
    insert into audit_event (at, actor, action, project_id, record_id, job_id)
    select created_at, 'device:x', 'record.upload', project_id, record_id, id from automation_job order by created_at;
    insert into procrastinate_jobs (id, queue_name, task_name, priority, args, status, attempts)
    select queue_job_id, 'automation', 'automation', 0, jsonb_build_object('automation_job_id', job_id),
           (case outcome when 'completed' then 'succeeded' else 'failed' end)::procrastinate_job_status, 1
      from automation_attempt;
    insert into procrastinate_events (job_id, type, at)
    select a.queue_job_id, t.type::procrastinate_job_event_type, case when t.type = 'deferred' then a.queued_at else a.ended_at end
      from automation_attempt as a
     cross join lateral (values ('deferred'), (case a.outcome when 'completed' then 'succeeded' else 'failed' end)) as t (type)
     order by 3;
"""


@asynccontextmanager
async def past(conn: Connection, device: Device, *, jobs: int) -> AsyncIterator[None]:
    """So many finished jobs, the oldest of 13 days ago, with what they left; statistics as autovacuum keeps them. Gone afterwards."""
    async with conn.transaction(force_rollback=True):
        await fill(conn, device, jobs=jobs)
        await conn.execute(f"analyze {FILLED}".encode())
        # No vacuum runs inside a transaction; without this, every index-only read is taken for one of the table.
        await conn.execute("update pg_class set relallvisible = relpages where relname = any(%s)", [FILLED.split(", ")])
        yield


async def fill(conn: Connection, device: Device, *, jobs: int) -> None:
    """As `past`, to stay; of most of it there are no statistics."""
    params = {"project": device.project.id, "device": device.id, "jobs": jobs, "apart_s": 13 * 86_400 / jobs}
    async with conn.transaction():
        # Triggers would write an event and a notice for each.
        await conn.execute("set local session_replication_role = replica")
        for statement in (RECORDS, JOBS, ATTEMPTS):
            await conn.execute(statement.encode(), params)
        # Where a test before has left the statistics of a few rows, each of a million would be looked for among all.
        await conn.execute("analyze asbuilt_record, automation_job, automation_attempt")
        await conn.execute(REST.encode())
        await conn.execute("set local session_replication_role = origin")
