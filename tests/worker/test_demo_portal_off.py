"""A habit that is switched off again leaves nothing behind: the request that failed goes through."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running
from tests.worker.contractor import JOB, Contractor, jpeg, place


@pytest.fixture
async def contractor(database_url: str, tmp_path: Path) -> AsyncIterator[Contractor]:
    settings = Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        visitor = Contractor(client)
        await visitor.quirks(preset="calm", think_min_s=0, think_max_s=0)
        await visitor.sign_in()
        yield visitor


async def answered(contractor: Contractor) -> bool:
    try:
        return (await contractor.get("/drafts")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("on", "off"),
    [
        ({"error_rate": 1}, {"error_rate": 0}),
        ({"drop_rate": 1}, {"drop_rate": 0}),
        ({"maintenance": True}, {"maintenance": False}),
        ({"session_requests": 1}, {"session_requests": 0}),
    ],
)
async def test_pages_answer_again(contractor: Contractor, on: dict[str, object], off: dict[str, object]) -> None:
    assert await answered(contractor)
    await contractor.quirks(**on)
    assert not await answered(contractor)
    await contractor.quirks(**off)
    assert await answered(contractor)


async def test_pages_take_their_time_and_then_no_longer(contractor: Contractor) -> None:
    await contractor.quirks(think_min_s=0.4, think_max_s=0.4)
    began = time.monotonic()
    await contractor.get("/drafts")
    assert time.monotonic() - began >= 0.4
    await contractor.quirks(think_min_s=0, think_max_s=0)
    spans: list[float] = []
    for _ in range(5):
        began = time.monotonic()
        await contractor.get("/drafts")
        spans.append(time.monotonic() - began)
    assert min(spans) < 0.4


async def test_two_browsers_of_one_account_get_along_unless_the_switch_forbids_it(contractor: Contractor) -> None:
    async with httpx.AsyncClient(base_url=contractor.client.base_url, timeout=60) as client:
        other = Contractor(client)
        await other.sign_in()
        assert await answered(contractor)
        await contractor.quirks(single_session=True)
        await other.sign_in()
        assert not await answered(contractor)
        assert await answered(other)


async def test_photos_without_a_time_and_a_district_are_refused_only_while_the_switch_says_so(
    contractor: Contractor,
) -> None:
    draft = await contractor.draft()
    for refused in (True, False):
        await contractor.quirks(photo_exif=refused, closed_district="North" if refused else "")
        assert (await contractor.attach(draft, {"tag.jpg": jpeg()})).status_code == (422 if refused else 201)
        onward = "job?refused=1" if refused else "details"
        assert place(await contractor.post(f"/asbuilt/{draft}/job", JOB)) == f"/asbuilt/{draft}/{onward}"


@pytest.mark.parametrize("outcome", ["lost", "closed", "error", "slow", "refused"])
async def test_submit_requests_end_well_again(contractor: Contractor, outcome: str) -> None:
    await contractor.quirks(submit={"ok": 0, outcome: 1}, slow_s=0.1)
    try:
        await contractor.submit(await contractor.ready_draft(reference=f"AB-ON-{outcome}"))
    except httpx.TransportError:
        assert outcome in ("lost", "closed")
    await contractor.quirks(submit={"ok": 1})
    draft = await contractor.ready_draft(reference=f"AB-OFF-{outcome}")
    assert place(await contractor.submit(draft)) == f"/asbuilt/{draft}/confirmation"
    assert len(await contractor.submissions(f"AB-OFF-{outcome}")) == 1
