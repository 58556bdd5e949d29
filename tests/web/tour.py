"""A walk through the whole API on a real service: what it was sent and what it answered, by operation.

`python -m tests.web.tour app/core/openapi_examples.json` keeps them as the examples of the description.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from app import openapi
from app.core.access import create_user
from app.core.cache import Progress
from app.local import postgres, valkey
from sql import Connection
from sql.migrate import migrate
from tests.factories import claim, finish, make_record, value
from tests.logins import make_logins
from tests.service import Service, listed, multipart, record, service, sign_in, web_settings
from tests.unit.pictures import jpeg
from tests.web.test_jobs import demo_device

Json = dict[str, Any]
SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
QUESTION = {
    "kind": "choice",
    "prompt": "Which work order does the portal's list mean?",
    "fields": [{"key": "order", "label": "Work order", "type": "choice", "options": ["WO-48213", "WO-48213-B"]}],
    "run_input_id": "q1",
    "expires_at": "2099-01-01T00:00:00Z",
}


_JSON = ("application/json", "application/problem+json")
"""Bodies with a shape of their own; GeoJSON is a file."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One call: its operation, and both bodies, if they are JSON."""

    operation: str
    status: int
    request: Any
    answer: Any


class Description:
    """The description of the API as its readers use it: by operation, with what answers must look like."""

    @cached_property
    def document(self) -> Json:
        made: Json = msgspec.json.decode(openapi.text())
        return made

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method, path, operation

    def find(self, method: str, path: str) -> Json:
        """The operation of a real request; words before placeholders, as a router has it."""
        for known, template, operation in sorted(self.operations(), key=lambda each: each[1].count("{")):
            if known == method.lower() and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return operation
        raise AssertionError(f"{method} {path} is not described")

    def answers_json(self, operation: Json) -> bool:
        """Whether a success of it has a body of JSON."""
        successes = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
        return any("application/json" in answer.get("content", {}) for answer in successes)

    def schema(self, operation: Json, status: int) -> Json | None:
        """What a JSON answer of this status is; None for one without JSON. Raises `KeyError` for an undocumented one."""
        for media, content in operation["responses"][str(status)].get("content", {}).items():
            if media in _JSON:
                return {**content["schema"], "components": self.document["components"]}
        return None


class Tour:
    """Calls, and keeps what it saw."""

    def __init__(self, served: Service, conn: Connection, description: Description) -> None:
        self.served = served
        self.conn = conn
        self.description = description
        self.seen: list[Seen] = []

    async def call(self, method: str, path: str, *, shown: Any = None, expect: int = 0, **sent: Any) -> httpx.Response:
        """`shown`: the body as the description shows it, where that is not what is sent."""
        answer = await self.served.http.request(method, path, **sent)
        assert not expect or answer.status_code == expect, (method, path, answer.text)
        operation = self.description.find(method, path.partition("?")[0])
        told = answer.headers.get("content-type", "").partition(";")[0]
        body = answer.json() if told in _JSON else None
        self.seen.append(
            Seen(
                operation=operation["operationId"],
                status=answer.status_code,
                request=shown or sent.get("json"),
                answer=body,
            )
        )
        return answer

    async def walk(self) -> None:
        """Every operation once or more."""
        await self.phone()
        person = await sign_in(self.served, self.conn, role="admin")
        await self.office(person)
        await self.jobs(person)
        await self.operations(person)
        await self.questions(person)
        await self.access(person)

    async def phone(self) -> None:
        bearer = self.served.bearer()
        photos = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        body = record(asset="P-1041", photos=listed(SHOTS))
        for status in (201, 200):
            sent = multipart(body, photos)
            await self.call("POST", "/api/mobile/records", headers=bearer, shown=body, expect=status, **sent)
        later = record(photos=listed(SHOTS), fields={"work_order": "WO-48213"})
        url = f"/api/mobile/records/{later['id']}"
        for status in (201, 200):
            await self.call("PUT", url, headers=bearer, json=later, expect=status)
        for status in (201, 200):
            await self.call("PUT", f"{url}/photos/tag", headers=bearer, content=photos["tag"], expect=status)
        for path in (
            url,
            *(f"/api/mobile/{read}" for read in ("forms", "forms/pole-replacement/1", "inbox", "limits")),
        ):
            answer = await self.call("GET", path, headers=bearer, expect=200)
            await self.call("GET", path, headers=bearer | {"If-None-Match": answer.headers["etag"]}, expect=304)

    async def office(self, person: dict[str, str]) -> None:
        found = await self.call("GET", "/api/records?project=demo&q=crew", headers=person, expect=200)
        await self.call("GET", "/api/records/count?state=queued&state=awaiting_media", headers=person, expect=200)
        for path in ("records.csv?bom=true", "records.geojson", "photos.zip"):
            await self.call("GET", f"/api/exports/{path}", headers=person, expect=200)
        record_id = found.json()["items"][-1]["id"]
        await self.call("GET", f"/api/records/{record_id}", headers=person, expect=200)
        sent_back = {"decision": "has_issues", "note": "The tag cannot be read: take it again, closer."}
        approved = {"decision": "approved", "note": "It can be read, on the second look."}
        for version, decision, status in ((1, sent_back, 200), (1, sent_back, 412), (2, approved, 200)):
            match = person | {"If-Match": f'"{version}"'}
            await self.call("POST", f"/api/records/{record_id}/review", headers=match, json=decision, expect=status)
        await self.call("GET", f"/api/records/{record_id}/photos/tag?w=320", headers=person, expect=200)
        said = {"text": "Called the crew: they are on site until four."}
        await self.call("POST", f"/api/records/{record_id}/comments", headers=person, json=said, expect=201)
        for path in ("comments", "revisions", "diff?from=1&to=1"):
            await self.call("GET", f"/api/records/{record_id}/{path}", headers=person, expect=200)
        later = await value(self.conn, "select id from asbuilt_record where id <> %s", record_id)
        defect = await value(self.conn, "select id from defect where record_id = %s limit 1", later)
        reason = {"reason": "the pole has no work order; the office knows"}
        await self.call("POST", f"/api/records/{later}/defects/{defect}/waive", headers=person, json=reason, expect=200)
        await self.call("GET", "/api/stats?project=demo", headers=person, expect=200)
        await self.call("GET", "/api/portals", headers=person, expect=200)
        for act in ("pause", "resume"):
            reason = {"reason": "the portal is down for maintenance" if act == "pause" else "it is back"}
            await self.call("POST", f"/api/portals/npl/{act}", headers=person, json=reason, expect=202)
        limit = {"max_runs": 6, "starts_per_minute": 12, "reason": "they allow six sessions now"}
        await self.call("POST", "/api/portals/npl/limit", headers=person, json=limit, expect=202)

    async def jobs(self, person: dict[str, str]) -> None:
        job = await value(self.conn, "select id from automation_job where state = 'queued'")
        for act in ("hold", "release", "cancel", "retry"):
            reason = {"reason": f"{act}: the crew called"}
            await self.call("POST", f"/api/jobs/{job}/{act}", headers=person, json=reason, expect=202)
        for act in ("hold", "release"):
            body = {"action": act, "jobs": [str(job)], "reason": "the whole street waits for its survey"}
            await self.call("POST", "/api/jobs/bulk", headers=person, json=body, expect=200)
        attempt = await claim(self.conn, job)
        await self.conn.execute(
            "insert into automation_step values (%s, %s, 'job', 2, 5, 'Job', 'confirmed', '{}', now(), now())",
            [job, attempt],
        )
        record_id = await value(self.conn, "select record_id from automation_job where id = %s", job)
        progress = Progress(
            job_id=job,
            record_id=record_id,
            attempt=attempt,
            percent=40,
            step="job",
            step_index=2,
            step_total=5,
            label="Job",
            message="Filling in the work order",
            at="2026-11-24T10:13:55Z",
        )
        await self.conn.execute("update automation_attempt set progress = %s", [Jsonb(msgspec.to_builtins(progress))])
        await self.call("GET", f"/api/jobs/{job}", headers=person, expect=200)
        for path in ("attempts", "pace"):
            await self.call("GET", f"/api/jobs/{job}/{path}", headers=person, expect=200)
        await self.call("GET", f"/api/jobs/record/{record_id}", headers=person, expect=200)
        await self.call("GET", "/api/jobs/project/demo?state=processing", headers=person, expect=200)
        unknown = await make_record(self.conn, state="needs_input", device=await demo_device(self.conn))
        outcome = {"submitted": True, "confirmation": "NPL-2026-000101", "reason": "seen at the portal"}
        await self.call("POST", f"/api/jobs/{unknown.job_id}/outcome", headers=person, json=outcome, expect=200)
        again = {"reason": "the customer deleted the entry", "confirmation": "NPL-2026-000101"}
        await self.call("POST", f"/api/jobs/{unknown.job_id}/run-again", headers=person, json=again, expect=202)

    async def operations(self, person: dict[str, str]) -> None:
        await make_record(self.conn, state="failed", device=await demo_device(self.conn))
        await self.call("GET", "/api/operations/backlog?project=demo", headers=person, expect=200)
        groups = await self.call("GET", "/api/operations/failures?project=demo", headers=person, expect=200)
        cause = groups.json()["items"][0]["cause"]
        url = f"/api/operations/failures/{cause['portal']}/{cause['fingerprint']}/jobs"
        await self.call("GET", url, headers=person, expect=200)
        await make_record(self.conn, state="needs_input", device=await demo_device(self.conn))
        await self.conn.execute(
            "insert into worker (name, version, places, beat_s) values ('worker-1', '0.1.0', 4, 10)"
        )
        for read in ("workers", "throughput?window=hour", "questions", "audit?limit=1"):
            await self.call("GET", f"/api/operations/{read}", headers=person, expect=200)

    async def questions(self, person: dict[str, str]) -> None:
        made = await make_record(self.conn, state="processing", device=await demo_device(self.conn))
        asked = await value(self.conn, "select settle_asked(%s, 1, %s, null)", made.job_id, Jsonb(QUESTION))
        assert asked
        await finish(self.conn, made.job_id, 1)
        listing = await self.call("GET", f"/api/jobs/{made.job_id}/inputs", headers=person, expect=200)
        url = f"/api/jobs/{made.job_id}/inputs/{listing.json()['items'][0]['id']}"
        body = {"values": {"order": "WO-48213"}, "reason": "the other one is closed"}
        await self.call("POST", url, headers=person, json=body, expect=202)

    async def access(self, person: dict[str, str]) -> None:
        await self.call("GET", "/health/live", expect=200)
        await self.call("GET", "/health/ready", expect=200)
        await self.call("GET", "/api/me", headers=person, expect=200)
        user, password = await create_user(
            self.conn, email="reviewer@example.com", name="R. Osei", project="demo", role="reviewer"
        )
        assert user
        given = {"email": "reviewer@example.com", "password": password}
        shown = given | {"password": "correct horse battery"}
        await self.call("POST", "/api/session", json=given, shown=shown, expect=200)
        self.served.http.cookies.clear()
        await self.call("POST", "/api/session", json={"email": "crew@example.com", "password": "no"}, expect=401)
        await self.call("DELETE", "/api/session", headers=person, expect=204)


def examples(seen: list[Seen]) -> Json:
    """What was seen, with made-up ids and times, so that the next walk writes the same."""
    found: Json = {}
    for call in seen:
        entry = found.setdefault(call.operation, {"answers": {}})
        if call.request is not None:
            entry.setdefault("request", call.request)
        if call.answer is not None and call.status < 300:
            entry["answers"].setdefault(str(call.status), call.answer)
    return dict(sorted(_tamed(found).items()))


def _tamed(tree: Any) -> Any:
    text = msgspec.json.encode(tree).decode()
    names: dict[str, str] = {}
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    text = re.sub(uuid, lambda hit: names.setdefault(hit[0], f"0199c3f2-6f6e-7c1a-9a53-{len(names):012x}"), text)
    text = re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)", "2026-11-24T10:13:55Z", text)
    text = re.sub(r"AB-[0-9A-Z]{10}", "AB-7F3K2Q9XZ0", text)
    text = re.sub(r'"ms":[\d.]+', '"ms":1.2', text)
    text = re.sub(r"[0-9a-f]{8}@example.com", "person@example.com", text)
    text = re.sub(r"(device|phone) [0-9a-f]{6}", "phone 7", text)
    return msgspec.json.decode(re.sub(r'"csrf":"[^"]+"', '"csrf":"Pp0V3qk9"', text))


async def main() -> bytes:
    """The examples, as they are written to a file."""
    with tempfile.TemporaryDirectory(prefix="tour-") as folder, postgres.server(Path(folder) / "pg") as url:
        await migrate(url)
        make_logins(url)
        with valkey.server(Path(folder) / "valkey") as redis:
            async with (
                await AsyncConnection.connect(url, autocommit=True) as conn,
                service(web_settings(url, redis, Path(folder))) as served,
            ):
                tour = Tour(served, conn, Description())
                await tour.walk()
    return msgspec.json.format(msgspec.json.encode(examples(tour.seen)), indent=1) + b"\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(asyncio.run(main()))
