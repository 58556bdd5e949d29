"""The page for Prometheus: its figures against what was done, who may read it, and how it stands without a database."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.metrics.catalogue import SYSTEM
from app.metrics.service import CODES, bounded
from app.metrics.store import FigureRow
from sql import Connection
from tests.service import Service, ids, listed, multipart, record, service, serving, token, until, web_settings
from tests.unit.pictures import jpeg
from tests.worker.plant import SHOTS

TOKEN = "scrape-me-0123456789"
Samples = dict[tuple[str, tuple[str, ...]], float]


async def scraped(http: httpx.AsyncClient) -> Samples:
    """Every sample by name and label values, in the order of the labels' names."""
    answer = await http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_an_upload_is_in_the_figures_of_the_process_and_of_the_system(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    async with service(web_settings(database_url, redis_url, tmp_path, metrics_token=TOKEN)) as served:
        files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        body = multipart(record(photos=listed(SHOTS)), files)
        answer = await served.http.post("/api/mobile/records", **body, headers=served.bearer())
        _, job = ids(answer)
        await served.http.get("/api/nothing/here")
        await served.http.request("PURGE", f"/api/jobs/{job}")
        stranger = await served.http.get(f"/api/jobs/{job}")
        assert stranger.status_code == 401
        seen = await scraped(served.http)
    assert seen["asbuilt_answers_total", ("POST", "/api/mobile/records", "201")] == 1
    assert seen["asbuilt_answer_seconds_count", ("POST", "/api/mobile/records")] == 1
    assert seen["asbuilt_answers_total", ("GET", "", "404")] == 1
    assert seen["asbuilt_answers_total", ("GET", "/api/jobs/{job_id}", "401")] == 1
    assert seen["asbuilt_database_up", ()] == seen["asbuilt_status_live", ()] == 1
    assert seen["asbuilt_records_recent", ()] == seen["asbuilt_ready_jobs", ()] == 1
    assert seen["asbuilt_jobs", ("queued", "")] == 1
    assert seen["asbuilt_queue_rows", ("automation", "todo")] == 1
    assert seen["asbuilt_workers", ("alive",)] == seen["asbuilt_streams_open", ()] == 0
    assert seen["asbuilt_portal_breaker", ("default", "npl", "closed")] == 1
    assert seen["asbuilt_portal_breaker", ("default", "npl", "open")] == 0
    assert seen["asbuilt_pool_connections", ("lent",)] >= 0
    assert not [key for key in seen if str(job) in str(key)]


async def test_every_figure_of_the_catalogue_comes_and_no_other(conn: Connection, served: Service) -> None:
    """A name in the query that the catalogue lacks would break the page; one that never comes misleads."""
    from app.metrics.store import FIGURES

    answer = await served.http.post("/api/mobile/records", **multipart(record(), {}), headers=served.bearer())
    _, job = ids(answer)
    await _attempt(conn, job, outcome="failed", code="PORTAL_DOWN")
    await _attempt(conn, job, outcome="completed", code=None)
    await _attempt(conn, job, outcome="lost", code=None)
    rows = await FIGURES(conn, recent_s=300)
    assert {row.figure for row in rows} == set(SYSTEM)
    for row in rows:
        assert len(row.labels) == len(SYSTEM[row.figure].labels), row
    told = {(row.figure, *row.labels): row.value for row in rows}
    assert told["attempts_recent", "npl", "failed", "PORTAL_DOWN"] == told["attempts_recent", "npl", "lost", ""] == 1
    assert told["pickup_recent_seconds", "0.5"] == 2
    assert told["run_recent_seconds", "npl", "1"] == 30


async def _attempt(conn: Connection, job: UUID, *, outcome: str, code: str | None) -> None:
    await conn.execute(
        """insert into automation_attempt (job_id, project_id, attempt, worker, queue_job_id, queued_at, started_at, ended_at,
                                           lease_until, outcome, error_code)
           select j.id, j.project_id, 1 + (select count(*) from automation_attempt where job_id = j.id), 'w', 0,
                  now() - interval '32 s', now() - interval '30 s', now(), now(), %s, %s
             from automation_job as j where j.id = %s""",
        (outcome, code, job),
    )


async def test_only_the_token_of_the_settings_reads_it(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    async with service(
        web_settings(database_url, redis_url, tmp_path, metrics_token=TOKEN, failed_auth_per_min=3)
    ) as served:
        device = await token(conn, scopes=("read", "operate"))
        sent = [
            {},
            {"Authorization": f"Bearer {device}"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": "Bearer"},
        ]
        answers = [await served.http.get("/metrics", headers=headers) for headers in sent]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert "asbuilt" not in answers[0].json()["title"]


async def test_without_a_token_in_the_settings_there_is_no_such_page(served: Service) -> None:
    assert (await served.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 404


async def test_without_a_database_the_process_still_tells_of_itself(redis_url: str, tmp_path: Path) -> None:
    settings = web_settings(
        "postgresql://nobody@127.0.0.1:1/none", redis_url, tmp_path, database_s=2.0, metrics_token=TOKEN
    )
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        seen = await scraped(http)
    assert seen["asbuilt_database_up", ()] == seen["asbuilt_status_live", ()] == 0
    assert seen["asbuilt_progress_live", ()] == 1
    assert not [name for name, _ in seen if name == "asbuilt_jobs"]
    assert any(name == "process_resident_memory_bytes" for name, _ in seen)


async def test_a_stream_is_counted_while_it_is_open(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> None:
    async with service(web_settings(database_url, redis_url, tmp_path, metrics_token=TOKEN)) as served:
        headers = served.bearer(await token(conn, scopes=("read",)))

        async def streams() -> float:
            return (await scraped(served.http))["asbuilt_streams_open", ()]

        async with served.http.stream("GET", "/api/events", headers=headers):
            await until(streams, lambda count: count == 1)
        await until(streams, lambda count: count == 0)


def test_codes_that_a_service_makes_up_do_not_make_series_without_end() -> None:
    many = [FigureRow(figure="attempts_recent", labels=["npl", "failed", f"CODE_{n}"], value=2) for n in range(CODES)]
    odd = [FigureRow(figure="attempts_recent", labels=["npl", "failed", text], value=9) for text in ("a b", "x" * 70)]
    rare = [FigureRow(figure="attempts_recent", labels=["npl", "failed", f"RARE_{n}"], value=1) for n in range(5)]
    other = FigureRow(figure="workers", labels=["alive"], value=3)
    told = {tuple(row.labels): row.value for row in bounded([*rare, *odd, *many, other])}
    assert told.pop(("npl", "failed", "other")) == 2 * 9 + 5
    assert told.pop(("alive",)) == 3
    assert told == {tuple(row.labels): 2 for row in many}
