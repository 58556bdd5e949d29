"""Finding records among a hundred thousand, beside the same questions to a system that has almost none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from urllib.parse import quote

import httpx
from psycopg import AsyncConnection

from app.core.access import create_token
from tests.bench import figures
from tests.bench.stage import Stage

WHAT = """**Lists.** `GET /api/records` and the numbers on top over HTTP, one request at a time, with 100,000 records in the project; the peer
is the same installation with 100. The questions alternate between both. A page holds 50 records, each with photos, findings and job."""

RECORDS, FEW = 100_000, 100
TIMES = 100
QUESTIONS = {
    "list": "/api/records",
    "list, one project": "/api/records?project=demo",
    "search, a serial number": "/api/records?q=sn0012345x",
    "search, three words": f"/api/records?q={quote('crew 7 p-12')}",
    "search, a word of all": "/api/records?q=storm",
    "search, no record": "/api/records?q=nothing-like-it",
    "search, two letters": "/api/records?q=q7",
    "filter, failed": "/api/records?state=failed",
    "filter, held and cancelled": "/api/records?state=held&state=cancelled",
    "filter, review": "/api/records?review=rejected",
    "filter, blockers": "/api/records?severity=blocker",
    "filter, another portal": "/api/records?portal=harbor",
    "filter, a day of capture": "/api/records?captured_from=2020-01-01T00:00:00Z&captured_until=2020-01-02T00:00:00Z",
    "filter, all of them": "/api/records?state=held&severity=minor&review=approved&q=wood",
    "count of all": "/api/records/count",
    "stats": "/api/stats",
}

FILL = """
with n as (select n, gen_random_uuid() as record, uuid7() as job from generate_series(1, %(n)s::int) as n),
     at as (select *, now() - make_interval(mins => %(n)s - n) as at,
                   case when n > %(n)s - 20 then 'queued' when n %% 50 = 0 then 'failed' when n %% 97 = 0 then 'cancelled'
                        when n %% 301 = 0 then 'held' else 'completed' end as state from n),
     p as (select project.id as project, portal_account_id as account, device.id as device
             from project join device on device.project_id = project.id where code = 'demo' limit 1),
     r as (insert into asbuilt_record (id, project_id, device_id, form_key, form_version, asset_key, crew, external_ref, fields,
               fingerprint, lat, lon, received_at, captured_at, review_state, media_state)
           select record, project, device, 'pole-replacement', 1, 'P-' || n %% 50000, 'Crew ' || n %% 40, external_ref(record),
                  jsonb_build_object('work_order', 'WO-' || n, 'pole_height_ft', 45, 'pole_material', 'wood',
                      'notes', 'Replaced after the storm near ' || left(md5(n::text), 12) || ', guy wire kept, transformer moved',
                      'serial', 'SN-' || lpad(n::text, 7, '0') || '-X', 'crew_lead', (array['Ada','Ben','Cleo','Dan'])[1 + n %% 4],
                      'meter', jsonb_build_object('old', 'M' || n * 7, 'new', 'M' || n * 7 + 1)),
                  sha256(record::text::bytea), 45 + n / 1e5, -122, at, at - interval '10 min',
                  case when n %% 10 < 7 then 'received' when n %% 10 < 9 then 'approved' else 'rejected' end, 'complete'
             from at, p),
     j as (insert into automation_job (id, record_id, revision, project_id, device_id, account_id, external_ref, max_attempts,
               state, wait_reason, created_at, queued_at, started_at, finished_at, attempt, confirmation, error_code, error_message, seq)
           select job, record, 1, project, device, account, external_ref(record), 3, state,
                  case state when 'held' then 'blocker' end, at, at, at,
                  case when state in ('completed', 'failed', 'cancelled') then at + interval '3 min' end, 1,
                  case state when 'completed' then 'NPL-' || n end, case state when 'failed' then 'VALIDATION' end,
                  case state when 'failed' then 'too tall' end, 3
             from at, p),
     a as (insert into automation_attempt (job_id, attempt, queue_job_id, worker, project_id, started_at, lease_until, ended_at, outcome)
           select job, 1, n, 'w', project, at, at, at + make_interval(secs => 100 + n %% 90), 'completed' from at, p where state = 'completed'),
     f as (insert into photo (record_id, name, shot_key, received_at, rejected_reason, checks)
           select record, 'p' || i, 'pole', at, 'x', 'done' from at, generate_series(1, 3) as i)
insert into defect (record_id, revision, rule, severity, message, at)
select record, 1, 'r', case when state = 'held' then 'blocker' when n %% 9 = 0 then 'major' else 'minor' end, 'm', at
  from at where n %% 3 = 0 or state = 'held'
"""
LINES = files("sql").joinpath("functions", "record_lines_missing.sql").read_text(encoding="utf-8")


def run(stage: Stage, *, records: int = RECORDS, times: int = TIMES) -> list[figures.Comparison]:
    """How long each question takes, at the median and at p99."""
    with _site(stage, records) as full, _site(stage, FEW) as empty:
        found: list[figures.Comparison] = []
        for what, path in QUESTIONS.items():
            ours: list[float] = []
            peer: list[float] = []
            for _ in range(times):
                ours.append(_ask(full, path))
                peer.append(_ask(empty, path))
            for at, name in ((0.5, "p50"), (0.99, "p99")):
                # The first answers pay for what a process and a connection do once.
                mine, theirs = ours[times // 10 :], peer[times // 10 :]
                found.append(figures.by_quantile(f"{what}, {name}", unit="ms", ours=mine, peer=theirs, at=at))
        return found


def _ask(http: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    http.get(path).raise_for_status()
    return 1000 * (time.perf_counter() - started)


@contextmanager
def _site(stage: Stage, records: int) -> Iterator[httpx.Client]:
    """A web process on a database with so many records, and a reader's client of it."""
    database = stage.database()
    token = asyncio.run(_fill(database.url, records))
    env = {
        "DATABASE_URL": database.app,
        "REDIS_URL": stage.redis_url,
        "AUTOMATION_URL": "http://127.0.0.1:9",
        "AUTOMATION_TOKEN": "bench",
        "ASBUILT_BLOBS": str(stage.folder / f"lists-blobs-{records}"),
        "ASBUILT_FREE_DISK_BYTES": "0",
        "ASBUILT_PORT": "0",
        "ASBUILT_REQUESTS_PER_DEVICE": "0",
    }
    with (
        stage.process(["app.cli", "serve"], env=env) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
    ):
        yield http


async def _fill(url: str, records: int) -> str:
    """Rows as of a system that has worked for weeks; answers a token that reads them."""
    async with await AsyncConnection.connect(url, autocommit=True) as conn:
        # Triggers would write an event and a notice for each; the lines that they keep are made in one go instead.
        await conn.execute("set session_replication_role = replica")
        await conn.execute(FILL, {"n": records})
        await conn.execute(LINES.encode())
        await conn.execute("set session_replication_role = origin")
        await conn.execute("vacuum analyze")
        return await create_token(conn, project="demo", scopes=("read",), label="reader")
