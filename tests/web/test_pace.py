"""How long steps usually take, and what an attempt sent: read by whoever may see the job."""

from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import make_device, make_project, make_record
from tests.service import Service, token
from tests.web.test_jobs import demo_device

STEP = (
    "insert into automation_step (job_id, attempt, key, index, total, label, state, started_at, ended_at, resumed, recipe_version)"
    " select %s, %s, %s, %s, 2, 'Step', 'confirmed', now(), now() + make_interval(secs => %s), %s, p.recipe_version"
    "   from portal as p join portal_account as a on a.portal_key = p.key join automation_job as j on j.account_id = a.id"
    "  where j.id = %s"
)


async def test_the_history_of_its_own_recipe(served: Service, conn: Connection) -> None:
    device = await demo_device(conn)
    for seconds in range(1, 12):
        made = await make_record(conn, state="completed", device=device)
        await conn.execute(STEP, [made.job_id, made.attempt, "login", 1, seconds, False, made.job_id])
        await conn.execute(STEP, [made.job_id, made.attempt, "fill", 2, 2 * seconds, seconds == 11, made.job_id])
    old = await make_record(conn, state="completed", device=device)
    await conn.execute(STEP, [old.job_id, old.attempt, "login", 1, 900, False, old.job_id])
    await conn.execute("update automation_step set recipe_version = recipe_version - 1 where job_id = %s", [old.job_id])
    failed = await make_record(conn, state="failed", device=device)
    await conn.execute(STEP, [failed.job_id, failed.attempt, "login", 1, 900, False, failed.job_id])

    person = served.bearer(await token(conn, scopes=("read",)))
    answer = await served.http.get(f"/api/jobs/{failed.job_id}/pace", headers=person)
    assert answer.status_code == 200, answer.text
    login, fill = answer.json()["steps"]
    assert (login["key"], login["runs"], login["p50_s"], login["p90_s"]) == ("login", 11, 6.0, 10.0)
    assert (fill["key"], fill["runs"], fill["p50_s"]) == ("fill", 10, 11.0)
    assert fill["p90_s"] == pytest.approx(18.2)
    stranger = (await make_device(conn, await make_project(conn), scopes=("read",))).headers
    refused = await served.http.get(f"/api/jobs/{failed.job_id}/pace", headers=stranger)
    assert (refused.status_code, refused.json()["code"]) == (404, "job-unknown")


async def test_what_was_sent_and_shown_is_told_as_far_as_it_is_known(served: Service, conn: Connection) -> None:
    made = await make_record(conn, state="completed", device=await demo_device(conn))
    person = served.bearer(await token(conn, scopes=("read",)))
    url = f"/api/jobs/{made.job_id}/attempts"
    item = (await served.http.get(url, headers=person)).json()["items"][0]
    assert item["exchange"] == {"keyed": None, "read_back": None}
    told = {
        "keyed": {"Depth": "2.1"},
        "read_back": [{"at": "Depth", "field": "depth_m", "sent": "2.1", "shown": "2.10"}],
    }
    await conn.execute("update automation_attempt set exchange = %s where job_id = %s", [Jsonb(told), made.job_id])
    item = (await served.http.get(url, headers=person)).json()["items"][0]
    assert item["exchange"] == told and item["log"] is None
