"""The upload's transaction is all or nothing, wherever its connection dies."""

from __future__ import annotations

import asyncio

import pytest
from psycopg import AsyncConnection

from sql import Connection
from tests.service import Service, listed, multipart, record, until
from tests.unit.pictures import jpeg

TABLES = (
    "asbuilt_record",
    "record_revision",
    "blob",
    "photo",
    "defect",
    "procrastinate_jobs",
    "automation_job",
    "job_event",
    "audit_event",
)  # in the order the transaction comes to them
POST = "/api/mobile/records"
STORED = "select (select count(*) from asbuilt_record), (select count(*) from automation_job), (select count(*) from procrastinate_jobs)"
WAITING = """
    select l.pid from pg_locks as l join pg_stat_activity as a on a.pid = l.pid
     where not l.granted and a.application_name = 'asbuilt-web' and l.relation = %s::regclass
"""


async def stored(conn: Connection) -> tuple[int, ...]:
    return tuple(await (await conn.execute(STORED)).fetchone() or ())


@pytest.mark.parametrize("table", TABLES)
async def test_a_connection_that_dies_in_the_transaction_leaves_nothing(
    served: Service, conn: Connection, database_url: str, table: str
) -> None:
    """The upload is stopped at a table by a lock on it, its backend is ended there, and the phone sends it again."""
    body = record(fields={}, photos=listed({"tag": "tag"}))  # without fields, so that there are defects
    upload = multipart(body, {"tag": jpeg()})
    async with await AsyncConnection.connect(database_url) as blocker:
        await blocker.execute(f"lock table {table} in share mode")
        sent = asyncio.create_task(served.http.post(POST, headers=served.bearer(), **upload))

        async def waiting() -> list[tuple[int]]:
            return await (await conn.execute(WAITING, [table])).fetchall()

        (pid,) = (await until(waiting, bool))[0]
        await conn.execute("select pg_terminate_backend(%s)", [pid])
        answer = await sent
    assert answer.status_code == 503
    assert (answer.json()["code"], answer.json()["retry"]) == ("database-unavailable", "after")
    assert "retry-after" in answer.headers
    assert await stored(conn) == (0, 0, 0)
    again = await until(
        lambda: served.http.post(POST, headers=served.bearer(), **upload), lambda answer: answer.status_code != 503
    )
    assert again.status_code == 201
    assert await stored(conn) == (1, 1, 1)


async def test_a_client_that_hangs_up_in_mid_body_leaves_nothing(served: Service, conn: Connection) -> None:
    request = served.http.build_request(
        "POST", POST, headers=served.bearer(), **multipart(record(photos=listed({"tag": "tag"})), {"tag": jpeg()})
    )
    whole = request.read()
    for part in (1, 2, 3):
        _, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rsplit(":", 1)[1]))
        head = f"POST {POST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.upload}\r\n"
        head += f"Content-Type: {request.headers['content-type']}\r\nContent-Length: {len(whole)}\r\n\r\n"
        writer.write(head.encode() + whole[: len(whole) * part // 4])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def incoming() -> list[str]:
        return [path.name for path in (served.settings.blobs / "incoming").glob("*")]

    await until(incoming, lambda names: names == [])
    assert await stored(conn) == (0, 0, 0)
