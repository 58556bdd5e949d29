"""SQL on the pages is typed into the real psql, as an operator or, where the page says so, as the owner."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from sql import Connection
from tests.factories import Project, State, make_device, make_project, make_record, value
from tests.reference.places import DOCS
from tests.sql.psql import psql

_BLOCK = re.compile(r"(<!-- as the owner -->\n)?^ *```sql\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ACT = re.compile(r"\bops\.(?:hold|cancel|retry|set_\w+|\w+_portal|require_\w+|review)\(")
ELSEWHERE = {
    "repair-in-sql.md": "tests/sql/test_night.py",
    "pooler.md": "tests/faults/test_pooler.py",
    "roles.md": "roles are of a whole cluster, and no test's own: tests/logins.py makes such",
}
STATES: dict[str, State] = {"operations.md": "failed", "edits-by-hand.md": "failed"}
"""What the record of a page is in; elsewhere it is queued."""


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    owner: bool


def blocks(page: Path) -> list[Typed]:
    return [Typed(text=text, owner=bool(owner)) for owner, text in _BLOCK.findall(page.read_text(encoding="utf-8"))]


PAGES = [page for page in sorted(DOCS.glob("*.md")) if blocks(page) and page.name not in ELSEWHERE]


@pytest.fixture
async def policies(conn: Connection) -> AsyncIterator[None]:
    """What is kept how long, as it was: those rows are not emptied between tests."""
    await conn.execute("create temporary table policy as select what, outcome, keep, enabled from retention")
    yield
    await conn.execute(
        "update retention as r set keep = p.keep, enabled = p.enabled from policy as p"
        " where (r.what, r.outcome) = (p.what, p.outcome)"
    )


@pytest.mark.usefixtures("policies")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_every_block_does_what_it_says(page: Path, conn: Connection, database_url: str) -> None:
    device = await make_device(conn, await make_project(conn, "demo"))
    made = await make_record(conn, state=STATES.get(page.name, "queued"), device=device)
    job = {
        name: await value(conn, f"select {column} from automation_job where id = %s", made.job_id)
        for name, column in {"record": "external_ref", "fingerprint": "failure"}.items()
    }
    for block in blocks(page):
        before = await value(conn, "select count(*) from audit_event")
        await psql(database_url, typed=block.text, role="owner" if block.owner else "operator", **job)
        acts = 0 if "rollback" in block.text else len(_ACT.findall(block.text))
        done = await value(conn, "select count(*) from audit_event") - before
        # An act that met no row is one that the page only seems to do.
        assert done >= acts, block.text


async def test_the_owner_looks_at_what_a_caller_sees_and_nobody_else_does(conn: Connection, database_url: str) -> None:
    device = await make_device(conn, await make_project(conn))
    await make_record(conn, device=device)
    block = blocks(DOCS / "roles.md")[-1]
    assert block.owner
    assert (await psql(database_url, typed=block.text, role="owner")).split()[-1] == "0"
    seen = re.sub(r"'\{.*\}'", f"'{{{device.project.id}}}'", block.text)
    assert (await psql(database_url, typed=seen, role="owner")).split()[-1] == "1"
    with pytest.raises(AssertionError, match="permission denied to set role"):
        await psql(database_url, typed=block.text)


async def test_a_project_that_is_set_up_as_the_page_says_takes_records(conn: Connection, database_url: str) -> None:
    await make_project(conn)  # for the form
    for block in blocks(DOCS / "projects.md"):
        await psql(database_url, typed=block.text, role="owner")
    project = Project(id=await value(conn, "select id from project where code = 'north'"), code="north")
    made = await make_record(conn, device=await make_device(conn, project))
    portal = await value(conn, "select job_view(j) ->> 'portal' from automation_job as j where j.id = %s", made.job_id)
    assert (made.state, portal) == ("queued", "county")


def test_every_page_with_sql_is_typed_somewhere() -> None:
    assert len(PAGES) >= 8
    assert all((DOCS / name).exists() for name in ELSEWHERE)
