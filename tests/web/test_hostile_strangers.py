"""Callers who are not who they say, or ask for what is not theirs, and what they leave in the log (bad inputs 1, 2, 7, 25)."""

from __future__ import annotations

import io
import logging
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from app.core.logs import JsonFormatter
from tests.factories import make_record
from tests.service import record, serving, sign_in, token
from tests.web.hostile import JSON, POST, House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def spoilt(house: House, how: str) -> str:
    """A token that was good once, or never was."""
    secret = await token(house.conn)
    name = secret.split("_")[1]
    match how:
        case "of another id":
            return secret.replace(name, name[::-1])
        case "of another secret":
            return secret[:-1] + ("A" if secret[-1] != "A" else "B")
        case "cut":
            return secret[:20]
        case "longer":
            return secret + "A" * 5000
        case "revoked":
            await house.conn.execute("update access_token set revoked_at = now() where id = %s", [name])
        case "expired":
            await house.conn.execute(
                "update access_token set expires_at = now() - interval '1 s' where id = %s", [name]
            )
        case "of a disabled device":
            await house.conn.execute(
                "update device set disabled_at = now() where id = (select device_id from access_token where id = %s)",
                [name],
            )
    return secret


TOKENS = ["of another id", "of another secret", "cut", "longer", "revoked", "expired", "of a disabled device"]


@pytest.mark.parametrize("how", TOKENS)
async def test_no_bad_token_is_told_what_is_bad_about_it(house: House, how: str) -> None:
    secret = await spoilt(house, how)
    none = await house.served.http.put(f"{POST}/{uuid4()}", headers=JSON, content=b"{}")
    headers = {"Authorization": f"Bearer {secret}"}
    problem = await house.refused(house.put(record(), **headers), 401, "unauthorised")
    assert problem | {"instance": ""} == none.json() | {"instance": ""}
    assert none.headers["www-authenticate"] == "Bearer"


def filled(path: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


async def test_what_is_anothers_is_answered_as_what_is_not_there(house: House) -> None:
    """Every route with every method: no status, no word and no header tells the one from the other."""
    theirs = await make_record(house.conn)
    own = {"key": "pole-replacement", "version": 1, "name": "tag"}
    foreign = own | {
        "job_id": theirs.job_id, "record_id": theirs.record_id, "project": theirs.project.code,         "input_id": uuid4(), "artifact_id": uuid4(), "upload": uuid4(),
    }  # fmt: skip
    absent = {name: value if name in own else uuid4() for name, value in foreign.items()}
    device = {"Authorization": f"Bearer {await token(house.conn, scopes=('upload', 'read', 'operate'))}"} | JSON
    person = await sign_in(house.served, house.conn)
    schema = (await house.served.http.get("/api/schema/openapi.json", headers=device)).json()
    absences = 0
    for path, methods in schema["paths"].items():
        if "_id}" not in path and "{project}" not in path:
            continue
        for method, operation in methods.items():
            for caller in (device, person):
                answers = [
                    await house.served.http.request(
                        method.upper(), filled(path, ids), headers=caller, content=body(operation, ids)
                    )
                    for ids in (foreign, absent)
                ]
                same(f"{method} {path}", *answers)
                absences += answers[0].status_code == 404
    assert absences > 30, "hardly anything was asked for as its owner would"


def body(operation: dict[str, Any], ids: dict[str, Any]) -> bytes:
    """What the route takes for a thing of one's own: its documented example, about this record."""
    content = operation.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example", {})
    # Under a project of theirs: in one's own, an id that another has taken is a conflict, and cannot be anything else.
    theirs = {"id": str(ids["record_id"]), "project": str(ids["project"])}
    return msgspec.json.encode(example | (theirs if "id" in example else {}))


def same(what: str, foreign: httpx.Response, absent: httpx.Response) -> None:
    assert foreign.status_code == absent.status_code, f"{what}: {foreign.text} {absent.text}"
    assert 400 <= foreign.status_code < 500, f"{what}: {foreign.status_code} {foreign.text}"
    blank = {"instance": "", "detail": ""}
    assert foreign.json() | blank == absent.json() | blank, what
    for answer in (foreign, absent):
        for name in ("date", "x-request-id", "content-length"):
            answer.headers.pop(name, None)
    assert foreign.headers == absent.headers, what


@pytest.mark.parametrize("allowed", [(), ("https://office.example",)])
async def test_another_site_is_not_told_that_it_may(house: House, allowed: tuple[str, ...]) -> None:
    settings = msgspec.structs.replace(house.served.settings, cors_origins=allowed)
    evil = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    async with serving(settings) as url, httpx.AsyncClient(base_url=url) as http:
        for answer in (
            await http.options("/api/jobs/retry", headers=evil),
            await http.get("/api/stats", headers=house.served.bearer() | {"Origin": evil["Origin"]}),
        ):
            assert "access-control-allow-origin" not in answer.headers, answer.headers


async def test_nothing_sent_writes_a_line_of_its_own_into_the_log(house: House) -> None:
    forged = '\r\n{"event": "forged", "level": "info"}\r\n'
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("asbuilt")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        await house.served.http.get(f"/api/jobs/{httpx.QueryParams({'x': forged})}", headers=house.served.bearer())
        quoted = forged.replace("\r", "%0D").replace("\n", "%0A").replace(" ", "%20").replace('"', "%22")
        await house.served.http.get(f"/api/jobs/{quoted}", headers=house.served.bearer())
        await house.put(record(crew=forged[:100], fields={"notes": forged}))
        logging.getLogger("asbuilt.test").warning("a portal said %s", forged, extra={"event": "x", "said": forged})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    lines = said.getvalue().splitlines()
    events = [msgspec.json.decode(line)["event"] for line in lines]
    assert events == ["http.request"] * 3 + ["x"], lines
    assert house.served.upload not in said.getvalue()
