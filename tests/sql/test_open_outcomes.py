"""An open outcome waits for its next look, however late it is noticed."""

from __future__ import annotations

import pytest

from sql import Connection
from tests.sql.test_commit_lock import claimed, one

LEAVE_OPEN = """select settle_verifying(%s, 1, jsonb_build_object('code', %s::text, 'class', 'unknown_outcome'), 'nothing',
                                        true, false, 10, 7200)"""


@pytest.mark.parametrize("ago", ["0 s", "1 hour"])
async def test_it_is_looked_up_again(conn: Connection, database_url: str, ago: str) -> None:
    """Noticed after the settle time it could not be stored at all, and three such attempts were taken for lost."""
    job = await claimed(conn, database_url)
    await conn.execute(
        "update portal_submission set intent_at = intent_at - %s::interval where job_id = %s", [ago, job]
    )
    assert await one(conn, LEAVE_OPEN, job, "SUBMIT_OUTCOME_UNKNOWN") == "retrying"
    assert await one(conn, "select ready_at > now() from automation_job where id = %s", job)


async def test_a_double_that_cannot_be_found_in_time_is_for_a_person(conn: Connection, database_url: str) -> None:
    job = await claimed(conn, database_url)
    await conn.execute(
        "update portal_submission set intent_at = intent_at - interval '1 hour' where job_id = %s", [job]
    )
    assert await one(conn, LEAVE_OPEN, job, "DUPLICATE_REFERENCE") == "needs_input"
