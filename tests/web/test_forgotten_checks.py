"""A handler that forgets to ask whose a job is: the act finds nothing all the same, and the answer is that of a missing one."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.auth import Caller
from app.jobs import service
from app.jobs.store import GET_JOB, JobRow
from sql import Connection
from tests.factories import make_record, value
from tests.service import Service, sign_in


async def test_a_forgotten_check_lets_nobody_act_on_anothers_job(
    served: Service, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = await make_record(conn, state="failed")
    person = await sign_in(served, conn)
    found: list[JobRow] = []

    async def whoever(_conn: Connection, _caller: Caller, job_id: UUID) -> JobRow:
        row = await GET_JOB(conn, id=job_id, projects=[theirs.project.id], device=None)
        assert row is not None
        found.append(row)
        return row

    monkeypatch.setattr(service, "find", whoever)
    monkeypatch.setattr(Caller, "demand", lambda *_: None)
    for act in ("retry", "cancel", "hold", "release"):
        answer = await served.http.post(f"/api/jobs/{theirs.job_id}/{act}", headers=person, json={"reason": "mine now"})
        assert (answer.status_code, answer.json()["code"]) == (404, "job-unknown"), act
    assert len(found) == 4
    assert await value(conn, "select count(*) from audit_event where reason = 'mine now'") == 0
