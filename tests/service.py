"""A whole web process inside the test process: real uvicorn on a real port, so that streams and cut connections are real."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import uvicorn

from app.core.access import create_link, create_token, create_user
from app.core.protocol import protocol
from app.core.settings import Settings
from app.core.vault import new_key
from app.local.seed import seed
from app.main import Web
from sql import Connection
from tests.logins import as_role

SECRET_KEY = new_key()


class Service(msgspec.Struct, kw_only=True):
    """The running process and the secrets to talk to it."""

    url: str
    settings: Settings
    upload: str
    """A device token of scope upload in project demo."""
    http: httpx.AsyncClient

    def bearer(self, token: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.upload}"}


def web_settings(database_url: str, redis_url: str, folder: Path, **changed: Any) -> Settings:
    """Settings of a web process under test: small, quick, and with all the disk it wants."""
    base = Settings(
        database_url=database_url,
        redis_url=redis_url,
        automation_token="service-token",
        secret_key=(SECRET_KEY,),
        blobs=folder / "blobs",
        free_disk_bytes=0,
        # A machine that is busy with other tests is no database that is away, and makes no photo too large to look at.
        database_s=20.0,
        check_photos_s=60.0,
        uploads_per_s=0,
        requests_per_device=0,
        failed_auth_per_min=0,
        poll_s=1.0,
    )
    return msgspec.structs.replace(base, **changed)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Serve on a free port; yields the URL."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        web = Web(msgspec.structs.replace(settings, url=url, database_url=as_role("app", settings.database_url)))
        server = uvicorn.Server(
            uvicorn.Config(
                web.asgi,
                lifespan="on",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
                http=protocol(settings),
            )
        )
        task = asyncio.create_task(server.serve(sockets=[sock]))
        async with asyncio.timeout(60):
            while not server.started:
                assert not task.done(), "the web process did not start"
                await asyncio.sleep(0.01)
        try:
            yield url
        finally:
            web.drain()
            server.should_exit = True
            await task


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A served process with a seeded demo project and a client without cookies."""
    seeded = await seed(settings.database_url, portal_url="http://portal.example")
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Service(url=url, settings=settings, upload=seeded.upload_token, http=http)


async def token(conn: Connection, *, project: str = "demo", scopes: tuple[str, ...] = ("upload",)) -> str:
    return await create_token(conn, project=project, scopes=scopes, label=f"device {uuid4().hex[:6]}")


async def sign_in(
    served: Service, conn: Connection, *, role: Any = "operator", project: str = "demo"
) -> dict[str, str]:
    """A person's session: the headers of a page of ours, cookie included."""
    user, _ = await create_user(
        conn, email=f"{uuid4().hex[:8]}@example.com", name="Person", project=project, role=role, password=False
    )
    code = await create_link(conn, user)
    answer = await served.http.post("/api/session", json={"code": code})
    cookie = f"asbuilt={answer.cookies['asbuilt']}"
    me = (await served.http.get("/api/me", headers={"Cookie": cookie})).json()
    served.http.cookies.clear()
    return {"Cookie": cookie, "X-CSRF-Token": me["csrf"], "Content-Type": "application/json"}


def record(**changed: Any) -> dict[str, Any]:
    """A good pole record without photos; its three required shots are listed in `photos` of `with_photos`."""
    body: dict[str, Any] = {
        "id": str(uuid4()),
        "project": "demo",
        "form": "pole-replacement",
        "form_version": 1,
        "asset": f"P-1041-{uuid4().hex[:6]}",
        "crew": "Crew 7",
        "fields": {
            "work_order": "WO-48213",
            "district": "North",
            "crew_lead": "M. Okafor",
            "date_completed": "2026-11-20",
            "pole_height_ft": 45,
            "pole_class": "4",
            "pole_material": "Southern pine",
            "depth_m": 2.1,
            "earth_resistance_ohm": 12.5,
            "notes": "",
        },
        "position": {"lat": 44.4583, "lon": -93.1616, "h_accuracy_m": 4.0},
        "captured_at": "2025-11-20T15:04:05Z",
        "photos": [],
    }
    return body | changed


def listed(names: dict[str, str]) -> list[dict[str, str]]:
    """Manifest entries: photo name to shot."""
    return [{"name": name, "shot": shot} for name, shot in names.items()]


def multipart(body: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """Arguments of a multipart POST: the record first, then each file by its name."""
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
        ("record", (None, msgspec.json.encode(body), "application/json"))
    ]
    parts += [(name, (f"{name}.jpg", data, "image/jpeg")) for name, data in files.items()]
    return {"files": parts}


async def until(ask: Any, wanted: Any, *, within_s: float = 60) -> Any:
    """Ask again until the answer is wanted; for what has no event to wait for."""
    async with asyncio.timeout(within_s):
        while not wanted(answer := await ask()):
            await asyncio.sleep(0.02)
    return answer


def ids(answer: httpx.Response) -> tuple[UUID, UUID]:
    """Record and job of an upload's answer."""
    body = answer.json()
    return UUID(body["record_id"]), UUID(body["automation_job_id"])
