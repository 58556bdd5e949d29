"""What is kept how long are rows that people change: within bounds, with a reason and on record; the page says what they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from sql import Connection
from tests.factories import make_record, value
from tests.logins import as_role
from tests.sql.test_retention import age, due, retain, row


async def test_a_policy_is_changed_with_a_reason_and_on_record(conn: Connection) -> None:
    await make_record(conn, state="completed")
    await age(conn, "2 hours")
    async with conn.transaction(force_rollback=True):
        assert (
            await value(conn, "select ops.set_retention('queue row', '1 hour', 'the disk is full', 'completed')") == 1
        )
        act = await row(conn, "select actor = session_user, action, reason, before ->> 'keep', after from audit_event order by id desc limit 1")  # fmt: skip
        assert act is not None
        assert act[:4] == (True, "retention.set", "the disk is full", "24:00:00")
        assert act[4] == {"what": "queue row", "outcome": "completed", "keep": "01:00:00", "enabled": True}
        assert await due(conn, "queue row", "completed") == 1
        assert await value(conn, "select ops.set_retention('queue row', null, 'an audit')") == 2
        assert await retain(conn, "queue row", "completed") == 0, "null keeps for ever"
        # A plain UPDATE is on record, too.
        await conn.execute("update retention set enabled = true, keep = '0' where outcome = 'completed'")
        assert await value(conn, "select after ->> 'keep' from audit_event order by id desc limit 1") == "00:00:00"
        assert await retain(conn, "queue row", "completed") == 1


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("ops.set_retention('queue row', '1 day', ' ')", "AB422"),
        ("ops.set_retention('queue row', '-1 day', 'why')", "AB422"),
        ("ops.set_retention('queue row', '1001 years', 'why')", "AB422"),
        ("ops.set_retention('file', '29 min', 'why')", "AB422"),
        ("ops.set_retention('audit', '0', 'why')", "AB422"),
        ("ops.set_retention('audit', '359 days', 'why')", "AB422"),
        ("ops.set_retention('record', '1 day', 'why')", "AB404"),
    ],
)
async def test_what_cannot_be_set_is_said(database_url: str, call: str, code: str) -> None:
    async with await AsyncConnection.connect(as_role("operator", database_url), autocommit=True) as own:
        with pytest.raises(psycopg.Error) as refused:
            await own.execute(f"select {call}".encode())
    assert refused.value.sqlstate == code
    assert refused.value.diag.message_hint


@pytest.mark.parametrize(
    ("what", "keep"), [("file", "29 min"), ("audit", "0"), ("audit", "359 days"), ("queue row", "1001 years")]
)
async def test_an_update_has_the_same_bounds(database_url: str, what: str, keep: str) -> None:
    """An operator may shorten everything but the record of who shortened it, and makes no look at what is due fail."""
    async with await AsyncConnection.connect(as_role("operator", database_url), autocommit=True) as own:
        with pytest.raises(psycopg.errors.CheckViolation, match=r"retention_(of|has)_"):
            await own.execute("update retention set keep = %s where what = %s", [keep, what])
        async with own.transaction(force_rollback=True):
            await own.execute("update retention set keep = '1 year' where what = 'audit'")
            await own.execute("update retention set keep = '1000 years' where what <> 'audit'")
            assert await value(own, "select sum(due) from ops.retention") == 0


async def test_every_policy_is_one_that_somebody_goes_by(conn: Connection) -> None:
    policies = await (
        await conn.execute("select what, outcome from retention where what not in ('file', 'upload')")
    ).fetchall()
    for what, outcome in policies:
        assert await retain(conn, what, outcome) == 0
    assert await value(conn, "select bool_and(due = 0) from ops.retention where what <> 'file'") is True
    assert await value(conn, "select count(*) from retention where what in ('file', 'upload')") == 2


PAGE = Path(__file__).parent.parent.parent / "docs" / "retention.md"
TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"


async def test_the_page_names_every_table_and_what_bounds_it(conn: Connection) -> None:
    """A new table that nobody thought about is one that grows until the disk is full."""
    bounded = PAGE.read_text(encoding="utf-8").split("| table | bounded by |")[1].split("| elsewhere | bounded by |")[0]
    listed = [
        name
        for line in bounded.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    ]
    tables = {name for (name,) in await (await conn.execute(TABLES)).fetchall()}
    assert tables - set(listed) == set(), "say on docs/retention.md what bounds it"
    assert len(listed) == len(set(listed))
    assert set(listed) <= tables


async def test_the_page_has_the_policies_as_they_are(conn: Connection) -> None:
    said = re.findall(r"^\| (?:`([\w -]+)`)? *\| `(\w+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    policies: set[tuple[Any, ...]] = set()
    what = ""
    for name, outcome, keep in said:
        what = name or what
        policies.add((what, outcome, await value(conn, "select %s::interval", keep)))
    assert policies == set(await (await conn.execute("select what, outcome, keep from retention")).fetchall())
