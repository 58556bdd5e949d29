"""The demo portal keeps to the paths, labels and answers that recipes and the demo command rely on."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import msgspec
import pytest

from app.core.settings import Settings, SettingsError
from tasks.demo_portal import running
from tests.worker.contractor import FIBRE, JOB, POLE, Contractor, by_testid, complaints, jpeg, place, read_back

Line = dict[str, object]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")


@pytest.fixture
async def contractor(settings: Settings) -> AsyncIterator[Contractor]:
    """Signed in at a fresh portal process that does not think."""
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        visitor = Contractor(client)
        await visitor.quirks(preset="calm", think_min_s=0, think_max_s=0)
        assert place(await visitor.sign_in()) == "/"
        yield visitor


def ledger(settings: Settings, reference: str) -> list[Line]:
    lines = [msgspec.json.decode(line, type=Line) for line in settings.portal_log.read_bytes().splitlines()]
    return [line for line in lines if line["reference"] == reference]


@pytest.mark.parametrize(
    ("asset_type", "details", "reference"),
    [("Pole", POLE, "AB-POLE01"), ("Fibre splice closure", FIBRE, "AB-FIBRE1")],
)
async def test_a_keyed_asbuilt_gets_a_number_and_reads_back_as_keyed(
    contractor: Contractor, settings: Settings, asset_type: str, details: Mapping[str, str], reference: str
) -> None:
    draft = await contractor.draft()
    job = {**JOB, "asset_type": asset_type, "reference": reference}
    assert place(await contractor.post(f"/asbuilt/{draft}/job", job)) == f"/asbuilt/{draft}/details"
    assert place(await contractor.post(f"/asbuilt/{draft}/details", details)) == f"/asbuilt/{draft}/photos"
    photos = {"full_pole.jpg": jpeg(shade=40), 'it\'s "2".jpg': jpeg(shade=80)}
    sent = await contractor.attach(draft, photos)
    assert sent.status_code == 201
    assert [photo["name"] for photo in sent.json()["accepted"]] == list(photos)
    assert place(await contractor.post(f"/asbuilt/{draft}/photos")) == f"/asbuilt/{draft}/review"
    assert by_testid((await contractor.get(f"/asbuilt/{draft}/review")).text, "photo-count") == ["2"]

    assert place(await contractor.submit(draft, fence=3)) == f"/asbuilt/{draft}/confirmation"
    [number] = by_testid((await contractor.get(f"/asbuilt/{draft}/confirmation")).text, "confirmation")
    assert re.fullmatch(r"NPL-\d{4}-\d{6}", number)
    assert await contractor.look_up(reference) == [number]
    page = (await contractor.get(f"/submissions/{number}")).text
    assert {**job, **details}.items() <= read_back(page).items()
    assert set(re.findall(r'data-sha256="(\w+)"', page)) == {
        hashlib.sha256(body).hexdigest() for body in photos.values()
    }

    [held] = await contractor.submissions(reference)
    assert (held["confirmation"], held["fence"], held["photos"]) == (number, 3, 2)
    [line] = ledger(settings, reference)
    assert (line["fence"], line["accepted"], line["confirmation"]) == (3, True, number)
    assert set(line) >= {"reference", "fence", "time", "accepted"}


@pytest.mark.parametrize(
    ("page", "keyed", "field"),
    [
        ("job", {"work_order": "12345"}, "work_order"),
        ("job", {"reference": "  "}, "reference"),
        ("job", {"asset_type": "Lamp"}, "asset_type"),
        ("job", {"installed": "12/31/2199"}, "installed"),
        ("job", {"installed": "20.11.2026"}, "installed"),
        ("details", {"pole_height": "19.5"}, "pole_height"),
        ("details", {"pole_height": "tall"}, "pole_height"),
        ("details", {"latitude": "91"}, "latitude"),
        ("details", {"notes": "n" * 2001}, "notes"),
    ],
)
async def test_a_wrong_value_sends_back_to_its_page_and_is_marked(
    contractor: Contractor, page: str, keyed: dict[str, str], field: str
) -> None:
    draft = await contractor.draft()
    right = {"job": JOB, "details": POLE}
    await contractor.post(f"/asbuilt/{draft}/job", JOB)
    back = place(await contractor.post(f"/asbuilt/{draft}/{page}", {**right[page], **keyed}))
    assert back == f"/asbuilt/{draft}/{page}?refused=1"
    assert list(complaints((await contractor.get(back)).text)) == [field]
    # A later visit must not show old errors: a recipe that resumes here would take them for its own.
    assert complaints((await contractor.get(f"/asbuilt/{draft}/{page}")).text) == {}
    assert place(await contractor.get(f"/asbuilt/{draft}")) == f"/asbuilt/{draft}/{page}"
    await contractor.post(f"/asbuilt/{draft}/{page}", right[page])
    assert place(await contractor.get(f"/asbuilt/{draft}")) != f"/asbuilt/{draft}/{page}"


async def test_only_readable_pictures_of_an_allowed_size_become_photos(contractor: Contractor) -> None:
    draft = await contractor.draft()
    refused = await contractor.attach(
        draft, {"note.jpg": b"not a picture", "empty.jpg": b"", "big.jpg": jpeg() + bytes(10 * 2**20)}
    )
    assert refused.status_code == 422
    assert [item["name"] for item in refused.json()["refused"]] == ["note.jpg", "empty.jpg", "big.jpg"]
    mixed = await contractor.attach(draft, {"good.jpg": jpeg(), "note.jpg": b"not a picture"})
    assert mixed.status_code == 201
    assert [item["name"] for item in mixed.json()["accepted"]] == ["good.jpg"]
    again = await contractor.attach(draft, {"good.jpg": jpeg(shade=200)})
    shown = (await contractor.get(f"/asbuilt/{draft}/photos")).text
    assert re.findall(r'data-photo="([^"]+)"', shown) == ["good.jpg"]
    assert again.json()["accepted"][0]["sha256"] in shown


async def test_a_plain_multipart_form_uploads_too(contractor: Contractor) -> None:
    draft = await contractor.draft()
    files = [("photos", ("a.jpg", jpeg(), "image/jpeg")), ("photos", ("b.jpg", b"text", "image/jpeg"))]
    answer = await contractor.client.post(f"/asbuilt/{draft}/upload", files=files, headers={"Accept": "text/html"})
    assert answer.status_code == 201
    assert re.findall(r'data-photo="([^"]+)"', answer.text) == ["a.jpg"]
    assert "b.jpg" in complaints(answer.text)["photos"]
    none = await contractor.client.post(f"/asbuilt/{draft}/upload", files=[("photos", ("", b"", "image/jpeg"))])
    assert none.status_code == 422
    assert "photos" in complaints(none.text)


async def test_photos_are_needed_before_the_review(contractor: Contractor) -> None:
    draft = await contractor.draft()
    back = place(await contractor.post(f"/asbuilt/{draft}/photos"))
    assert back == f"/asbuilt/{draft}/photos?refused=1"
    assert "photos" in complaints((await contractor.get(back)).text)


async def test_an_incomplete_or_uncertified_asbuilt_is_not_taken(contractor: Contractor, settings: Settings) -> None:
    draft = await contractor.draft()
    await contractor.post(f"/asbuilt/{draft}/job", {**JOB, "reference": "AB-HALF01"})
    back = place(await contractor.submit(draft, certify=""))
    assert set(complaints((await contractor.get(back)).text)) == {"details", "photos", "certify"}
    assert await contractor.submissions("AB-HALF01") == []
    assert [line["accepted"] for line in ledger(settings, "AB-HALF01")] == [False]


async def test_who_is_not_signed_in_is_led_through_the_sign_in_and_back(settings: Settings) -> None:
    async with running(settings) as url, httpx.AsyncClient(base_url=url) as client:
        visitor = Contractor(client)
        assert place(await visitor.get("/drafts")) == "/login?next=/drafts"
        assert place(await visitor.sign_in(password="wrong")) == "/login?bad=1"
        assert place(await visitor.sign_in(user="nobody")) == "/login?bad=1"
        assert "nav-user" not in (await visitor.get("/login?bad=1")).text
        answer = await visitor.post("/login", {"user": "contractor", "password": "northfield", "next": "/drafts"})
        assert place(answer) == "/drafts"
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert by_testid((await visitor.get("/drafts")).text, "nav-user") == ["contractor"]
        assert place(await visitor.get("/login?next=/status")) == "/status"
        for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
            assert place(await client.get("/login", params={"next": elsewhere})) == "/"
        await visitor.post("/logout")
        assert place(await visitor.get("/drafts")).startswith("/login")


async def test_drafts_and_pictures_of_another_account_are_not_there(contractor: Contractor, settings: Settings) -> None:
    draft = await contractor.ready_draft(reference="AB-MINE01")
    [picture] = re.findall(r'src="(/pictures/\d+/thumb)"', (await contractor.get(f"/asbuilt/{draft}/photos")).text)
    shown = await contractor.get(picture)
    assert (shown.status_code, shown.headers["content-type"], shown.content[:2]) == (200, "image/jpeg", b"\xff\xd8")
    other = msgspec.structs.replace(settings, npl_user="other", npl_password="elsewhere")
    async with running(other) as url, httpx.AsyncClient(base_url=url) as client:
        visitor = Contractor(client)
        assert place(await visitor.sign_in(user="other", password="elsewhere")) == "/"
        for path in (
            f"/asbuilt/{draft}",
            f"/asbuilt/{draft}/review",
            f"/asbuilt/{draft}/job",
            picture,
            "/asbuilt/D99/job",
        ):
            assert (await visitor.get(path)).status_code == 404, path
        assert (await visitor.submit(draft)).status_code == 404
        assert (await visitor.attach(draft, {"x.jpg": jpeg()})).status_code == 404


async def test_hostile_text_is_shown_as_text(contractor: Contractor) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&"
    draft = await contractor.ready_draft(reference="AB-XSS", job={**JOB, "crew": hostile})
    for path in (f"/asbuilt/{draft}/review", f"/asbuilt/{draft}/job", f"/submissions?q={hostile}"):
        page = await contractor.client.get(path)
        assert "<img src=x" not in page.text
        assert "&lt;img src=x" in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
    assert read_back((await contractor.get(f"/asbuilt/{draft}/review")).text)["crew"] == hostile


async def test_everything_survives_a_restart_of_the_portal(settings: Settings) -> None:
    async with running(settings) as url, httpx.AsyncClient(base_url=url) as client:
        first = Contractor(client)
        await first.quirks(think_min_s=0, think_max_s=0)
        await first.sign_in()
        draft = await first.ready_draft(reference="AB-STAY01")
        cookies = client.cookies
    async with running(settings) as url, httpx.AsyncClient(base_url=url, cookies=cookies) as client:
        second = Contractor(client)
        assert place(await second.get(f"/asbuilt/{draft}")) == f"/asbuilt/{draft}/review"
        assert place(await second.submit(draft)) == f"/asbuilt/{draft}/confirmation"
        assert len(await second.submissions("AB-STAY01")) == 1


async def test_two_portals_may_start_at_once(settings: Settings) -> None:
    async def answers() -> int:
        async with running(settings) as url, httpx.AsyncClient(base_url=url) as client:
            return (await client.get("/status")).status_code

    assert set(await asyncio.gather(answers(), answers(), answers())) == {200}


async def test_an_unknown_preset_is_refused_at_the_start(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="ASBUILT_PORTAL_PRESET"):
        async with running(msgspec.structs.replace(settings, portal_preset="stormy")):
            pass
