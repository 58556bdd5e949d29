"""The second demo portal: an empty shell over a JSON API, no look-up, every duplicate taken, habits of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running
from tests.worker.contractor import Contractor, by_testid, jpeg
from tests.worker.harbor_crew import PLANT, SITE, HarborCrew

Line = dict[str, object]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")


@pytest.fixture
async def crew(settings: Settings) -> AsyncIterator[HarborCrew]:
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        made = HarborCrew(client)
        await made.quirks(preset="calm", think_min_s=0, think_max_s=0)
        assert (await made.sign_in()).status_code == 200
        yield made


def ledger(settings: Settings, reference: str) -> list[Line]:
    lines = [msgspec.json.decode(line, type=Line) for line in settings.portal_log.read_bytes().splitlines()]
    return [line for line in lines if line["reference"] == reference]


async def test_the_shell_is_empty_and_its_scripts_are_its_own(crew: HarborCrew) -> None:
    assert (await crew.client.get("/harbor/")).headers["location"] == "/harbor/app"
    shell = await crew.client.get("/harbor/app")
    assert "<input" not in shell.text
    assert "JavaScript" in shell.text
    assert "script-src 'self'" in shell.headers["content-security-policy"]
    for path in re.findall(r'(?:src|href)="([^"]+)"', shell.text):
        assert (await crew.client.get(path)).status_code == 200, path


async def test_a_close_out_is_numbered_once_and_then_gone_from_the_desk(crew: HarborCrew, settings: Settings) -> None:
    code = await crew.ready(reference="AB-HFC001")
    shown = (await crew.call("GET", f"closeouts/{code}")).json()
    assert shown["values"] == {**SITE, **PLANT, "reference": "AB-HFC001"}
    assert [photo["name"] for photo in shown["photos"]] == ["tray.jpg"]
    number = (await crew.send(code, fence=3)).json()["number"]
    assert re.fullmatch(r"HFC-\d{6}", number)
    [held] = await crew.submissions("AB-HFC001")
    assert (held["portal"], held["confirmation"], held["fence"], held["photos"]) == ("harbor", number, 3, 1)
    [line] = ledger(settings, "AB-HFC001")
    assert (line["portal"], line["accepted"], line["fence"]) == ("harbor", True, 3)
    # No look-up: nothing that a visitor can ask tells whether it was sent.
    assert (await crew.call("GET", f"closeouts/{code}")).status_code == 404
    assert number not in (await crew.call("GET", "closeouts")).text
    assert (await crew.call("PATCH", f"closeouts/{code}", {"values": {}})).json()["code"] == "gone"


async def test_every_duplicate_is_taken(crew: HarborCrew, settings: Settings) -> None:
    code = await crew.ready(reference="AB-HFCDUP")
    for _ in range(2):
        assert (await crew.send(code)).status_code == 200
    assert (await crew.send(await crew.ready(reference="AB-HFCDUP"))).status_code == 200
    assert len(await crew.submissions("AB-HFCDUP")) == 3
    page = (await crew.client.get("/_demo/counter")).text
    assert "Harbor Fiber Cooperative" in page
    assert int(by_testid(page, "duplicates")[0]) >= 2
    assert [line["accepted"] for line in ledger(settings, "AB-HFCDUP")] == [True] * 3


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("site", "ticket", "12345"),
        ("site", "area", "Elsewhere"),
        ("site", "finished", "2199-01-01"),
        ("site", "finished", "11/20/2026"),
        ("site", "lead", ""),
        ("plant", "fibers", "1729"),
        ("plant", "lat", "north"),
        ("plant", "remarks", "n" * 2001),
    ],
)
async def test_a_section_with_a_problem_says_which(crew: HarborCrew, section: str, field: str, value: str) -> None:
    code = await crew.ready(reference="AB-HFCBAD")
    change = {"values": {field: value}}
    # What saves itself while somebody types is not complained about.
    assert (await crew.call("PATCH", f"closeouts/{code}", change)).json()["problems"] == []
    saved = (await crew.call("PATCH", f"closeouts/{code}", {**change, "section": section})).json()
    assert [problem["field"] for problem in saved["problems"]] == [field]
    assert (await crew.send(code)).status_code == 422
    assert await crew.submissions("AB-HFCBAD") == []
    await crew.quirks(validation=False)
    assert (await crew.call("PATCH", f"closeouts/{code}", {**change, "section": section})).json()["problems"] == []


async def test_photos_are_checked_and_at_least_one_is_needed(crew: HarborCrew) -> None:
    code = (await crew.call("POST", "closeouts")).json()["id"]
    bad = {"file": ("note.jpg", b"no picture", "image/jpeg")}
    refused = await crew.client.post(f"/harbor/api/closeouts/{code}/photos", files=bad)
    assert (refused.status_code, refused.json()["code"]) == (422, "photo-refused")
    checked = (await crew.call("PATCH", f"closeouts/{code}", {"section": "photos"})).json()
    assert [problem["field"] for problem in checked["problems"]] == ["photos"]
    good = {"file": ("tray.jpg", jpeg(), "image/jpeg")}
    taken = (await crew.client.post(f"/harbor/api/closeouts/{code}/photos", files=good)).json()
    assert (await crew.client.get(f"/harbor/api/photos/{taken['id']}")).content[:2] == b"\xff\xd8"
    assert (await crew.call("PATCH", f"closeouts/{code}", {"section": "photos"})).json()["problems"] == []


@pytest.mark.parametrize(("outcome", "held"), [("lost", 1), ("closed", 1), ("error", 0), ("refused", 0), ("ok", 1)])
async def test_what_becomes_of_a_send_request(crew: HarborCrew, settings: Settings, outcome: str, held: int) -> None:
    reference = f"AB-HFC-{outcome}"
    code = await crew.ready(reference=reference)
    await crew.quirks(submit={"ok": 0, outcome: 1})
    if outcome in ("lost", "closed"):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await crew.send(code)
    else:
        answer = await crew.send(code)
        assert answer.status_code == {"error": 500, "refused": 422, "ok": 200}[outcome]
    assert len(await crew.submissions(reference)) == held
    assert [line["accepted"] for line in ledger(settings, reference)] == [held == 1]


async def test_who_is_not_signed_in_gets_nothing_and_wrong_passwords_lock(crew: HarborCrew) -> None:
    code = await crew.ready(reference="AB-HFCLOCK")
    crew.client.cookies.clear()
    for method, path in (("GET", "session"), ("GET", "closeouts"), ("GET", f"closeouts/{code}")):
        assert (await crew.call(method, path)).json()["code"] == "signed-out"
    assert (await crew.send(code)).status_code == 401
    for _ in range(5):
        assert (await crew.sign_in(password="wrong")).json()["code"] == "sign-in-failed"
    assert (await crew.sign_in()).json()["code"] == "locked"
    assert (await crew.client.post("/_demo/unlock", json={})).status_code == 204
    answer = await crew.sign_in()
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "path=/harbor" in cookie
    assert (await crew.call("DELETE", "session")).status_code == 200
    assert (await crew.call("GET", "session")).status_code == 401


async def test_its_habits_are_its_own(crew: HarborCrew) -> None:
    northfield = Contractor(crew.client)
    await northfield.sign_in()
    await crew.quirks(maintenance=True, retry_after_s=90)
    closed = await crew.call("GET", "closeouts")
    assert (closed.status_code, closed.headers["retry-after"], closed.json()["code"]) == (503, "90", "maintenance")
    assert (await northfield.get("/drafts")).status_code == 200
    await crew.quirks(maintenance=False, error_rate=1)
    assert (await crew.call("GET", "closeouts")).json()["code"] == "error"
    await crew.quirks(error_rate=0, session_requests=2)
    await crew.sign_in()
    assert [(await crew.call("GET", "closeouts")).status_code for _ in range(3)] == [200, 200, 401]
    await northfield.quirks(drift_button=True)
    await crew.quirks(session_requests=0)
    assert (await crew.sign_in()).json()["drift"] == []
    await crew.quirks(drift_button=True, drift_dialog=True)
    assert (await crew.call("GET", "session")).json()["drift"] == ["button", "dialog"]


async def test_switches_it_has_not_are_refused(crew: HarborCrew) -> None:
    answer = await crew.client.post("/_demo/quirks", json={"portal": "harbor", "duplicates": "reject"})
    assert answer.status_code == 400
    assert "duplicates" in answer.json()["error"]
    assert (await crew.client.post("/_demo/quirks", json={"portal": "other"})).status_code == 400
    page = (await crew.client.get("/_demo?portal=harbor")).text
    assert 'name="maintenance"' in page
    assert 'name="duplicates"' not in page
