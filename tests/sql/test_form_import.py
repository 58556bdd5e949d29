"""Storing imported forms: a version is never edited, the same content is never stored twice, and it is on record."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from app.core.errors import DatabaseUnavailable, ProjectUnknown
from app.intake.form_defs import FormDef, bundled
from app.intake.form_import import FormTaken, Stored, store_form
from sql import Connection

FORM = msgspec.structs.replace(bundled()[0], form_key="imported", version=3)


@pytest.fixture(autouse=True)
async def _project(conn: Connection) -> None:
    await conn.execute("insert into project (code, name) values ('demo', 'Demo')")


async def store(database_url: str, form: FormDef, *, fixed: bool, project: str = "demo") -> Stored:
    return await store_form(
        database_url, form, fixed_version=fixed, project=project, actor="command line", source="form.xlsx"
    )


async def versions(conn: Connection) -> list[int]:
    rows = await (await conn.execute("select version from form_def where form_key = 'imported' order by 1")).fetchall()
    return [version for (version,) in rows]


async def test_a_version_is_stored_once_and_never_over_another(database_url: str, conn: Connection) -> None:
    assert await store(database_url, FORM, fixed=True) == Stored(version=3, new=True)
    assert await store(database_url, FORM, fixed=True) == Stored(version=3, new=False)
    other = msgspec.structs.replace(FORM, title="Another title")
    with pytest.raises(FormTaken):
        await store(database_url, other, fixed=True)
    assert await versions(conn) == [3]
    row = await (
        await conn.execute(
            "select a.actor, a.action, a.reason, p.code, a.after from audit_event as a join project as p on p.id = a.project_id"
        )
    ).fetchall()
    assert row == [("command line", "form.import", "form.xlsx", "demo", {"form": "imported", "version": 3})]


async def test_without_a_version_new_content_is_the_next_one(database_url: str, conn: Connection) -> None:
    other = msgspec.structs.replace(FORM, title="Another title")
    stored = [await store(database_url, form, fixed=False) for form in (FORM, FORM, other, other, FORM)]
    assert [(each.version, each.new) for each in stored] == [(1, True), (1, False), (2, True), (2, False), (3, True)]
    assert await versions(conn) == [1, 2, 3]


async def test_two_imports_at_once_are_one_version(database_url: str, conn: Connection) -> None:
    stored = await asyncio.gather(*(store(database_url, FORM, fixed=False) for _ in range(4)))
    assert sorted(each.new for each in stored) == [False, False, False, True]
    assert await versions(conn) == [1]


async def test_an_unknown_project_stores_nothing(database_url: str, conn: Connection) -> None:
    with pytest.raises(ProjectUnknown):
        await store(database_url, FORM, fixed=True, project="nowhere")
    with pytest.raises(DatabaseUnavailable):
        await store("postgresql://127.0.0.1:1/none", FORM, fixed=True)
    assert await versions(conn) == []
