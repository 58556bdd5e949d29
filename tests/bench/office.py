"""The office of the screen's benchmarks: completed records, the web process, and a real browser that shows their list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
from playwright.async_api import Page, expect
from psycopg import AsyncConnection

from app.core.access import create_user
from sql import Connection
from tests.bench.stage import Database, Stage
from tests.browser.desk import Person, at_desk
from tests.factories import Made, make_device, make_project, make_record

PAGE = 50
"""Rows that the list asks for at a time."""


class Site(msgspec.Struct, frozen=True):
    url: str


class Office(msgspec.Struct, kw_only=True):
    """`page` shows the list with all of `made` in it; `conn` is whoever changes them, with SQL alone."""

    url: str
    token: str
    project: str
    conn: Connection
    page: Page
    made: list[Made]


@asynccontextmanager
async def office(stage: Stage, database: Database, *, records: int) -> AsyncIterator[Office]:
    """Opened, signed in, and with every record's row on the page."""
    env = {
        "DATABASE_URL": database.app,
        "REDIS_URL": stage.redis_url,
        "AUTOMATION_URL": "http://127.0.0.1:9",
        "AUTOMATION_TOKEN": "bench",
        "ASBUILT_BLOBS": str(stage.folder / f"office-{uuid4().hex[:6]}"),
        "ASBUILT_PORT": "0",
        "ASBUILT_STREAMS_PER_USER": "0",
    }
    async with await AsyncConnection.connect(database.url, autocommit=True) as conn:
        project = await make_project(conn)
        device = await make_device(conn, project)
        made = [await make_record(conn, device=device, state="completed") for _ in range(records)]
        email = "bench@example.com"
        _, password = await create_user(conn, email=email, name="Bench", project=project.code, role="operator")
        with stage.process(["app.cli", "serve"], env=env) as url:
            async with at_desk(Site(url), viewport={"width": 1280, "height": 900}) as desk:
                await desk.sign_in(Person(email=email, password=password))
                await _all_rows(desk.page, records)
                yield Office(url=url, token=device.token, project=project.code, conn=conn, page=desk.page, made=made)


async def _all_rows(page: Page, records: int) -> None:
    rows: Any = page.locator("tr[data-id]")
    for shown in range(PAGE, records, PAGE):
        await expect(rows).to_have_count(shown)
        await page.get_by_role("button", name="Load more").click()
    await expect(rows).to_have_count(records)
