"""What failures of one cause have in common, and the operators' views of the backlog and of failures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from app.operations import store
from sql import Connection
from tests.factories import Device, Made, claim, finish, make_device, make_project, make_record, value
from tests.sql.crowd import crowd

SAME: list[tuple[str, str, str]] = [
    ("ids", "no draft 0198a0b0-0000-4000-8000-00ff00ff00ff", "no draft 6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ("numbers", "row 3 of 12 took 4.5 s", "row 11 of 900 took 0,25 s"),
    ("quoted", "Field 'Depth (m)' says \"too deep\"", "Field 'Class' says \"unknown: 'x'\""),
    ("typographic quotes", "“Notes” is missing; «a b»", "“Crew lead” is missing; «c»"),
    ("codes", "AB-7F3K2Q9XZ0 was refused at 10:15:01", "AB-QWERTYUIOP was refused at 23:59:59"),
    ("space", "timed out\n  after 30 s", " timed out after 5 s "),
]
OTHER: list[tuple[str, str]] = [
    ("the portal didn't answer, and it's slow", "the portal didn't save, and it's slow"),
    ("element not found", "element not visible"),
    ("", "timed out"),
]


@pytest.mark.parametrize(("first", "second"), [pair[1:] for pair in SAME], ids=[pair[0] for pair in SAME])
async def test_what_differs_from_record_to_record_does_not_count(conn: Connection, first: str, second: str) -> None:
    shapes = [await value(conn, "select failure_shape(%s)", text) for text in (first, second)]
    assert shapes[0] == shapes[1]
    assert await value(
        conn, "select failure_fingerprint('s', 'C', %s) = failure_fingerprint('s', 'C', %s)", first, second
    )


@pytest.mark.parametrize(("first", "second"), OTHER)
async def test_what_says_something_else_counts(conn: Connection, first: str, second: str) -> None:
    assert not await value(
        conn, "select failure_fingerprint('s', 'C', %s) = failure_fingerprint('s', 'C', %s)", first, second
    )


async def test_step_and_code_count_and_without_a_code_nothing_failed(conn: Connection) -> None:
    prints = await value(
        conn,
        "select array[failure_fingerprint('a', 'C', 'm'), failure_fingerprint('b', 'C', 'm'),"
        " failure_fingerprint('a', 'D', 'm'), failure_fingerprint(null, 'C', 'm'), failure_fingerprint('a', 'C', null)]",
    )
    assert len(set(prints)) == 5
    assert all(len(each) == 16 for each in prints)
    assert await value(conn, "select failure_fingerprint('a', null, 'm')") is None


async def test_a_message_of_any_length_is_one_quick_shape(conn: Connection) -> None:
    long = await value(conn, "select failure_shape(repeat('\"', 999) || repeat('x1-', 100000))")
    assert len(long) <= 300


async def failed(conn: Connection, device: Device, message: str, *, again: bool = False, **error: str) -> Made:
    """A record whose job's first attempt failed with this message."""
    made = await make_record(conn, device=device)
    attempt = await claim(conn, made.job_id)
    told = {"code": "FIELD_REFUSED", "class": "validation_rejected", "step": "job", "message": message, **error}
    await conn.execute(
        "select settle_failed(%s, %s::int, %s, %s, 'attempt', true, 15, null)",
        (made.job_id, attempt, Jsonb(told), again),
    )
    await finish(conn, made.job_id, attempt)
    return made


async def test_the_view_groups_what_fails_now(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    for n in range(3):
        await failed(conn, device, f"value {n} of 'x{n}' is too high", again=n == 0)
    await failed(conn, device, "value 1 of 'x1' is too high", step="photos")
    mended = await failed(conn, device, "value 9 of 'y' is too high")
    await conn.execute("select ops.retry(%s, 'mended')", (mended.job_id,))
    rows = await conn.execute(
        "select portal, project, step, code, message, jobs, retrying from ops.failures order by jobs desc"
    )
    shape = "value ‹n› of ‹text› is too high"
    assert await rows.fetchall() == [
        ("npl", device.project.code, "job", "FIELD_REFUSED", shape, 3, 1),
        ("npl", device.project.code, "photos", "FIELD_REFUSED", shape, 1, 0),
    ]
    named = "select count(*) from ops.jobs where fingerprint = (select fingerprint from ops.failures where jobs = 3)"
    assert await value(conn, named) == 3


async def test_a_record_that_went_on_in_a_later_job_fails_no_more(conn: Connection) -> None:
    made = await failed(conn, await make_device(conn, await make_project(conn)), "refused")
    assert await value(conn, "select count(*) from ops.failures") == 1
    await conn.execute(
        "insert into automation_job (id, record_id, revision, project_id, device_id, account_id, external_ref, state, max_attempts,"
        "    created_at, queued_at)"
        " select gen_random_uuid(), record_id, 2, project_id, device_id, account_id, external_ref, 'queued', 3,"
        "    created_at + interval '1 s', now() from automation_job where id = %s",
        (made.job_id,),
    )
    assert await value(conn, "select count(*) from ops.failures") == 0


async def test_the_backlog_says_what_is_waited_for_and_since_when(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    for state in ("queued", "queued", "held", "awaiting_media", "processing", "completed", "failed"):
        await make_record(conn, device=device, state=state)
    rows = await conn.execute("select state, wait_reason, jobs, oldest_age >= '0' from ops.backlog order by state")
    assert await rows.fetchall() == [
        ("awaiting_media", "media", 1, True),
        ("held", "blocker", 1, True),
        ("processing", None, 1, True),
        ("queued", None, 2, True),
    ]


PLANS: list[tuple[Any, set[str]]] = [
    (store.BACKLOG, set()),  # both indexes of live jobs serve
    (store.FAILURES, {"automation_job_failing"}),
    (store.FAILING_JOBS, {"automation_job_failing"}),
    (store.FAILED_ATTEMPTS, {"automation_attempt_failed"}),
]


async def test_the_reads_find_the_few_among_the_many_by_index(conn: Connection) -> None:
    """Most jobs are long over; whoever looks at those that are not must not read the others."""
    device = await make_device(conn, await make_project(conn))
    async with crowd(conn, device):
        params = {
            "projects": [device.project.id],
            "portal": "npl",
            "fingerprint": await value(conn, "select failure from automation_job where state = 'failed' limit 1"),
            "at": datetime.now(UTC),
            "after": device.id,
            "limit": 50,
        }
        for statement, indexes in PLANS:
            rows = await (await conn.execute("explain " + statement.block.text, params)).fetchall()
            plan = "\n".join(row[0] for row in rows)
            assert {index for index in indexes if index not in plan} == set(), plan
            assert "Seq Scan on automation_job j" not in plan and "Seq Scan on automation_attempt" not in plan, plan
