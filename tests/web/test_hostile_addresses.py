"""Addresses that a record, a header or a form carries: kept as text, and nobody is called (bad inputs 27 and 28)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio
from psycopg.types.json import Json

from tests.service import listed, multipart, record
from tests.unit.pictures import jpeg
from tests.web.hostile import JSON, POST, House

DOCS = Path(__file__).parent.parent.parent / "docs"

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Ear:
    """A port of this machine at which nobody should call."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.called = 0

    @property
    def addresses(self) -> list[str]:
        """Its own in several spellings, and others that only this machine or its cloud would answer."""
        hosts = ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "[::]")
        others = ("http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://127.0.0.1:5432/_x")
        return [*(f"http://{host}:{self.port}/x" for host in hosts), *others]


@pytest_asyncio.fixture(loop_scope="module")
async def ear() -> AsyncIterator[Ear]:
    """Whoever calls is answered, so that a second call would follow."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.called += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    heard = Ear(server.sockets[0].getsockname()[1])
    async with server:
        yield heard
        # One call of ours comes last, behind any that is still on its way: it hears.
        reader, writer = await asyncio.open_connection("127.0.0.1", heard.port)
        async with asyncio.timeout(60):
            await reader.read()
        writer.close()
        assert heard.called == 1, "somebody followed an address"


async def test_an_address_in_a_record_is_text(house: House, ear: Ear) -> None:
    names = {"whole": "full_pole", "tag": "tag", "base": "base"}
    for address in ear.addresses:
        plain = record(photos=listed(names))
        texts = {key: address for key, value in plain["fields"].items() if isinstance(value, str)}
        body = plain | {"asset": address, "crew": address, "fields": plain["fields"] | texts}
        headers = house.served.bearer() | {"Referer": address, "Origin": address, "X-Callback-Url": address}
        files = {name: jpeg(tags={0x010E: address, 0x8298: address}) for name in names}
        answer = await house.served.http.post(POST, headers=headers, **multipart(body, files))
        assert answer.status_code == 201, answer.text
        kept = await house.one(
            "select asset_key, crew, fields ->> 'notes' from asbuilt_record where id = %s", body["id"]
        )
        assert kept == (address, address, address)
        assert await house.stored(body["id"]) == (1, 1, 1, 1, 3)


async def test_a_form_refers_to_itself_only(house: House, ear: Ear) -> None:
    """A reference in its schema was once followed by whoever sent a record of the form, and waited for."""
    for keyword in ("$ref", "$dynamicRef"):
        for n, address in enumerate(ear.addresses):
            form = f"lead-{keyword[1:].lower()}-{n}"
            schema = {"type": "object", "properties": {"notes": {keyword: address}}}
            await house.conn.execute(
                "insert into form_def (form_key, version, title, schema) values (%s, 1, 'Lead', %s)",
                [form, Json(schema)],
            )
            body = record(form=form)
            async with asyncio.timeout(30):
                answer = await house.put(body)
            assert answer.status_code == 201, answer.text
            # It is not passed over in silence: the office reads that the form could not be checked.
            assert "rule-failed" in {defect["rule"] for defect in answer.json()["defects"]}
            assert await house.stored(body["id"]) == (1, 1, 1, 1, 0)


async def test_a_form_may_refer_to_itself(house: House) -> None:
    schema = {
        "type": "object",
        "$defs": {"depth": {"type": "number"}},
        "properties": {"depth_m": {"$ref": "#/$defs/depth"}},
    }
    await house.conn.execute(
        "insert into form_def (form_key, version, title, schema) values ('self', 1, 'Self', %s)", [Json(schema)]
    )
    answer = await house.put(record(form="self", fields={"depth_m": "deep"}))
    assert [defect["rule"] for defect in answer.json()["defects"]] == ["value-invalid"]


def _forged(body: bytes, *, age_s: float = 0) -> dict[str, str]:
    """What services that call back sign with, under a key that is not ours."""
    at = str(int(time.time() - age_s))
    digest = hmac.new(b"guess", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return JSON | {
        "X-Timestamp": at,
        "X-Nonce": "n-1",
        "X-Signature": f"sha256={digest}",
        "X-Hub-Signature-256": f"sha256={digest}",
        "X-Skyvern-Signature": digest,
        "Webhook-Signature": f"v1,{digest}",
    }


async def test_nobody_can_call_back(house: House) -> None:
    """Runs are followed from here; no address takes news of one, however it is signed, and none is ever given away."""
    for spoken in ("openapi.json", "automation-openapi.json"):
        assert not {b'"webhooks":', b'"callbacks":'} & set(re.findall(rb'"\w+":', (DOCS / spoken).read_bytes()))
    body = record(form="pole-replacement")
    job = UUID((await house.put(body)).json()["automation_job_id"])
    before = await house.census()
    news = msgspec.json.encode({"job_id": str(job), "run_id": str(uuid4()), "status": "succeeded", "attempt": 1})
    places = (
        "callback",
        "callbacks",
        "webhook",
        "webhooks",
        f"jobs/{job}",
        f"jobs/{job}/callback",
        f"jobs/{job}/events",
    )
    for place in places:
        for age_s in (0, 600, 0):
            for method in ("POST", "PUT", "PATCH"):
                answer = await house.served.http.request(
                    method, f"/api/{place}", content=news, headers=_forged(news, age_s=age_s)
                )
                assert answer.status_code in (401, 404, 405), (method, place, answer.text)
    assert await house.census() == before
    assert await house.one("select state, attempt from automation_job where id = %s", job) == ("held", 0)
