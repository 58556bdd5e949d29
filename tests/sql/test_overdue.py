"""Photos that were announced and never came: said once each, and the job is held until they come, are waived or taken off."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from sql import Connection
from tests.factories import BLOCKER, FORM, claim, complete, finish, make_device, make_project, value

WAITS = "select count(*) from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """A record that announced photos; its project and device."""

    conn: Connection
    record: UUID
    job: UUID
    project: UUID
    device: UUID

    async def older(self, hours: float) -> None:
        """As if record and corrections had come so much earlier."""
        by = f"make_interval(secs => {hours * 3600})"
        await self.conn.execute(
            f"update asbuilt_record set received_at = received_at - {by}, media_due_at = media_due_at - {by}"
            f" where id = '{self.record}'".encode()
        )
        await self.conn.execute(f"update record_revision set at = at - {by} where record_id = '{self.record}'".encode())

    async def sends(self, name: str, conn: Connection | None = None, **more: Any) -> str:
        data = f"{self.record} {name}".encode()
        row = {"name": name, "blob_sha256": hashlib.sha256(data).hexdigest(), "size": 9, "type": "image/jpeg"}
        return str(
            await value(
                conn or self.conn,
                "select accept_photo(%s, %s, %s, 'device:test')",
                self.record,
                Jsonb({"checks": "done"} | row | {k: v for k, v in more.items() if k != "defects"}),
                Jsonb(more.get("defects", [])),
            )
        )

    async def corrects(self, photos: list[str], expected: int = 1) -> str:
        return str(
            await value(
                self.conn,
                "select correct_record(%s, %s, %s::int, %s, %s, '[]', sha256(%s), 'device:test')",
                self.project,
                self.device,
                expected,
                Jsonb(document(self.record)),
                Jsonb(listed(photos)),
                f"{expected} {photos}".encode(),
            )
        )

    async def state(self) -> tuple[str, str | None]:
        found = await self.conn.execute("select state, wait_reason from automation_job where id = %s", [self.job])
        state, reason = await found.fetchone() or ("", None)
        return state, reason

    async def found(self) -> dict[str, str]:
        """The status of each finding by its photo; twice the same photo would be an error."""
        rows = await (
            await self.conn.execute(
                "select photo, status from defect where record_id = %s and rule = 'photo-not-received'", [self.record]
            )
        ).fetchall()
        assert len(rows) == len(dict(rows)), rows
        return dict(rows)

    async def waives(self, photo: str) -> None:
        await self.conn.execute(
            "select ops.waive(id, 'not needed') from defect where record_id = %s and photo = %s and status = 'open'",
            [self.record, photo],
        )

    async def well(self) -> bool:
        return not await value(self.conn, "select count(*) from ops.doctor(0) where rule <> 'P1'")


def document(record: UUID) -> dict[str, Any]:
    return {"id": str(record), "form_key": FORM, "form_version": 1, "fields": {}}


def listed(photos: list[str]) -> list[dict[str, str]]:
    return [{"name": name, "shot": "pole", "kind": "photo"} for name in photos]


async def announced(
    conn: Connection, *photos: str, defects: list[dict[str, Any]] | None = None, rules: dict[str, Any] | None = None
) -> Late:
    project = await make_project(conn)
    await conn.execute("update form_def set rules = %s", [Jsonb(rules or {})])
    device, record = await make_device(conn, project), uuid4()
    job = await value(
        conn,
        "select job_id from accept_record(%s, %s, %s, %s, %s, sha256(%s), 3, 'device:test')",
        project.id,
        device.id,
        Jsonb(document(record)),
        Jsonb(listed(list(photos or ("pole",)))),
        Jsonb(defects or []),
        record.bytes,
    )
    return Late(conn=conn, record=record, job=job, project=project.id, device=device.id)


async def overdue(conn: Connection, *photos: str, **more: Any) -> Late:
    late = await announced(conn, *photos, **more)
    await late.older(25)
    await sweep(conn)
    return late


async def sweep(conn: Connection) -> None:
    await conn.execute("select * from reconcile(45)")


async def test_after_a_day_and_not_before_it(conn: Connection) -> None:
    late = await announced(conn)
    assert await value(conn, "select media_due_at - received_at = interval '24 hours' from asbuilt_record")
    due = await value(conn, "select media_due_at from asbuilt_record")
    early = await value(conn, "select count(*) from reconcile_overdue(%s - interval '1 microsecond')", due)
    assert (early, await late.state()) == (0, ("awaiting_media", "media"))
    assert await value(conn, "select reconcile_overdue(%s)", due) == late.record
    assert (await late.state(), await late.found()) == (("held", "media_overdue"), {"pole": "open"})
    assert await value(conn, "select reconcile_overdue(%s)", due) is None


async def test_the_sweep_of_a_worker_says_it_once_with_what_it_rests_on(conn: Connection) -> None:
    late = await announced(conn, "pole", "tag")
    await late.older(23.9)
    await sweep(conn)
    assert await late.state() == ("awaiting_media", "media")
    await late.older(0.2)
    before = await value(conn, "select seq from automation_job")
    for _ in range(2):
        await sweep(conn)
    assert await late.found() == {"pole": "open", "tag": "open"}
    assert await late.state() == ("held", "media_overdue")
    assert await value(conn, "select seq from automation_job") == before + 1, "every page hears of it, once"
    said = await conn.execute("select severity, message, evidence - 'since' from defect where photo = 'tag'")
    assert await said.fetchone() == (
        "major",
        "Photo “pole” (tag) was announced and has not come for 24 h. Send it, or take it off the record.",
        {"name": "tag", "shot": "pole", "waited_h": 24.1},
    )
    assert await late.well()


async def test_a_form_sets_how_long_and_how_grave_or_switches_it_off(conn: Connection) -> None:
    quick = await announced(conn, rules={"photo_overdue_h": 0.5, "severity": {"photo-not-received": "minor"}})
    await quick.older(0.5)
    await sweep(conn)
    assert await quick.state() == ("held", "media_overdue")
    assert await value(conn, "select severity from defect where rule = 'photo-not-received'") == "minor"
    for rules in ({"severity": {"photo-not-received": "off"}}, {"photo_overdue_h": 1e30}):
        never = await announced(conn, rules=rules)
        await never.older(1e5)
        await sweep(conn)
        assert (await never.state(), await never.found()) == (("awaiting_media", "media"), {})


async def test_the_photo_that_comes_after_all_lets_the_job_go_on(conn: Connection) -> None:
    late = await overdue(conn, "pole", "tag")
    assert await late.sends("tag") == "stored"
    assert (await late.state(), await late.found()) == (("held", "media_overdue"), {"pole": "open", "tag": "fixed"})
    assert await late.sends("pole") == "stored"
    assert (await late.state(), await late.found()) == (("queued", None), {"pole": "fixed", "tag": "fixed"})
    assert await value(conn, "select array_agg(distinct by) from defect") == ["device:test"]
    assert await value(conn, "select media_state from asbuilt_record") == "complete"
    assert await late.well()
    attempt = await claim(conn, late.job)
    assert await complete(conn, late.job, attempt)


@pytest.mark.parametrize(
    ("held", "then"),
    [("blocker", ("held", "blocker")), ("hold", ("held", "hold")), ("checks", ("held", "checks_pending"))],
)
async def test_what_else_holds_it_holds_it_still(conn: Connection, held: str, then: tuple[str, str]) -> None:
    late = await overdue(conn, defects=BLOCKER if held == "blocker" else [])
    if held == "hold":
        await conn.execute("select ops.hold(%s, 'wait')", [late.job])
    await late.sends("pole", checks="deferred" if held == "checks" else "done")
    assert (await late.state(), await late.found()) == (then, {"pole": "fixed"})
    assert await late.well()


async def test_an_operators_hold_hears_of_it_and_the_release_waits_for_the_photos(conn: Connection) -> None:
    late = await announced(conn)
    await conn.execute("select ops.hold(%s, 'wait')", [late.job])
    await late.older(25)
    await sweep(conn)
    assert (await late.state(), await late.found()) == (("held", "hold"), {"pole": "open"})
    await conn.execute("select ops.release(%s, 'go on')", [late.job])
    assert await late.state() == ("held", "media_overdue")
    with pytest.raises(psycopg.Error) as refused:
        await conn.execute("select ops.release(%s, 'go on')", [late.job])
    assert refused.value.sqlstate == "AB409"
    assert "ops.waive each photo-not-received" in (refused.value.diag.message_hint or "")


async def test_waiving_all_of_them_lets_the_record_go_without(conn: Connection) -> None:
    late = await overdue(conn, "pole", "tag", "base")
    await late.sends("base")
    await late.waives("pole")
    assert await late.state() == ("held", "media_overdue")
    await late.waives("tag")
    assert await late.state() == ("queued", None)
    assert await value(conn, "select media_state from asbuilt_record") == "awaiting"
    assert await late.well()
    # A waived photo that comes before the run goes along.
    assert await late.sends("tag") == "stored"
    assert (await late.state(), await late.found()) == (
        ("queued", None),
        {"pole": "waived", "tag": "waived", "base": "fixed"},
    )
    attempt = await claim(conn, late.job)
    keyed = await value(
        conn,
        "select array_agg(name order by name) from photo where record_id = %s and blob_sha256 is not null",
        late.record,
    )
    assert keyed == ["base", "tag"]
    # One that comes while it runs is stored, and changes nothing about the run.
    assert await late.sends("pole", defects=[BLOCKER[0] | {"photo": "pole"}]) == "stored"
    assert await late.state() == ("processing", None)
    assert await complete(conn, late.job, attempt)
    await finish(conn, late.job, attempt)
    assert await late.well()


async def test_a_waived_photo_that_comes_with_a_blocker_holds_what_has_not_begun(conn: Connection) -> None:
    late = await overdue(conn)
    await late.waives("pole")
    assert await late.state() == ("queued", None)
    await late.sends("pole", defects=[BLOCKER[0] | {"photo": "pole"}])
    assert await late.state() == ("held", "blocker")
    assert await value(conn, "select count(*) from portal_slot where job_id is not null") == 0
    assert await late.well()


async def test_a_correction_takes_it_off_and_announces_it_again(conn: Connection) -> None:
    late = await overdue(conn, "pole", "tag")
    await late.waives("tag")
    assert await late.corrects(["tag"]) == "corrected"
    assert (await late.state(), await late.found()) == (("queued", None), {"pole": "fixed", "tag": "waived"})
    assert await late.corrects(["pole"], 2) == "corrected"
    assert (await late.state(), await late.found()) == (("awaiting_media", "media"), {"pole": "fixed", "tag": "fixed"})
    await sweep(conn)
    assert await late.state() == ("awaiting_media", "media"), "it counts from the correction"
    assert await late.corrects(["pole", "tag"], 3) == "corrected"
    await late.older(25)
    await sweep(conn)
    rows = await conn.execute("select photo, revision from defect where status = 'open' order by photo")
    assert await rows.fetchall() == [("pole", 4), ("tag", 4)], "a waiver of long ago is not for the photo of today"
    assert await late.state() == ("held", "media_overdue")
    assert await late.well()


async def test_a_correction_that_lists_it_still_waits_for_it_still(conn: Connection) -> None:
    late = await overdue(conn)
    assert await late.corrects(["pole", "tag"]) == "corrected"
    assert (await late.state(), await late.found()) == (("held", "media_overdue"), {"pole": "open"})
    await late.sends("pole")
    assert await late.state() == ("awaiting_media", "media"), "the new one has its day"
    await late.older(25)
    await sweep(conn)
    assert (await late.state(), await late.found()) == (("held", "media_overdue"), {"pole": "fixed", "tag": "open"})


async def test_a_job_that_a_person_cancelled_and_tries_again_waits_for_them(conn: Connection) -> None:
    late = await announced(conn)
    await conn.execute("select ops.cancel(%s, 'no')", [late.job])
    await late.older(25)
    await sweep(conn)
    assert (await late.state(), await late.found()) == (("cancelled", None), {"pole": "open"})
    await conn.execute("select ops.retry(%s, 'yes')", [late.job])
    assert await late.state() == ("held", "media_overdue")
    assert await late.well()


async def test_the_last_photo_before_the_sweep(database_url: str, conn: Connection) -> None:
    """The sweep waits for nobody: it passes over a record whose photo is being stored."""
    late = await announced(conn)
    await late.older(25)
    async with await AsyncConnection.connect(database_url, autocommit=True) as phone, phone.transaction():
        await late.sends("pole", phone)
        await sweep(conn)
    await sweep(conn)
    assert (await late.state(), await late.found()) == (("queued", None), {})


async def test_the_last_photo_after_the_sweep(database_url: str, conn: Connection) -> None:
    """The photo waits for the sweep's commit, then closes what it has not seen when it began."""
    late = await announced(conn)
    await late.older(25)
    async with (
        await AsyncConnection.connect(database_url, autocommit=True) as phone,
        await AsyncConnection.connect(database_url, autocommit=True) as worker,
    ):
        async with worker.transaction():
            await sweep(worker)
            sending = asyncio.create_task(late.sends("pole", phone))
            async with asyncio.timeout(60):
                while not await value(conn, WAITS, phone.info.backend_pid):
                    await asyncio.sleep(0.01)
        assert await sending == "stored"
    assert (await late.state(), await late.found()) == (("queued", None), {"pole": "fixed"})


async def test_sweeps_and_last_photos_at_once(database_url: str, conn: Connection) -> None:
    lates = [await announced(conn, "pole", "tag") for _ in range(6)]
    for late in lates:
        await late.older(25)
    conns = [await AsyncConnection.connect(database_url, autocommit=True) for _ in range(5)]
    try:

        async def sweeps(own: Connection) -> None:
            for _ in range(8):
                await own.execute("select * from reconcile_overdue()")

        async def sends(name: str, own: Connection) -> None:
            for late in lates:
                assert await late.sends(name, own) == "stored"

        async with asyncio.timeout(60):
            await asyncio.gather(sends("pole", conns[0]), sends("tag", conns[1]), *map(sweeps, conns[2:]))
    finally:
        for each in conns:
            await each.close()
    for late in lates:
        assert await late.state() == ("queued", None)
        assert set((await late.found()).values()) <= {"fixed"}
    assert not await value(conn, "select count(*) from asbuilt_record where media_due_at is not null")
    assert await lates[0].well()


async def test_two_workers_at_once_say_it_once(database_url: str, conn: Connection) -> None:
    lates = [await announced(conn, "pole", "tag") for _ in range(5)]
    for late in lates:
        await late.older(25)
    async with (
        await AsyncConnection.connect(database_url, autocommit=True) as one,
        await AsyncConnection.connect(database_url, autocommit=True) as two,
    ):
        async with asyncio.timeout(60):
            await asyncio.gather(*(c.execute("select * from reconcile_overdue()") for c in (one, two, one, two)))
    await conn.execute("select * from reconcile_overdue()")
    for late in lates:
        assert (await late.state(), await late.found()) == (("held", "media_overdue"), {"pole": "open", "tag": "open"})
    assert await value(conn, "select count(*) from job_event") == 2 * len(lates)


async def test_a_sweep_with_nothing_to_do_reads_an_index(conn: Connection) -> None:
    await conn.execute("set enable_seqscan = off")
    plan = await conn.execute(
        "explain select id from asbuilt_record where media_due_at <= clock_timestamp() order by media_due_at limit 200"
    )
    assert "asbuilt_record_media_due" in "".join(row[0] for row in await plan.fetchall())
