"""Records with hostile text in every column that a page shows, each column's naming it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from app.core.access import create_user
from sql import Connection
from tests.browser.desk import Person
from tests.browser.hostile import nasty
from tests.factories import Made, Project, claim, make_device, make_project, make_record, value
from tests.unit.pictures import jpeg

BADLY = "javascript:alert(document)//"
"""An address that must not become a link."""

FORM = (
    "update form_def set title = @form_def.title, schema = json_build_object('properties', json_build_object('work_order',"
    " json_build_object('title', @form_def.schema:title))), shots = jsonb_build_array(jsonb_build_object('key', 'tag', 'label',"
    " @form_def.shots:label)), measures = jsonb_build_array(jsonb_build_object('field', 'work_order', 'unit', @form_def.measures:unit, 'max', 2))"
)
RECORD = (
    "update asbuilt_record set revision = 2, asset_key = @asbuilt_record.asset_key, crew = @asbuilt_record.crew, lat = 44.4, lon = -93.1,"
    " review_state = 'has_issues', review_note = @asbuilt_record.review_note, reviewed_by = @asbuilt_record.reviewed_by, reviewed_at = now(),"
    " fields = jsonb_build_object('work_order', 1, @asbuilt_record.fields:key, @asbuilt_record.fields:value, 'rows',"
    " jsonb_build_array(jsonb_build_object('a', @asbuilt_record.fields:row)), 'constructor', @asbuilt_record.fields:constructor)"
    " where id = %(record)s",
    "insert into record_revision (record_id, revision, fields, by, reason, content) values (%(record)s, 2, jsonb_build_object("
    "@record_revision.fields:key, @record_revision.fields:value), @record_revision.by, @record_revision.reason, jsonb_build_object('photos',"
    " jsonb_build_object(@record_revision.content:photo, jsonb_build_object('shot', @record_revision.content:shot))))",
    "insert into photo (record_id, name, shot_key, blob_sha256, rejected_reason, received_at, lat, lon) values"
    " (%(record)s, @photo.name, 'tag', keep_blob(%(sha)s, %(size)s, 'image/jpeg'), null, now(), 44.4, -93.1),"
    " (%(record)s, 'second', @photo.shot_key, null, @photo.rejected_reason, now(), null, null)",
    "insert into defect (record_id, revision, rule, severity, status, photo, field, message, by, reason, closed_at) values"
    " (%(record)s, 1, 'dark', 'major', 'open', @photo.name, null, @defect.message, null, null, null),"
    " (%(record)s, 1, 'odd', 'minor', 'open', null, 'constructor', 'Odd', null, null, null),"
    " (%(record)s, 1, 'gone', 'minor', 'waived', @defect.photo, null, 'Gone', @defect.by, @defect.reason, now())",
    "insert into comment (record_id, author, text) values (%(record)s, @comment.author, @comment.text)",
    "update automation_attempt set worker = @automation_attempt.worker, error_class = @automation_attempt.error_class,"
    " error_code = @automation_attempt.error_code, error_message = @automation_attempt.error_message, log = @automation_attempt.log,"
    " traceback = @automation_attempt.traceback, exchange = jsonb_build_object('keyed', jsonb_build_object(@automation_attempt.exchange:at,"
    " @automation_attempt.exchange:keyed), 'read_back', jsonb_build_array(jsonb_build_object('at', 'Total', 'field', null, 'sent',"
    " @automation_attempt.exchange:sent, 'shown', @automation_attempt.exchange:shown))) where job_id = %(job)s",
    "insert into automation_step (job_id, attempt, key, index, total, label, state, ended_at) values"
    " (%(job)s, 1, @automation_step.key, 1, 2, '', 'confirmed', now()), (%(job)s, 1, 'fill', 2, 2, @automation_step.label, 'failed', now())",
    "insert into artifact (job_id, attempt, step, kind, blob_sha256) values (%(job)s, 1, 'fill', 'screenshot', %(sha)s)",
    "update job_event set actor = @job_event.actor, data = data || jsonb_build_object('reason', @job_event.data:reason, 'error',"
    " jsonb_build_object('message', @job_event.data:message)) where job_id = %(job)s and data ->> 'state' = 'failed'",
    "insert into audit_event (actor, action, reason, project_id, record_id, job_id, before, after)"
    " select @audit_event.actor, @audit_event.action, @audit_event.reason, project_id, id, %(job)s,"
    " jsonb_build_object('note', @audit_event.before:value), jsonb_build_object('note', @audit_event.after:value,"
    " @audit_event.after:key, 1) from asbuilt_record where id = %(record)s",
)
FAILED = (
    "select settle_failed(%s, %s::int, jsonb_build_object('code', @automation_job.error_code, 'class', @automation_job.error_class,"
    " 'message', @automation_job.error_message, 'step', @automation_job.error_step), false, 'attempt', true, 15, null)"
)
UNKNOWN = (
    "select settle_parked(%s, %s::int, 'outcome_unknown', jsonb_build_object('code', 'LOST', 'class', 'transient', 'message',"
    " @automation_job.error_message))"
)
ASKED = (
    "select settle_asked(%s, %s::int, jsonb_build_object('kind', 'approval', 'prompt', @automation_input.prompt, 'within_s', 900, 'fields',"
    " jsonb_build_array(jsonb_build_object('key', 'decision', 'label', 'Decision', 'type', 'choice', 'options',"
    " jsonb_build_array('approve', @automation_input.fields:decision)), jsonb_build_object('key', 'why', 'label',"
    " @automation_input.fields:label, 'type', 'choice', 'options', jsonb_build_array(@automation_input.fields:option))), 'detail',"
    " jsonb_build_object('photo_count', 1, 'keyed', jsonb_build_object(@automation_input.detail:key, @automation_input.detail:value))), null)"
)
FORMER = (
    "insert into portal_submission (portal_key, external_ref, job_id, attempt, state, confirmation, intent_at)"
    " select 'npl', 'earlier', id, 1, 'confirmed', @portal_submission.confirmation, now() from automation_job where id = %s"
)
IN_TROUBLE = (
    "update portal_account set paused_at = null",
    "update portal_account set breaker_until = now() + interval '1 hour', breaker_openings = 1, breaker_reason = @portal_account.breaker_reason",
)
"""The account that was paused is now at a portal that fails; a resume clears what was, so it comes first."""
AROUND = (
    "update project set name = @project.name",
    "update device set label = @device.label",
    "update portal set name = @portal.name",
    "insert into worker (name, version, places, beat_s) values (@worker.name, @worker.version, 2, 5)",
    "update portal_account set label = @portal_account.label, paused_at = now(), paused_by = @portal_account.paused_by, paused_as = 'paused',"
    " paused_reason = @portal_account.paused_reason where label = 'contractor'",
)


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks, and records by what happened to them; `failed` is the one that has everything."""

    operator: Person
    failed: Made
    live: Made
    completed: Made


def sql(statement: str) -> str:
    """With each `@table.column` as its text."""
    return re.sub(r"@([a-z_]+\.[a-z_]+(?::[a-z]+)?)", lambda found: f"'{nasty(found[1])}'", statement)


async def hostile_day(conn: Connection, blobs: Path) -> Day:
    project = await make_project(conn)
    _, password = await create_user(
        conn, email="desk@example.com", name=nasty("app_user.name"), project=project.code, role="operator"
    )
    failed, live, completed, asked, unknown = [await _queued(conn, project) for _ in range(5)]
    await conn.execute(sql(FORM))
    await _settle(conn, failed, FAILED)
    data = jpeg(shade=90)
    digest = hashlib.sha256(data)
    file = blobs / digest.hexdigest()[:2] / digest.hexdigest()[2:4] / digest.hexdigest()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    given: dict[str, Any] = {
        "record": failed.record_id,
        "job": failed.job_id,
        "sha": digest.digest(),
        "size": len(data),
    }
    for statement in RECORD:
        await conn.execute(sql(statement), given)
    await claim(conn, live.job_id, worker=nasty("worker.name"))
    done = f"select settle_completed(%s, %s::int, @automation_job.confirmation, 'portal', '{BADLY}')"
    await _settle(conn, completed, done)
    await conn.execute("select ops.run_again(%s, 'its entry is gone')", (completed.job_id,))
    await _settle(conn, completed, done)
    await conn.execute(sql(FORMER), (completed.job_id,))
    await _settle(conn, asked, ASKED)
    await conn.execute(
        sql("update automation_job set wait_reason = @automation_job.wait_reason where id = %s"), (asked.job_id,)
    )
    await _settle(conn, unknown, UNKNOWN)
    for statement in AROUND:
        await conn.execute(sql(statement))
    return Day(
        operator=Person(email="desk@example.com", password=password), failed=failed, live=live, completed=completed
    )


async def _queued(conn: Connection, project: Project) -> Made:
    return await make_record(conn, device=await make_device(conn, project))


async def _settle(conn: Connection, made: Made, statement: str) -> None:
    attempt = await claim(conn, made.job_id)
    assert await value(conn, sql(statement), made.job_id, attempt)
