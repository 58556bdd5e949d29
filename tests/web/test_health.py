"""Health: what is asked, what makes a process unready, and that nothing makes it answer late."""

from __future__ import annotations

from pathlib import Path

import httpx
import psycopg
import pytest

from app.core import db
from app.core.health import Health, postgres
from app.metrics.meters import Meters
from sql import Connection
from tests.service import Service, serving, until, web_settings


async def test_every_part_is_named(served: Service) -> None:

    async def notify() -> str:
        return str((await served.http.get("/health/ready")).json()["parts"]["notify"]["status"])

    await until(notify, lambda status: status == "listen")
    answer = await served.http.get("/health/ready")
    parts = answer.json()["parts"]
    assert answer.status_code == 200
    assert parts.keys() == {"postgres", "redis", "notify", "blobs", "automation"}
    assert parts["postgres"]["status"] == parts["blobs"]["status"] == parts["redis"]["status"] == "ok"
    assert parts["automation"]["status"] == "down"  # none runs in this test; that does not make us unready
    assert (await served.http.get("/health/live")).json() == {"status": "ok"}


async def test_a_dead_database_makes_it_unready_and_uploads_say_so(
    redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = web_settings("postgresql://nobody@127.0.0.1:1/nothing", redis_url, tmp_path, database_s=2.0)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["postgres"]["status"]) == (503, "down")
        assert (await http.get("/health/live")).status_code == 200
        answer = await http.get("/api/me", headers={"Authorization": "Bearer abk_aaaaaaaa_" + "b" * 43})
        assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (
            503, "database-unavailable", "after",
        )  # fmt: skip
        assert answer.headers["retry-after"] == "2"
        told = [line.__dict__ for line in caplog.records if line.__dict__.get("event") == "http.database"]
        assert [line["error"] for line in told] == ["PoolTimeout"]


async def test_a_dead_redis_is_said_and_stops_nothing(database_url: str, conn: Connection, tmp_path: Path) -> None:
    settings = web_settings(database_url, "redis://127.0.0.1:1", tmp_path)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["redis"]["status"]) == (200, "degraded")


async def test_a_database_without_room_is_named_and_the_process_still_given_requests(
    database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with db.pool(database_url, name="full", size=1) as pool:
        health, meters = Health({"postgres": postgres(pool)}), Meters()
        meters.watch_pool(pool)

        async def said() -> tuple[str, str]:
            ready = await health.ready()
            return ready.status, ready.parts["postgres"].status

        assert await said() == ("ok", "ok")
        for _ in range(2):
            with pytest.raises(psycopg.errors.DiskFull):
                async with pool.connection() as conn:
                    await conn.execute("do $$ begin raise disk_full using message = 'no room'; end $$")
        assert await said() == ("ok", "full")
        assert [(line.__dict__["event"], line.__dict__["why"]) for line in caplog.records] == [
            ("database.disk_full", "no room")
        ]
        assert meters.registry.get_sample_value("asbuilt_database_full_total") == 2
        monkeypatch.setattr(db, "FULL_S", 0.0)
        assert await said() == ("ok", "ok")
