"""The header Idempotency-Key as real clients send it: bare or quoted, never for two contents, of one device."""

from __future__ import annotations

from typing import Any

import httpx

from sql import Connection
from tests.service import Service, multipart, record, token


async def post(served: Service, body: dict[str, Any], key: str, bearer: str = "") -> httpx.Response:
    headers = served.bearer(bearer or None) | {"Idempotency-Key": key}
    return await served.http.post("/api/mobile/records", headers=headers, **multipart(body, {}))


async def test_a_key_stands_for_one_content(served: Service, conn: Connection) -> None:
    body, other = record(), record()
    first = await post(served, body, "9f1c/key~1")
    # The draft quotes the key on the wire; most clients do not. It is the same key.
    again = await post(served, body, '"9f1c/key~1"')
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["idempotency-replayed"] == "true"
    for changed in (other, body | {"asset": "P-2"}):
        answer = await post(served, changed, "9f1c/key~1")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        assert answer.json()["retry"] == "never"
    assert await (await conn.execute("select count(*) from asbuilt_record")).fetchone() == (1,)
    # Another device may use the same key, and the other content another one.
    assert (await post(served, record(), "9f1c/key~1", await token(conn))).status_code == 201
    assert (await post(served, other, "key 2".replace(" ", "-"))).status_code == 201


async def test_a_key_that_is_none_is_refused_before_the_body_is_stored(served: Service, conn: Connection) -> None:
    for key in ("x" * 300, '""', "a b", '"a\tb"'):
        answer = await post(served, record(), key)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request"), key
    assert (await post(served, record(), "x" * 255)).status_code == 201
    assert await (await conn.execute("select count(*) from idempotency_key")).fetchone() == (1,)


async def test_a_key_is_forgotten_after_a_week(served: Service, conn: Connection) -> None:
    assert (await post(served, record(), "monday")).status_code == 201
    assert (await post(served, record(), "tuesday")).status_code == 201
    await conn.execute("update idempotency_key set at = now() - interval '8 days'")
    assert (await post(served, record(), "monday")).status_code == 201
    assert (await post(served, record(), "monday")).status_code == 422
    kept = await (await conn.execute("select key from idempotency_key where at > now() - interval '1 day'")).fetchall()
    assert kept == [("monday",)]


async def test_what_was_refused_leaves_no_key(served: Service, conn: Connection) -> None:
    body = record(project="other")
    assert (await post(served, body, "k")).status_code == 404
    assert (await post(served, body | {"project": "demo"}, "k")).status_code == 201
