"""A database with a past: as many finished jobs as a test wants, made by one statement and without their triggers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sql import Connection
from tests.factories import Device

RECORDS = """
    insert into asbuilt_record (id, project_id, device_id, form_key, form_version, external_ref, fields, fingerprint,
                                media_state, received_at)
    select id, %(project)s, %(device)s, 'test-form', 1, external_ref(id), '{}', sha256('x'), 'complete',
           now() - make_interval(secs => n * %(apart_s)s::float8)
      from (select gen_random_uuid() as id, n from generate_series(1, %(jobs)s) as n) as made
"""
JOBS = """
    insert into automation_job (id, record_id, revision, project_id, device_id, account_id, external_ref, state, attempt,
        max_attempts, confirmation, error_code, error_message, created_at, queued_at, started_at, finished_at, changed_at)
    select gen_random_uuid(), r.id, 1, r.project_id, r.device_id, p.portal_account_id, r.external_ref,
           case when bad then 'failed' else 'completed' end, 1, 3, case when not bad then 'N-1' end,
           case when bad then 'C' end, case when bad then 'row ' || r.external_ref || ' is refused' end,
           r.received_at, r.received_at, r.received_at + interval '1 s', r.received_at + interval '160 s', r.received_at
      from (select *, get_byte(uuid_send(id), 0) < 3 as bad from asbuilt_record where device_id = %(device)s) as r
      join project as p on p.id = r.project_id
"""
ATTEMPTS = """
    insert into automation_attempt (job_id, attempt, queue_job_id, worker, project_id, queued_at, started_at, lease_until,
        ended_at, outcome, error_code, error_message)
    select id, 1, 1, 'w', project_id, queued_at, started_at, finished_at, finished_at, state, error_code, error_message
      from automation_job where device_id = %(device)s
"""


@asynccontextmanager
async def crowd(conn: Connection, device: Device, *, jobs: int = 20_000, apart_s: float = 60) -> AsyncIterator[None]:
    """Jobs that ended one each `apart_s` seconds, back from now; about one in eighty has failed. Gone afterwards.

    In a transaction that is rolled back: the statistics of a crowd would mislead the plans of the tests after it.
    """
    async with conn.transaction(force_rollback=True):
        await conn.execute("set local session_replication_role = replica")
        params = {"project": device.project.id, "device": device.id, "jobs": jobs, "apart_s": apart_s}
        for statement in (RECORDS, JOBS, ATTEMPTS):
            await conn.execute(statement.encode(), params)
        await conn.execute("set local session_replication_role = origin")
        await conn.execute("analyze asbuilt_record, automation_job, automation_attempt")
        yield
