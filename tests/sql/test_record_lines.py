"""The lines that lists read: always what the rows behind them say, and found by index however many there are."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from app.jobs.states import JobState
from app.lists import store
from sql import Connection
from tests.factories import State, claim, fail, make_device, make_project, make_record, value
from tests.logins import acting_as

REBUILT = (files("sql") / "functions" / "record_lines_missing.sql").read_text(encoding="utf-8")
LAST = {"at": "9999-01-01", "after": "ffffffff-ffff-ffff-ffff-ffffffffffff", "limit": 51}


async def lines(conn: Connection) -> list[Any]:
    return await (await conn.execute("select * from record_line order by record_id")).fetchall()


async def test_triggers_keep_the_line_that_one_would_make_from_the_rows(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    made = {state: await make_record(conn, state=state, device=device) for state in JobState}
    await fail(conn, made[JobState.PROCESSING].job_id, 1)
    await conn.execute("select ops.retry(%s, 'again')", [made[JobState.FAILED].job_id])
    await claim(conn, made[JobState.FAILED].job_id)
    await conn.execute(
        "insert into defect (record_id, revision, rule, severity, message) select id, 1, 'r', 'minor', 'm' from asbuilt_record"
    )
    held = made[JobState.HELD]
    blocker = await value(conn, "select id from defect where record_id = %s and severity = 'blocker'", held.record_id)
    await conn.execute("select ops.waive(%s, 'it is all right')", [blocker])
    await conn.execute("delete from defect where record_id = %s", [made[JobState.QUEUED].record_id])
    await conn.execute(
        "update asbuilt_record set crew = 'Crew 9', review_state = 'edited', captured_at = now() where id = %s",
        [held.record_id],
    )
    await conn.execute(
        "update asbuilt_record set deleted_at = now() where id = %s", [made[JobState.CANCELLED].record_id]
    )
    kept = await lines(conn)
    assert len(kept) == len(JobState) - 1
    await conn.execute("delete from record_line")
    await conn.execute(REBUILT)
    assert await lines(conn) == kept
    states = await (await conn.execute("select record_id, job_state, severity from record_line")).fetchall()
    assert (held.record_id, "queued", "minor") in states
    assert (made[JobState.QUEUED].record_id, "queued", "none") in states


@pytest.fixture
async def many(conn: Connection) -> dict[str, Any]:
    """5,000 lines, fifty of them in the first of two projects."""
    projects = [(await make_project(conn)).id for _ in range(2)]
    devices = [(await make_device(conn, await make_project(conn))).id]
    await conn.execute(
        "with r as (insert into asbuilt_record (id, project_id, device_id, form_key, form_version, asset_key, external_ref,"
        "    fields, fingerprint, media_state, received_at)"
        "  select id, (%s::uuid[])[case when n %% 100 = 0 then 1 else 2 end], %s, 'test-form', 1, 'A-' || n, external_ref(id), '{}', sha256('x'),"
        "         'complete', now() - make_interval(mins => n)"
        "    from (select gen_random_uuid() as id, n from generate_series(1, 5000) as n) as made returning 1) select count(*) from r",
        [projects, devices[0]],
    )
    await conn.execute("vacuum analyze record_line, asbuilt_record")
    return {"projects": projects, "one": str(projects[0])}


WANTED: list[tuple[str, dict[str, str], set[str]]] = [
    ("all projects", {}, {"record_line_all"}),
    ("one project", {"project": "one"}, {"record_line_list"}),
    ("a rare word", {"like1": "%a-4711%"}, {"record_line_search"}),
    ("a short word", {"like1": "% zq%"}, {"record_line_search"}),
    ("a span of time", {"project": "one", "received_from": "946684800"}, {"record_line_list"}),
]


@pytest.mark.parametrize(("given", "indexes"), [case[1:] for case in WANTED], ids=[case[0] for case in WANTED])
async def test_a_list_uses_its_index(
    conn: Connection, many: dict[str, Any], given: dict[str, str], indexes: set[str]
) -> None:
    wanted = {**given, **({"project": many["one"]} if "project" in given else {})}
    params = {"projects": many["projects"], "filter": Jsonb(wanted), **LAST}
    async with acting_as(conn, "app", sight=many["projects"]):
        rows = await (await conn.execute("explain " + store.LIST_RECORDS.block.text, params, prepare=False)).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert {index for index in indexes if index not in plan} == set(), plan
    assert "Function Scan on record_lines" not in plan, "the function was not put into the query: no index serves it"


async def test_a_state_changes_its_line_in_place(conn: Connection) -> None:
    """An index on what changes would cost every step of a job the trigrams of the record's whole text."""
    device = await make_device(conn, await make_project(conn))
    states: tuple[State, ...] = ("completed", "failed", "retrying")
    async with conn.transaction():
        for state in states:
            await make_record(conn, state=state, device=device)
        counted = await conn.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'record_line'"
        )
        changed, in_place = await counted.fetchone() or (0, 0)
    assert changed == in_place > len(states)
