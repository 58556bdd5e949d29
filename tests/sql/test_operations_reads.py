"""What operators look at stays cheap however long the past is, and says of workers and times what is so."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.operations import store
from app.operations.service import PIECES
from sql import Connection
from tests.factories import Device, claim, complete, make_device, make_project, make_record, value
from tests.logins import acting_as
from tests.sql.crowd import crowd

FILTERS: dict[str, Any] = {"actor": None, "action": None, "record": None, "since": None, "until": None}


async def plan(conn: Connection, statement: Any, **params: Any) -> str:
    async with acting_as(conn, "app", sight=params["projects"]):
        rows = await (await conn.execute("explain " + statement.block.text, params)).fetchall()
    return "\n".join(row[0] for row in rows)


async def test_the_reads_use_their_indexes(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    async with crowd(conn, device):
        await conn.execute(
            "insert into audit_event (actor, action, project_id) select 'device:x', 'record.upload', %s from generate_series(1, 20000)",
            [device.project.id],
        )
        await conn.execute("analyze audit_event")
        mine = {"projects": [device.project.id]}
        shown = await plan(conn, store.THROUGHPUT, **mine, step_s=300, steps=12)
        assert "automation_attempt_ended" in shown and "asbuilt_record_list" in shown, shown
        assert "Seq Scan" not in shown, shown
        shown = await plan(conn, store.QUESTIONS, **mine, limit=200)
        assert "Seq Scan" not in shown, shown
        shown = await plan(conn, store.AUDIT, **mine, before=2**63 - 1, limit=51, **FILTERS)
        assert "audit_event_acts" in shown, shown


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("seen_at = now()", "alive"),
        ("seen_at = now() - interval '20 s'", "alive"),
        ("seen_at = now() - interval '31 s'", "lost"),
        ("draining_at = now()", "draining"),
        ("draining_at = now(), seen_at = now() - interval '31 s'", "lost"),
        ("ended_at = now(), seen_at = now() - interval '31 s'", "ended"),
    ],
)
async def test_a_worker_is_what_its_signs_of_life_say(conn: Connection, change: str, state: str) -> None:
    await conn.execute("insert into worker (name, version, places, beat_s) values ('host:1', '1', 4, 10)")
    await conn.execute(f"update worker set {change}".encode())
    assert await value(conn, "select state from ops.workers") == state


async def took(conn: Connection, device: Device, *, ago_s: float, waited_s: float, ran_s: float) -> UUID:
    """A job that was completed so long ago, after so much waiting and running."""
    made = await make_record(conn, device=device)
    attempt = await claim(conn, made.job_id)
    assert await complete(conn, made.job_id, attempt)
    await conn.execute(
        "update automation_attempt set ended_at = now() - make_interval(secs => %(ago)s::float8),"
        " started_at = now() - make_interval(secs => %(ago)s::float8 + %(ran)s),"
        " queued_at = now() - make_interval(secs => %(ago)s::float8 + %(ran)s + %(waited)s) where job_id = %(job)s",
        {"ago": ago_s, "ran": ran_s, "waited": waited_s, "job": made.job_id},
    )
    return made.job_id


async def test_throughput_counts_in_pieces_and_as_a_whole(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    # Pieces begin at whole minutes by the clock, so what is in which is counted by hours that are far apart.
    for ago_h in (0.01, 5, 5, 23.5, 40):
        await took(conn, device, ago_s=ago_h * 3600, waited_s=2 if ago_h < 20 else 10, ran_s=100 * (1 + ago_h))
    step_s, steps = PIECES["day"]
    rows = await store.THROUGHPUT(conn, projects=[device.project.id], step_s=step_s, steps=steps)
    pieces, whole = rows[:-1], rows[-1]
    assert len(pieces) == 24
    begun = [piece.at for piece in pieces if piece.at is not None]
    assert [b - a for a, b in pairwise(begun)] == [timedelta(hours=1)] * 23
    assert whole.at is None
    assert whole.uploads == 5 == sum(piece.uploads for piece in pieces), "all five were uploaded just now"
    assert whole.completed == sum(piece.completed for piece in pieces) in (3, 4), "the oldest piece is cut by the clock"
    five = [piece for piece in pieces if piece.completed == 2]
    assert len(five) == 1
    assert five[0].pickup_p50_s == pytest.approx(2)
    assert five[0].pickup_p95_s == pytest.approx(2)
    assert five[0].run_p50_s == pytest.approx(600)
    other = await store.THROUGHPUT(conn, projects=[(await make_project(conn)).id], step_s=step_s, steps=steps)
    assert all((row.uploads, row.completed, row.run_p50_s) == (0, 0, None) for row in other)


async def test_a_percentile_of_many_waits_is_right_to_within_five_in_a_hundred(conn: Connection) -> None:
    device = await make_device(conn, await make_project(conn))
    for n in range(20):
        await took(conn, device, ago_s=60, waited_s=0 if n < 11 else 1.7**n, ran_s=7 * 1.3**n)
    step_s, steps = PIECES["month"]
    whole = (await store.THROUGHPUT(conn, projects=[device.project.id], step_s=step_s, steps=steps))[-1]
    assert whole.completed == 20
    assert whole.pickup_p50_s == pytest.approx(0, abs=0.001), "most did not wait at all"
    assert whole.pickup_p95_s == pytest.approx(1.7**18, rel=0.05)
    assert whole.run_p50_s == pytest.approx(7 * 1.3**9, rel=0.05)
    assert whole.run_p95_s == pytest.approx(7 * 1.3**18, rel=0.05)


async def test_an_attempt_keeps_since_when_it_could_have_begun(conn: Connection) -> None:
    made = await make_record(conn, state="retrying")
    ready = await value(
        conn,
        "update automation_job set ready_at = now() - interval '3 s' where id = %s returning ready_at",
        made.job_id,
    )
    await claim(conn, made.job_id)
    assert await value(conn, "select queued_at from automation_attempt where attempt = 2") == ready
    first = await value(conn, "select a.queued_at = j.queued_at from automation_attempt as a join automation_job as j on j.id = a.job_id where a.attempt = 1")  # fmt: skip
    assert first is True


async def test_the_views_can_be_read(conn: Connection) -> None:
    await took(conn, await make_device(conn, await make_project(conn)), ago_s=5, waited_s=1, ran_s=9)
    row = await (await conn.execute("select completed, failed, pickup_p50_s, run_p95_s from ops.throughput")).fetchone()
    assert row == (1, 0, pytest.approx(1), pytest.approx(9))
    with pytest.raises(psycopg.errors.CheckViolation):
        await conn.execute("insert into worker (name, version, places, beat_s) values ('x', '1', 0, 10)")
