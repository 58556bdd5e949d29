"""A job of the second customer, from its upload to its number, and what follows when the portal cannot be asked."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.core.access import create_token
from sql import Connection
from tasks.runner.finder import NAMES
from tests.service import ids, listed, multipart, record
from tests.unit.pictures import jpeg
from tests.worker.plant import Plant, plant

CHROMIUM = next((name for name in NAMES if shutil.which(name)), "")
SHOTS = {"closed": "closure_closed", "tray": "tray", "label": "label"}
FIELDS = {
    "work_order": "WO-48300",
    "district": "North",
    "crew_lead": "T. Reyes",
    "date_completed": "2026-11-20",
    "closure_model": "FOSC-450",
    "fibre_count": 96,
    "splices": [{"tube": "blue", "fibre": 1, "loss_db": 0.04}],
    "max_splice_loss_db": 0.04,
    "notes": "",
}


@pytest.fixture
async def works(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Plant]:
    async with plant(database_url, redis_url, conn, tmp_path, browser=CHROMIUM) as made:
        await made.quirks(portal="harbor", think_min_s=0, think_max_s=0)
        yield made


async def upload(works: Plant) -> UUID:
    token = await create_token(works.conn, project="harbor", scopes=["upload"], label="phone")
    body = record(project="harbor", form="fibre-splice-closure", asset="C-2201", fields=FIELDS, photos=listed(SHOTS))
    files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
    answer = await works.served.http.post(
        "/api/mobile/records", headers=works.served.bearer(token), **multipart(body, files)
    )
    assert answer.status_code == 201, answer.text
    return ids(answer)[1]


async def test_a_record_of_the_second_customer_reaches_its_portal(works: Plant) -> None:
    job = await upload(works)
    async with works.worker():
        assert await works.ends(job) == "completed"
    confirmation = await works.one("select confirmation from automation_job where id = %s", job)
    assert confirmation.startswith("HFC-")
    assert await works.submissions(job) == 1
    # What was keyed and what the portal showed of it is kept for people to compare, under the same names.
    exchange = await works.one("select exchange from automation_attempt where job_id = %s", job)
    read = {value["field"]: value for value in exchange["read_back"]}
    assert read["fibre_count"]["sent"] == read["fibre_count"]["shown"] == "96"
    assert all(value["sent"] == value["shown"] for value in exchange["read_back"])
    assert exchange["keyed"][read["fibre_count"]["at"]] == "96"
    assert {value["at"] for value in exchange["read_back"] if value["field"] is None} == {
        "job.external_ref",
        "files.count",
    }


async def test_an_answer_that_is_lost_waits_for_a_person_and_nothing_is_sent_again(works: Plant) -> None:
    await works.quirks(portal="harbor", submit={"ok": 0, "lost": 1})
    job = await upload(works)
    async with works.worker():
        assert await works.ends(job) == "needs_input"
    assert await works.one("select wait_reason from automation_job where id = %s", job) == "outcome_unknown"
    await works.quirks(portal="harbor", submit={"ok": 1})
    other = await upload(works)
    async with works.worker():
        assert await works.ends(other) == "completed"
    assert await works.state(job) == "needs_input"
    assert await works.submissions(job) == 1
