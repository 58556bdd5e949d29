"""Legal rows of any state in one call, made by the product's own SQL functions: nothing here the product could not do."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
from psycopg.types.json import Jsonb

from app.core.access import create_token
from app.core.secrets import parse_token
from app.jobs.states import JobState
from sql import Connection

State = (
    JobState
    | Literal[
        "awaiting_media", "held", "queued", "processing", "retrying", "needs_input", "completed", "failed", "cancelled"
    ]
)
FORM = "test-form"
BLOCKER = [{"rule": "position.outside", "severity": "blocker", "message": "the position is outside the site"}]
ERROR = {"code": "STREAM_LOST", "class": "transient", "message": "the run was lost sight of", "step": "login"}


class Project(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    code: str


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device with its token."""

    id: UUID
    token: str
    project: Project

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A record with its job; `attempt` is the job's latest."""

    record_id: UUID
    job_id: UUID
    state: str
    attempt: int
    project: Project
    device: Device


async def value(conn: Connection, query: Any, *args: object) -> Any:
    """The one value of a one-row answer; None without a row."""
    row = await (await conn.execute(query, args)).fetchone()
    return row[0] if row else None


async def make_project(conn: Connection, code: str = "") -> Project:
    """An open project with an account at the portal, and the form that `make_record` fills in."""
    await conn.execute(
        "insert into portal (key, name, recipe, recipe_version) values ('npl', 'Northfield', 'npl-asbuilt', 1)"
        " on conflict do nothing"
    )
    await conn.execute(
        "insert into portal_account (portal_key, label, max_runs) values ('npl', 'contractor', 64) on conflict do nothing"
    )
    await conn.execute(
        "insert into form_def (form_key, version, title, schema) values (%s, 1, 'Test form', '{}') on conflict do nothing",
        (FORM,),
    )
    code = code or f"p-{uuid4().hex[:8]}"
    made = await value(
        conn,
        "insert into project (code, name, portal_account_id)"
        " select %s, 'Project', id from portal_account where portal_key = 'npl' and label = 'contractor' returning id",
        code,
    )
    return Project(id=made, code=code)


async def make_device(conn: Connection, project: Project, *, scopes: tuple[str, ...] = ("upload", "read")) -> Device:
    token = await create_token(conn, project=project.code, scopes=scopes, label=f"phone {uuid4().hex[:6]}")
    parsed = parse_token(token)
    assert parsed is not None
    device = await value(conn, "select device_id from access_token where id = %s", parsed.id)
    return Device(id=device, token=token, project=project)


async def make_record(
    conn: Connection,
    *,
    state: State = "queued",
    device: Device | None = None,
    max_attempts: int = 3,
) -> Made:
    """A record whose job is in this state, of a device (by default a new one of a new project)."""
    device = device or await make_device(conn, await make_project(conn))
    record = uuid4()
    photos = [{"name": "pole", "shot": "pole", "kind": "photo"}] if state == "awaiting_media" else []
    job = await value(
        conn,
        "select job_id from accept_record(%s, %s, %s, %s, %s, sha256(%s), %s::int, 'device:test')",
        device.project.id,
        device.id,
        Jsonb({"id": str(record), "form_key": FORM, "form_version": 1, "fields": {}}),
        Jsonb(photos),
        Jsonb(BLOCKER if state == "held" else []),
        record.bytes,
        max_attempts,
    )
    assert job is not None
    await _bring_to(conn, job, state)
    row = await (await conn.execute("select state, attempt from automation_job where id = %s", (job,))).fetchone()
    assert row is not None
    assert row[0] == state
    return Made(record_id=record, job_id=job, state=row[0], attempt=row[1], project=device.project, device=device)


async def claim(conn: Connection, job: UUID, *, worker: str = "worker-1") -> int:
    """The next attempt's number; its queue row is `doing` as after a worker's fetch."""
    queue_job = await value(
        conn,
        "update procrastinate_jobs set status = 'doing' where id = (select queue_job_id from automation_job where id = %s)"
        " returning id",
        job,
    )
    attempt = await value(conn, "select attempt from claim_attempt(%s, %s::bigint, %s, 45)", job, queue_job, worker)
    assert attempt is not None, "the job cannot be claimed"
    return int(attempt)


async def complete(conn: Connection, job: UUID, attempt: int, *, confirmation: str = "NPL-1") -> bool:
    return bool(
        await value(
            conn,
            "select settle_completed(%s, %s::int, %s, 'portal', 'http://portal.example/s/1')",
            job,
            attempt,
            confirmation,
        )
    )


async def fail(conn: Connection, job: UUID, attempt: int, *, again: bool = False) -> str | None:
    """The state after a failed attempt; None: fenced."""
    answer: str | None = await value(
        conn, "select settle_failed(%s, %s::int, %s, %s, 'attempt', true, 15, null)", job, attempt, Jsonb(ERROR), again
    )
    return answer


async def _bring_to(conn: Connection, job: UUID, state: str) -> None:
    if state == "cancelled":
        await conn.execute("select ops.cancel(%s, 'not needed')", (job,))
    if state not in ("processing", "retrying", "needs_input", "completed", "failed"):
        return
    attempt = await claim(conn, job)
    if state == "completed":
        assert await complete(conn, job, attempt)
    elif state in ("retrying", "failed"):
        await fail(conn, job, attempt, again=state == "retrying")
    elif state == "needs_input":
        await conn.execute("select settle_parked(%s, %s::int, 'outcome_unknown', %s)", (job, attempt, Jsonb(ERROR)))
    if state != "processing":
        await finish(conn, job, attempt)


async def finish(conn: Connection, job: UUID, attempt: int) -> None:
    """The worker's own last word on the queue row of an attempt that is settled."""
    await conn.execute(
        "select procrastinate_finish_job_v1(queue_job_id, (case outcome when 'failed' then 'failed' else 'succeeded' end)"
        "::procrastinate_job_status, false) from automation_attempt where job_id = %s and attempt = %s",
        (job, attempt),
    )
