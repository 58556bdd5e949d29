"""Each of the demo portal's bad habits does what its switch says, and nothing is counted wrongly because of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running
from tests.worker.contractor import Contractor, by_testid, complaints, place

Line = dict[str, object]
_DEADLINE_S = 60


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")


@pytest.fixture
async def contractor(settings: Settings) -> AsyncIterator[Contractor]:
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=_DEADLINE_S) as client:
        visitor = Contractor(client)
        await visitor.quirks(preset="calm", think_min_s=0, think_max_s=0)
        await visitor.sign_in()
        yield visitor


def accepted(settings: Settings, reference: str) -> list[object]:
    lines = [msgspec.json.decode(line, type=Line) for line in settings.portal_log.read_bytes().splitlines()]
    return [line["accepted"] for line in lines if line["reference"] == reference]


@pytest.mark.parametrize(("policy", "held"), [("reject", 1), ("warn", 1), ("accept", 2)])
async def test_a_second_submission_of_a_reference_is_up_to_the_switch(
    contractor: Contractor, settings: Settings, policy: str, held: int
) -> None:
    reference = f"AB-DUP-{policy}"
    await contractor.quirks(duplicates=policy)
    for _ in range(2):
        answer = await contractor.submit(await contractor.ready_draft(reference=reference))
    assert len(await contractor.submissions(reference)) == held
    assert accepted(settings, reference) == [True, held == 2]
    if policy != "accept":
        assert "already exists" in " ".join(complaints((await contractor.get(place(answer))).text).values())
    if policy == "warn":
        draft = place(answer).split("/")[2]
        assert place(await contractor.submit(draft, anyway="yes")) == f"/asbuilt/{draft}/confirmation"
        assert len(await contractor.submissions(reference)) == 2


@pytest.mark.parametrize("same_draft", [True, False])
async def test_of_simultaneous_submissions_one_wins(
    contractor: Contractor, settings: Settings, same_draft: bool
) -> None:
    reference = f"AB-RACE-{same_draft}"
    drafts = [await contractor.ready_draft(reference=reference) for _ in range(4)]
    chosen = drafts[:1] * 4 if same_draft else drafts
    answers = await asyncio.gather(*(contractor.submit(draft) for draft in chosen))
    assert sorted("refused" in place(answer) for answer in answers) == [False, True, True, True]
    assert len(await contractor.submissions(reference)) == 1
    assert sorted(accepted(settings, reference), key=bool) == [False, False, False, True]


@pytest.mark.parametrize("outcome", ["lost", "closed"])
async def test_the_answer_is_lost_after_the_commit(contractor: Contractor, settings: Settings, outcome: str) -> None:
    reference = f"AB-{outcome}"
    draft = await contractor.ready_draft(reference=reference)
    await contractor.quirks(submit={"ok": 0, outcome: 1})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await contractor.submit(draft, fence=1)
    assert len(await contractor.submissions(reference)) == 1
    assert accepted(settings, reference) == [True]
    assert len(await contractor.look_up(reference)) == 1


async def test_an_error_before_the_commit_takes_nothing_in(contractor: Contractor, settings: Settings) -> None:
    draft = await contractor.ready_draft(reference="AB-ERR")
    await contractor.quirks(submit={"ok": 0, "error": 1})
    assert (await contractor.submit(draft)).status_code == 500
    assert await contractor.submissions("AB-ERR") == []
    assert accepted(settings, "AB-ERR") == [False]
    await contractor.quirks(submit={"ok": 1})
    assert place(await contractor.submit(draft)) == f"/asbuilt/{draft}/confirmation"


async def test_a_slow_submission_lands_after_its_browser_gave_up(contractor: Contractor, settings: Settings) -> None:
    draft = await contractor.ready_draft(reference="AB-SLOW")
    await contractor.quirks(submit={"ok": 0, "slow": 1}, slow_s=1.0)
    with pytest.raises(httpx.ReadTimeout):
        await contractor.client.post(f"/asbuilt/{draft}/submit", data={"certify": "yes"}, timeout=0.3)
    assert await contractor.submissions("AB-SLOW") == []
    async with asyncio.timeout(_DEADLINE_S):
        while not accepted(settings, "AB-SLOW"):
            await contractor.get("/status")
    assert len(await contractor.submissions("AB-SLOW")) == 1


async def test_the_index_lags_behind(contractor: Contractor) -> None:
    await contractor.quirks(index_lag_s=600)
    await contractor.submit(await contractor.ready_draft(reference="AB-LAG"))
    assert await contractor.look_up("AB-LAG") == []
    assert len(await contractor.submissions("AB-LAG")) == 1
    await contractor.quirks(index_lag_s=0)
    assert len(await contractor.look_up("AB-LAG")) == 1


async def test_maintenance_closes_all_but_the_status_page(contractor: Contractor) -> None:
    await contractor.quirks(maintenance=True, retry_after_s=90)
    for path in ("/", "/login", "/asbuilt/new", "/submissions?q=x"):
        answer = await contractor.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "90"), path
    assert "maintenance" in (await contractor.get("/status")).text


async def test_random_faults_hit_pages_but_not_the_submit_request(contractor: Contractor) -> None:
    draft = await contractor.ready_draft(reference="AB-FAULT")
    await contractor.quirks(error_rate=1)
    assert (await contractor.get("/drafts")).status_code == 500
    await contractor.quirks(error_rate=0, drop_rate=1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await contractor.get("/drafts")
    # Whether a submit request is answered has its own odds; a fault before them would falsify these.
    assert place(await contractor.submit(draft)) == f"/asbuilt/{draft}/confirmation"


async def test_a_session_ends_after_so_many_pages_and_leads_back(contractor: Contractor) -> None:
    await contractor.quirks(session_requests=3)
    await contractor.sign_in()
    for _ in range(3):
        assert (await contractor.get("/drafts")).status_code == 200
    assert place(await contractor.get("/drafts")) == "/login?expired=1&next=/drafts"
    assert place(await contractor.post("/asbuilt/D00001/submit")) == "/login?expired=1&next=/asbuilt/D00001/review"
    assert "session has ended" in (await contractor.get("/login?expired=1")).text


async def test_signing_in_again_ends_the_older_session(contractor: Contractor) -> None:
    await contractor.quirks(single_session=True)
    async with httpx.AsyncClient(base_url=contractor.client.base_url) as client:
        await Contractor(client).sign_in()
        assert (await client.get("/drafts")).status_code == 200
    assert place(await contractor.get("/drafts")).startswith("/login?expired=1")


async def test_data_rules_of_the_day(contractor: Contractor) -> None:
    await contractor.quirks(closed_district="North", photo_exif=True)
    draft = await contractor.draft()
    job = {
        "work_order": "WO-1234",
        "reference": "R",
        "asset_type": "Pole",
        "district": "North",
        "installed": "11/20/2026",
    }
    back = place(await contractor.post(f"/asbuilt/{draft}/job", {**job, "crew": "A"}))
    assert "closed" in complaints((await contractor.get(back)).text)["district"]
    await contractor.quirks(validation=False)
    assert place(await contractor.post(f"/asbuilt/{draft}/job", {"asset_type": "Pole"})) == f"/asbuilt/{draft}/details"


async def test_the_counter_shows_duplicates(contractor: Contractor) -> None:
    await contractor.quirks(duplicates="accept")
    before = int(by_testid((await contractor.get("/_demo/counter")).text, "duplicates")[0])
    for _ in range(2):
        await contractor.submit(await contractor.ready_draft(reference="AB-TWICE"))
    assert by_testid((await contractor.get("/_demo/counter")).text, "duplicates") == [str(before + 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"preset": "stormy"},
        {"think_min_s": 5},
        {"submit": {"ok": 0}},
        {"weather": "bad"},
        {"error_rate": 2},
        {"seed": "x"},
    ],
)
async def test_senseless_switches_are_refused_and_change_nothing(
    contractor: Contractor, change: dict[str, object]
) -> None:
    before = (await contractor.get("/_demo/quirks")).json()
    answer = await contractor.client.post("/_demo/quirks", json=change)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await contractor.get("/_demo/quirks")).json() == before


async def test_a_form_of_another_site_cannot_set_switches(contractor: Contractor) -> None:
    answer = await contractor.client.post(
        "/_demo/quirks", content=b'{"maintenance": true}', headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert (await contractor.get("/")).status_code == 200


async def test_the_same_seed_brings_the_same_faults(contractor: Contractor) -> None:
    async def weather() -> list[int]:
        await contractor.quirks(seed=7, error_rate=0.5)
        return [(await contractor.get("/drafts")).status_code for _ in range(12)]

    first = await weather()
    assert set(first) == {200, 500}
    assert await weather() == first


async def test_the_process_says_ready_and_ends_cleanly(settings: Settings) -> None:
    code = (
        "import asyncio, app.core.settings as s, tasks.demo_portal as p; asyncio.run(p.serve(s.load('database_url')))"
    )
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "ASBUILT_PORTAL_LOG": str(settings.portal_log),
        "ASBUILT_PORTAL_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=env, stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(_DEADLINE_S):
        words = (await process.stdout.readline()).decode().split()
        assert words[0] == "ready"
        async with httpx.AsyncClient(base_url=words[1]) as client:
            assert (await client.get("/status")).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
