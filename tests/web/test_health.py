"""Health: what is asked, what makes a process unready, and that nothing makes it answer late."""

from __future__ import annotations

from pathlib import Path

import httpx

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


async def test_a_dead_database_makes_it_unready_and_uploads_say_so(redis_url: str, tmp_path: Path) -> None:
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


async def test_a_dead_redis_is_said_and_stops_nothing(database_url: str, conn: Connection, tmp_path: Path) -> None:
    settings = web_settings(database_url, "redis://127.0.0.1:1", tmp_path)
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["redis"]["status"]) == (200, "degraded")
