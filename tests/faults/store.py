"""The final snapshot: rows and files as they are when everything has gone quiet."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

import msgspec
from psycopg.rows import dict_row

from sql import Connection
from tests.faults.history import AttemptRow, EventRow, JobRow, PhotoRow, QueueRow, RecordRow, Snapshot

RECORDS = "select id, external_ref from asbuilt_record"
JOBS = """select id, record_id, external_ref, state, wait_reason, attempt, failures, max_attempts, seq, queue_job_id
            from automation_job"""
ATTEMPTS = (
    "select job_id, attempt, worker, started_at, ended_at, outcome, error_code, error_class from automation_attempt"
)
EVENTS = "select job_id, seq, at, data from job_event order by job_id, seq"
QUEUE = "select id, queue_name as queue, status::text from procrastinate_jobs"
PHOTOS = """select record_id, name, encode(blob_sha256, 'hex') as sha256 from photo where blob_sha256 is not null"""
INTENTS = "select job_id from portal_submission where state = 'intent'"
RETRIES = "select job_id, count(*) from audit_event where action = 'job.retry' group by job_id"
AGAIN = "select job_id, count(*) from audit_event where action = 'job.run_again' group by job_id"

Row = TypeVar("Row")


async def snapshot(conn: Connection, *, blobs: Path) -> Snapshot:
    """Everything the checker asks for."""
    return Snapshot(
        records=await _rows(conn, RECORDS, RecordRow),
        jobs=await _rows(conn, JOBS, JobRow),
        attempts=await _rows(conn, ATTEMPTS, AttemptRow),
        events=await _rows(conn, EVENTS, EventRow),
        queue=await _rows(conn, QUEUE, QueueRow),
        photos=await _rows(conn, PHOTOS, PhotoRow),
        intents=[row[0] for row in await (await conn.execute(INTENTS)).fetchall()],
        retries=dict(await (await conn.execute(RETRIES)).fetchall()),
        again=dict(await (await conn.execute(AGAIN)).fetchall()),
        files=files(blobs),
    )


async def _rows(conn: Connection, query: str, kind: type[Row]) -> list[Row]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.encode())
        return [msgspec.convert(row, kind) for row in await cursor.fetchall()]


def files(folder: Path) -> dict[str, str]:
    """Each stored file's name with the hash of its bytes; a name that is no hash is a file on its way in."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.name if len(path.name) == 64 else str(path.relative_to(folder))
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
