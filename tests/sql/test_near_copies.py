"""Pictures that look like one of another record: found behind the upload, once, on the later one, whatever order they came in."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import FORM, Device, claim, make_device, make_project, value

HASH = 0x0F1E_2D3C_4B5A_6978
"""A picture; flipped bits make one that looks the same."""


def flipped(*bits: int) -> int:
    """The picture but for these bits, as Postgres' bigint."""
    changed = HASH
    for bit in bits:
        changed ^= 1 << bit
    return changed - 2**64 if changed >= 2**63 else changed


async def phone(conn: Connection, **rules: Any) -> Device:
    device = await make_device(conn, await make_project(conn))
    await conn.execute("update form_def set rules = %s", [Jsonb(rules)])
    return device


async def upload(
    conn: Connection,
    device: Device,
    *hashes: int | None,
    data: str = "",
    fields: dict[str, Any] | None = None,
    **photo: Any,
) -> UUID:
    """A record with a photo for each hash; the bytes are its own unless said."""
    record = uuid4()
    photos = [
        {
            "name": f"pole-{n}",
            "shot": "pole",
            "kind": "photo",
            "received": True,
            "blob_sha256": hashlib.sha256((data or f"{record} {n}").encode()).hexdigest(),
            "size": 9,
            "type": "image/jpeg",
            "checks": "done",
            "dhash": dhash,
        }
        | photo
        for n, dhash in enumerate(hashes)
    ]
    await conn.execute(
        "select accept_record(%s, %s, %s, %s, '[]', sha256(%s), 3, 'device:test')",
        [
            device.project.id,
            device.id,
            Jsonb({"id": str(record), "form_key": FORM, "form_version": 1, "fields": fields or {}}),
            Jsonb(photos),
            record.bytes,
        ],
    )
    return record


async def compare(conn: Connection, most: int = 50) -> int:
    return int(await value(conn, "select compare_photos(%s::int)", most))


async def found(conn: Connection) -> list[tuple[UUID, str, str, Any]]:
    """Record, photo, the photo it looks like, and the bits."""
    rows = await conn.execute(
        "select record_id, photo, evidence ->> 'record' || '/' || (evidence ->> 'name'), evidence ->> 'bits' from defect"
        " where rule = 'photo-reused' order by at, id"
    )
    return [(row[0], row[1], row[2], row[3]) for row in await rows.fetchall()]


async def test_alike_is_found_once_on_the_later_one_and_holds_nothing(conn: Connection) -> None:
    device = await phone(conn)
    first = await upload(conn, device, flipped())
    later = await upload(conn, device, flipped(3, 17, 40, 63))
    before = await value(conn, "select seq from automation_job where record_id = %s", later)
    assert [await compare(conn), await compare(conn)] == [2, 0]
    assert await found(conn) == [(later, "pole-0", f"{first}/pole-0", "4")]
    said = await conn.execute(
        "select d.severity, d.message, d.evidence ->> 'reference' = r.external_ref from defect as d, asbuilt_record as r where r.id = %s",
        [first],
    )
    reference = await value(conn, "select external_ref from asbuilt_record where id = %s", first)
    assert await said.fetchone() == (
        "minor",
        f"Photo “pole” (pole-0) looks the same as one of record {reference}, as pole-0.",
        True,
    )
    job = await conn.execute("select state, seq from automation_job where record_id = %s", [later])
    assert await job.fetchone() == ("queued", before + 1), "open pages hear of it, and the job goes on"
    assert not await value(conn, "select count(*) from ops.doctor(0)")


@pytest.mark.parametrize("bits", [(0, 1, 2, 3), (12, 13, 25, 26), (51, 52, 62, 63), (6, 20, 33, 58)])
async def test_four_bits_anywhere_are_alike_and_five_are_not(conn: Connection, bits: tuple[int, ...]) -> None:
    device = await phone(conn)
    await upload(conn, device, flipped())
    await upload(conn, device, flipped(*bits, 44))
    await compare(conn)
    assert await found(conn) == []
    await conn.execute("truncate asbuilt_record cascade")
    first, later = await upload(conn, device, flipped()), await upload(conn, device, flipped(*bits))
    await compare(conn)
    assert await found(conn) == [(later, "pole-0", f"{first}/pole-0", "4")]


async def test_what_is_not_compared(conn: Connection) -> None:
    """Pictures without any drawing, signatures, other projects, the record itself, those replaced, and those sent back."""
    device = await phone(conn)
    first = await upload(conn, device, flipped(), flipped(1))
    await upload(conn, device, None, None)
    await upload(conn, device, flipped(), kind="signature")
    await upload(conn, await phone(conn), flipped())
    await upload(conn, device, flipped(2), fields={"supersedes": str(first)})
    await conn.execute("update asbuilt_record set review_state = 'rejected' where fields ? 'supersedes'")
    await compare(conn)
    assert await found(conn) == []
    assert await value(conn, "select count(*) from photo where not compared") == 3


async def test_the_nearest_is_named_and_each_later_one_has_its_own(conn: Connection) -> None:
    device = await phone(conn)
    far, near = await upload(conn, device, flipped(1, 2, 3)), await upload(conn, device, flipped(7))
    last = await upload(conn, device, flipped())
    while await compare(conn, 1):
        pass
    assert {(r, twin) for r, _, twin, _ in await found(conn)} == {(near, f"{far}/pole-0"), (last, f"{near}/pole-0")}


@pytest.mark.parametrize("same", [False, True])
async def test_one_that_commits_late_is_not_missed(database_url: str, conn: Connection, same: bool) -> None:
    """Its time is before that of the other, which was compared before it could be seen. So is the same photo, sent twice at once."""
    device = await phone(conn)
    async with await AsyncConnection.connect(database_url, autocommit=True) as slow:
        async with slow.transaction():
            early = await upload(slow, device, flipped(), data="the same" if same else "")
            # The bytes are new to both of them, so it waits for neither.
            other = asyncio.create_task(upload(conn, device, flipped(9), data="" if not same else "another"))
            late = await other
            assert await compare(conn) == 1
        if same:
            await conn.execute("update photo set blob_sha256 = sha256('the same') where record_id = %s", [late])
    assert await found(conn) == []
    assert await compare(conn) == 1
    assert await found(conn) == [(late, "pole-0", f"{early}/pole-0", None if same else "1")]
    assert await value(conn, "select severity from defect") == ("major" if same else "minor")


async def test_waived_stays_waived(conn: Connection) -> None:
    device = await phone(conn)
    await upload(conn, device, flipped())
    later = await upload(conn, device, flipped(1))
    await compare(conn)
    await conn.execute("select ops.waive(id, 'the same pole from the same place') from defect")
    await conn.execute("update photo set compared = false")
    await upload(conn, device, flipped(2))
    assert await compare(conn) == 3
    rows = await conn.execute("select status, count(*) from defect group by 1 order by 1")
    assert await rows.fetchall() == [("open", 1), ("waived", 1)]
    assert await value(conn, "select status from defect where record_id = %s", later) == "waived"


@pytest.mark.parametrize(
    ("rules", "severity"),
    [
        ({"severity": {"photo-reused": "off"}}, None),
        ({"severity": {"photo-reused": "blocker"}}, "major"),
        ({"severity": {"photo-reused": "info"}}, "info"),
        ({"photo_near_bits": 1}, None),
        ({"photo_near_bits": 2}, "minor"),
        ({"photo_near_bits": 64}, "minor"),
    ],
)
async def test_a_form_has_its_say(conn: Connection, rules: dict[str, Any], severity: str | None) -> None:
    device = await phone(conn, **rules)
    await upload(conn, device, flipped())
    await upload(conn, device, flipped(1, 40))
    assert await compare(conn) == 2
    assert await value(conn, "select severity from defect") == severity
    assert await value(conn, "select count(*) from automation_job where state = 'queued'") == 2


async def test_a_running_job_hears_of_it_and_one_that_submits_is_left_for_later(
    database_url: str, conn: Connection
) -> None:
    device = await phone(conn)
    await upload(conn, device, flipped())
    later = await upload(conn, device, flipped(1))
    job = await value(conn, "select id from automation_job where record_id = %s", later)
    attempt = await claim(conn, job)
    async with await AsyncConnection.connect(database_url, autocommit=True) as worker, worker.transaction():
        assert await value(worker, "select hold_commit(%s, %s::int, 30)", job, attempt)
        assert (await compare(conn), await found(conn)) == (1, [])
    assert await compare(conn) == 1
    assert [row[0] for row in await found(conn)] == [later]
    assert await value(conn, "select state from automation_job where id = %s", job) == "processing"


async def test_two_sweeps_at_once(database_url: str, conn: Connection) -> None:
    device = await phone(conn)
    records = [await upload(conn, device, flipped(n % 3)) for n in range(12)]
    conns = [await AsyncConnection.connect(database_url, autocommit=True) for _ in range(3)]

    async def sweeps(own: Connection) -> None:
        while await value(own, "select exists (select from photo where not compared)"):
            await compare(own, 2)

    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*map(sweeps, conns))
    finally:
        for each in conns:
            await each.close()
    seen = await found(conn)
    assert sorted(record for record, *_ in seen) == sorted(records[1:]), "each but the first, once"
    order = {str(record): n for n, record in enumerate(records)}
    assert all(order[twin.partition("/")[0]] < order[str(record)] for record, _, twin, _ in seen)


async def test_the_look_up_reads_the_bands(conn: Connection) -> None:
    device = await phone(conn)
    await upload(conn, device, flipped())
    await conn.execute("load 'auto_explain'")
    told: list[str] = []
    conn.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    await conn.execute(
        "select set_config(name, to_what, false) from (values ('auto_explain.log_min_duration', '0'),"
        " ('auto_explain.log_nested_statements', 'on'), ('client_min_messages', 'log'), ('enable_seqscan', 'off'))"
        " as v (name, to_what)"
    )
    await compare(conn)
    await conn.execute("reset client_min_messages")
    plans = "".join(told)
    assert "photo_bands" in plans and "photo_uncompared" in plans, plans
