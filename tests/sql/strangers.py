"""Two projects that have one of everything, so that each read has something of both to find."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import Device, Made, finish, make_device, make_project, make_record, value

QUESTION = {
    "kind": "choice",
    "prompt": "Which one?",
    "fields": [{"key": "decision", "label": "Which", "type": "choice", "options": ["this", "that"]}],
    "run_input_id": "q1",
    "expires_at": "2099-01-01T00:00:00Z",
}
FILLED = """
with b as (insert into blob (sha256, size, type) values (sha256(%(record)s::text::bytea), 3, 'image/jpeg') returning sha256),
     p as (insert into photo (record_id, name, shot_key, received_at, blob_sha256, checks)
           select %(record)s, 'tag', 'tag', now(), sha256, 'done' from b),
     a as (insert into artifact (job_id, attempt, step, kind, blob_sha256) select %(job)s, 1, 'job', 'screenshot', sha256 from b),
     c as (insert into comment (record_id, author, text) values (%(record)s, 'user:x', 'Seen.')),
     r as (insert into record_revision (record_id, revision, fields, by) values (%(record)s, 2, '{"a": 1}', 'user:x')),
     k as (insert into record_check (record_id, queue_job_id) values (%(record)s, 1)),
     s as (insert into record_serial (project_id, serial, record_id, field) values (%(project)s, 'SN1', %(record)s, 'serial')),
     d as (insert into design_asset (project_id, asset_key) values (%(project)s, 'P-1')),
     u as (insert into automation_run (job_id, generation, run_id) values (%(job)s, 1, %(record)s::text)),
     e as (insert into automation_step (job_id, attempt, key, index, total, label, state, ended_at, recipe_version)
           values (%(job)s, 1, 'job', 1, 2, 'Job', 'confirmed', clock_timestamp(), 1))
update automation_attempt set progress = '{"percent": 40}' where job_id = %(job)s
"""


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """A project with a record in each of some states, a phone, and an account at a portal of its own."""

    device: Device
    done: Made
    """Completed; with photo, picture, comment, two revisions and whatever else a record may have."""
    held: Made
    asked: Made
    failed: Made
    running: Made

    @property
    def project(self) -> UUID:
        return self.device.project.id


async def make_stranger(conn: Connection) -> Stranger:
    project = await make_project(conn)
    account = await value(
        conn,
        "insert into portal_account (portal_key, label, max_runs) values ('npl', %s, 64) returning id",
        project.code,
    )
    await conn.execute("update project set portal_account_id = %s where id = %s", [account, project.id])
    device = await make_device(conn, project, scopes=("upload", "read", "operate"))
    done = await make_record(conn, state="completed", device=device)
    held = await make_record(conn, state="held", device=device)
    asked = await make_record(conn, state="processing", device=device)
    assert await value(conn, "select settle_asked(%s, 1, %s, null)", asked.job_id, Jsonb(QUESTION))
    await finish(conn, asked.job_id, 1)
    failed = await make_record(conn, state="failed", device=device)
    running = await make_record(conn, state="processing", device=device)
    of_done: dict[str, Any] = {"record": done.record_id, "job": done.job_id, "project": project.id}
    await conn.execute(FILLED.encode(), of_done)
    await conn.execute("select ops.retry(%s, 'once more')", [failed.job_id])
    failed = await make_record(conn, state="failed", device=device)
    return Stranger(device=device, done=done, held=held, asked=asked, failed=failed, running=running)
