"""Secrets of a kind that nobody else has go through everything; then everything that was written anywhere is read.

A canary may be found in the environment of the processes that need it, and nowhere else.
"""

from __future__ import annotations

import base64
import secrets as random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import msgspec
import pytest
from redis import Redis

from app.core import credentials
from app.core.settings import Settings
from app.core.vault import Vault, new_key
from app.local.seed import seed
from sql import Connection
from tests.faults.history import Log
from tests.faults.http import serve
from tests.machine import browser
from tests.service import listed, multipart, record, token, until, web_settings
from tests.unit.pictures import jpeg
from tests.unit.test_logs import documented
from tests.worker.asking import Asker
from tests.worker.plant import SHOTS
from tests.worker.processes import Child, child, web_process, worker_process
from tests.worker.rig import listening

DRIVERS = ["none", *([found] if (found := browser()) else [])]
BROWSERS_LATER = [pytest.param(driver, marks=[pytest.mark.slow] if driver != "none" else []) for driver in DRIVERS]
PERSONAL = ("M. Okafor", "WO-48213", "Crew 7", "P-1041", "44.4583")
"""What stands in the record: of a person, of the work, of a place."""
ALWAYS = {"time", "level", "logger", "event", "message", "request", "job", "queue_row", "attempt", "record", "run"}
LOCKED = """<!doctype html><title>Sign in</title><form method="post" action="/login">
<label for="u">User name</label><input id="u" name="user">
<label for="p">Password</label><input id="p" name="password" type="password" {}>
<button>Sign in</button></form>"""


class Canaries(msgspec.Struct, frozen=True, kw_only=True):
    password: str
    code: str
    automation_token: str
    secret_key: str
    metrics_token: str

    def forms(self) -> dict[str, set[bytes]]:
        """Every way in which each might have been written."""
        found = {}
        for name in self.__struct_fields__:
            plain = getattr(self, name).encode()
            encoded = base64.b64encode(plain).rstrip(b"=")
            found[name] = {plain, encoded, plain.hex().encode(), quote(plain, safe="").encode()}
            found[name].add(msgspec.json.encode(plain.decode())[1:-1])
        return found


class World(msgspec.Struct, kw_only=True):
    """Real processes under one set of canaries; `said` grows with each one's log."""

    settings: Settings
    canaries: Canaries
    conn: Connection
    folder: Path
    stack: AsyncExitStack
    upload: str = ""
    said: dict[str, Child] = {}
    answers: list[str] = []

    async def run(self, name: str, process: Any) -> Child:
        made: Child = await self.stack.enter_async_context(process)
        self.said[name] = made
        return made

    async def web(self) -> httpx.AsyncClient:
        web = await self.run("web", web_process(self.settings))
        self.settings = msgspec.structs.replace(self.settings, url=web.ready)
        self.upload = await token(self.conn, scopes=("upload", "read", "review", "operate"))
        headers = {"Authorization": f"Bearer {self.upload}"}
        client = httpx.AsyncClient(base_url=web.ready, headers=headers, timeout=30)
        return await self.stack.enter_async_context(client)

    async def ends(self, http: httpx.AsyncClient) -> tuple[UUID, str]:
        """A record's job, once it has come to an end or waits for a person."""
        files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        answer = await http.post("/api/mobile/records", **multipart(record(photos=listed(SHOTS)), files))
        job = UUID(answer.json()["automation_job_id"])
        return job, await self.reaches(http, job, "completed", "failed", "needs_input")

    async def reaches(self, http: httpx.AsyncClient, job: UUID, *states: str) -> str:
        async def state() -> str:
            return str((await http.get(f"/api/jobs/{job}")).json()["state"])

        return str(await until(state, lambda seen: seen in states))

    async def ask_everything(self, http: httpx.AsyncClient, job: UUID) -> None:
        """What the API and the stream say of a job."""
        record_id = (await http.get(f"/api/jobs/{job}")).json()["record_id"]
        for path in (f"/api/jobs/{job}", f"/api/jobs/{job}/attempts", f"/api/jobs/{job}/inputs",
                     f"/api/jobs/record/{record_id}", f"/api/records/{record_id}", f"/api/mobile/records/{record_id}"):  # fmt: skip
            self.answers.append((await http.get(path)).text)
        metrics = await http.get("/metrics", headers={"Authorization": f"Bearer {self.canaries.metrics_token}"})
        assert "asbuilt_attempts_recent{" in metrics.text
        # Nothing of a form, no name of a person, no id.
        assert not [text for text in (*PERSONAL, record_id, str(job)) if text in metrics.text]
        self.answers.append(metrics.text)
        async with http.stream("GET", "/api/events", params={"job": str(job)}, headers={"Last-Event-ID": ""}) as stream:
            async for line in stream.aiter_lines():
                self.answers.append(line)
                if str(job) in line:
                    break

    async def everything_written(self) -> dict[str, bytes]:
        """By where it stands: tables, cache, logs, files, answers."""
        written = {f"log of {name}": process.said.encode() for name, process in self.said.items()}
        written["answers"] = "\n".join(self.answers).encode()
        for table in await self._column(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ):
            rows = await self._column(f"select t::text from {table} as t")
            # A bytea shows as hex, and a text inside it would hide.
            written[f"table {table}"] = "\n".join(rows).encode()
        with Redis.from_url(self.settings.redis_url) as redis:
            for key in redis.scan_iter():
                written[f"redis {key!r}"] = repr(_read(redis, key)).encode()
        for path in self.folder.rglob("*"):
            if path.is_file():
                written[f"file {path.relative_to(self.folder)}"] = path.read_bytes()
        return written

    async def _column(self, query: Any) -> list[str]:
        return [row[0] or "" for row in await (await self.conn.execute(query)).fetchall()]

    async def nothing_is_found(self) -> None:
        written = await self.everything_written()
        assert len(written) > 20
        found = {
            (name, place)
            for name, forms in self.canaries.forms().items()
            for place, text in written.items()
            for form in forms
            if form in text
        }
        assert found == set()
        logs = {place: text for place, text in written.items() if place.startswith("log of ")}
        assert [(said, place) for said in PERSONAL for place, text in logs.items() if said.encode() in text] == []
        lines = [line for text in logs.values() for line in text.decode().splitlines() if line.startswith("{")]
        assert len(lines) > 20
        assert [line for line in lines if undocumented(msgspec.json.decode(line))] == []


def _read(redis: Redis, key: Any) -> object:
    match redis.type(key):
        case b"hash":
            return redis.hgetall(key)
        case b"stream":
            return redis.xrange(key)
        case b"set":
            return redis.smembers(key)
        case _:
            return redis.get(key)


@asynccontextmanager
async def world(
    database_url: str, redis_url: str, conn: Connection, folder: Path, **changed: Any
) -> AsyncIterator[World]:
    canaries = Canaries(
        password=f'pass-{random.token_hex(9)}&"é',
        code=str(random.randbelow(10**12) + 10**12),
        automation_token=f"auto-{random.token_hex(12)}",
        secret_key=new_key(),
        metrics_token=f"scrape-{random.token_hex(12)}",
    )
    accounts = folder / "accounts.toml"
    sealed = credentials.sealed(canaries.password, vault=Vault([canaries.secret_key]))
    entry = credentials.AccountEntry(user="contractor", password=sealed)
    credentials.put(accounts, portal="npl", label="default", account=entry)
    settings = web_settings(
        database_url,
        redis_url,
        folder,
        portal_port=0,
        runner_port=0,
        portal_log=folder / "portal.jsonl",
        runner_dir=folder / "runner",
        accounts=accounts,
        npl_password=canaries.password,
        automation_token=canaries.automation_token,
        secret_key=(canaries.secret_key,),
        metrics_token=canaries.metrics_token,
        retry_base_s=0.2,
        max_attempts=2,
        drain_s=30.0,
        automation_url="http://127.0.0.1:9",
        url="http://127.0.0.1:9",
    )
    settings = msgspec.structs.replace(settings, **changed)
    await seed(database_url, portal_url="http://portal.example")
    async with AsyncExitStack() as stack:
        yield World(settings=settings, canaries=canaries, conn=conn, folder=folder, stack=stack, said={}, answers=[])


def undocumented(line: dict[str, Any]) -> str:
    """What of a line is not as docs/logs.md has it."""
    event, page = line["event"], documented()
    if not line["logger"].startswith("asbuilt.") and line["level"] != "info":
        return ""  # another library's
    if event not in page:
        return f"no event {event}"
    return " ".join(line.keys() - page[event] - ALWAYS)


async def runs(world: World) -> httpx.AsyncClient:
    """Web, runner and worker, each a process of its own."""
    http = await world.web()
    runner = await world.run("runner", child(world.settings, "asbuilt", "runner"))
    world.settings = msgspec.structs.replace(world.settings, automation_url=runner.ready)
    await world.run("worker", worker_process(world.settings))
    return http


@pytest.mark.parametrize("driver", BROWSERS_LATER)
async def test_a_password_is_typed_into_the_portal_and_written_nowhere(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path, driver: str
) -> None:
    async with world(database_url, redis_url, conn, tmp_path, browser=driver) as made:
        portal = await made.run("portal", child(made.settings, "asbuilt", "portal"))
        async with httpx.AsyncClient() as http:
            await http.post(f"{portal.ready}/_demo/quirks", json={"think_min_s": 0, "think_max_s": 0})
        made.settings = msgspec.structs.replace(made.settings, portal_url=portal.ready)
        http = await runs(made)
        job, state = await made.ends(http)
        assert state == "completed", made.said["runner"].said
        await made.ask_everything(http, job)
        await made.nothing_is_found()


@pytest.mark.parametrize("manner", [pytest.param("disabled", marks=pytest.mark.slow), "refused"])
@pytest.mark.parametrize("driver", BROWSERS_LATER)
async def test_a_run_that_fails_over_its_password_does_not_say_it(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path, driver: str, manner: str
) -> None:
    """A field that cannot be filled has Playwright say what it would have typed; a portal may say it back."""
    typed: list[bytes] = []

    async def portal_page(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        said = b""
        if scope["method"] == "POST":
            typed.append(body)
            said = b"<ul role=alert><li data-field='password'>%b is not correct</li></ul>" % body
        page = said + LOCKED.format("disabled" if manner == "disabled" else "").encode()
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    async with (
        world(database_url, redis_url, conn, tmp_path, browser=driver, max_attempts=1) as made,
        listening(portal_page) as portal,
    ):
        made.settings = msgspec.structs.replace(made.settings, portal_url=portal)
        http = await runs(made)
        job, state = await made.ends(http)
        error = (await http.get(f"/api/jobs/{job}")).json()["error"]
        if manner == "refused":
            assert any(quote(made.canaries.password, safe="").encode() in body for body in typed), error
        elif driver != "none":
            assert (error["step"], "not found" in error["message"]) == ("sign_in", False), error
        assert state != "completed"
        await made.ask_everything(http, job)
        await made.nothing_is_found()


async def test_an_answer_goes_from_the_desk_to_the_run_and_is_written_nowhere(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    async with world(database_url, redis_url, conn, tmp_path) as made:
        service = Asker(Log(tmp_path / "effects.jsonl"))
        made.settings = msgspec.structs.replace(
            made.settings, automation_url=await made.stack.enter_async_context(serve(service))
        )
        http = await made.web()
        worker = await made.run("first worker", worker_process(made.settings))
        job, state = await made.ends(http)
        assert state == "needs_input"
        asked = (await http.get(f"/api/jobs/{job}/inputs")).json()["items"][0]["id"]
        # A worker that is told of the answer while it cannot reach anything, and one that uses it.
        refused = await http.post(f"/api/jobs/{job}/inputs/{asked}", json={"values": {"other": made.canaries.code}})
        assert refused.status_code == 400
        made.answers.append(refused.text)
        answer = await http.post(f"/api/jobs/{job}/inputs/{asked}", json={"values": {"code": made.canaries.code}})
        assert answer.status_code == 202, answer.text
        made.answers.append(answer.text)
        assert await made.reaches(http, job, "completed", "failed") == "completed", worker.said
        assert list(service.received.values()) == [[{"code": made.canaries.code}]]
        await made.ask_everything(http, job)
        await made.nothing_is_found()


async def test_the_search_finds_what_is_there(
    database_url: str, redis_url: str, conn: Connection, tmp_path: Path
) -> None:
    """The proof of the others: a canary that is put anywhere is found."""
    async with world(database_url, redis_url, conn, tmp_path) as made:
        await made.web()
        places = []
        (tmp_path / "runner").mkdir()
        (tmp_path / "runner" / "x").write_text(quote(made.canaries.password, safe=""))
        await conn.execute("update portal set name = %s", (made.canaries.automation_token,))
        await conn.execute("update form_def set title = %s", (base64.b64encode(made.canaries.code.encode()).decode(),))
        with Redis.from_url(redis_url) as redis:
            redis.hset("progress", "label", made.canaries.secret_key)
        for name, forms in made.canaries.forms().items():
            for place, text in (await made.everything_written()).items():
                if any(form in text for form in forms):
                    places.append((name, place.split()[0]))
        assert sorted(set(places)) == [
            ("automation_token", "table"), ("code", "table"), ("password", "file"), ("secret_key", "redis"),
        ]  # fmt: skip
