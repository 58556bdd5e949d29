"""Admission with workers that run: limits hold across processes, a line drains by itself, starts are spaced."""

from __future__ import annotations

from pathlib import Path

from sql import Connection
from tests.worker.plant import plant

OVERLAP = """
select max(n) from (
    select (select count(*) from automation_attempt as b
             where b.started_at <= a.started_at and (b.ended_at is null or b.ended_at > a.started_at)) as n
      from automation_attempt as a) as at
"""


async def test_a_line_of_five_at_two_slots_drains_without_a_sweep(
    database_url: str, redis_url: str, conn: Connection, portal_schema: None, tmp_path: Path
) -> None:
    async with plant(database_url, redis_url, conn, tmp_path) as p:
        await conn.execute("update portal_account set max_runs = 2")
        jobs = [await p.upload() for _ in range(5)]
        assert [await p.one("select wait_reason from automation_job where id = %s", job) for job in jobs[2:]] == ["slot"] * 3  # fmt: skip
        # Sweeps and polls are far apart: only the promotions make the line move.
        async with p.worker(reconcile_s=300.0, poll_s=300.0), p.worker(reconcile_s=300.0, poll_s=300.0):
            assert [await p.ends(job) for job in jobs] == ["completed"] * 5
        assert await p.one(OVERLAP) <= 2
        assert await p.one("select count(*) from portal_slot where job_id is not null") == 0


async def test_a_rejected_login_holds_everybody_until_it_is_mended(
    database_url: str, redis_url: str, conn: Connection, portal_schema: None, tmp_path: Path
) -> None:
    async with plant(database_url, redis_url, conn, tmp_path) as p:
        await conn.execute("update portal_account set max_runs = 1, paused_at = now(), paused_as = 'login'")
        job = await p.upload()
        async with p.worker():
            assert await p.one("select state, wait_reason from automation_job where id = %s", job) == ("held", "login")
            await conn.execute("select ops.resume_portal('npl', 'the password is right again')")
            assert await p.ends(job) == "completed"


async def test_starts_are_spaced_under_the_lease(
    database_url: str, redis_url: str, conn: Connection, portal_schema: None, tmp_path: Path
) -> None:
    async with plant(database_url, redis_url, conn, tmp_path) as p:
        await conn.execute("update portal_account set starts_per_minute = 30")
        jobs = [await p.upload() for _ in range(3)]
        async with p.worker():
            assert [await p.ends(job) for job in jobs] == ["completed"] * 3
        starts = await p.one(
            "select array_agg(extract(epoch from started_at - first)::float8 order by started_at) from automation_run,"
            " (select min(started_at) as first from automation_attempt) as f"
        )
        # From the first claim, which comes before the first start is reserved.
        assert starts[1] >= 1.95 and starts[2] >= 3.95, starts
        assert await p.one("select max(attempt) from automation_job") == 1, "the wait cost an attempt"
