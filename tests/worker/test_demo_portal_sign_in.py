"""What the demo portal may ask for at its sign-in, how it locks an account, and how its look drifts: on, and off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest

from app.core.settings import Settings
from tasks.demo_portal import running
from tests.worker.contractor import Contractor, complaints, jpeg, place


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, portal_port=0, portal_log=tmp_path / "portal.jsonl")


@pytest.fixture
async def contractor(settings: Settings) -> AsyncIterator[Contractor]:
    async with running(settings, seed=1) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        visitor = Contractor(client)
        await visitor.quirks(preset="calm", think_min_s=0, think_max_s=0)
        await client.post("/_demo/unlock", json={})
        yield visitor


async def latest(contractor: Contractor, kind: str) -> str:
    messages = (await contractor.get("/_demo/phone.json")).json()["messages"]
    found: str = next(message["text"] for message in messages if message["kind"] == kind and not message["used"])
    return found


async def test_a_code_from_the_phone_completes_the_sign_in(contractor: Contractor) -> None:
    await contractor.quirks(otp_every=1)
    await contractor.sign_in()
    assert place(await contractor.get("/drafts")) == "/otp?next=/drafts"
    assert "6-digit code" in (await contractor.get("/otp?next=/drafts")).text
    code = await latest(contractor, "code")
    assert code in (await contractor.get("/_demo/phone")).text
    wrong = "000000" if code != "000000" else "111111"
    assert place(await contractor.post("/otp", {"answer": wrong, "next": "/drafts"})) == "/otp?bad=1&next=/drafts"
    assert "nav-user" not in (await contractor.get("/login")).text
    assert place(await contractor.post("/otp", {"answer": code, "next": "/drafts"})) == "/drafts"
    assert (await contractor.get("/drafts")).status_code == 200
    # A code is good once.
    await contractor.sign_in()
    await contractor.get("/otp")
    assert place(await contractor.post("/otp", {"answer": code})).startswith("/otp?bad=1")


async def test_three_wrong_codes_end_the_session(contractor: Contractor) -> None:
    await contractor.quirks(otp_every=1)
    await contractor.sign_in()
    await contractor.get("/otp")
    answers = [place(await contractor.post("/otp", {"answer": "x"})) for _ in range(3)]
    assert answers == ["/otp?bad=1&next=/", "/otp?bad=1&next=/", "/login?expired=1&next=/"]
    assert place(await contractor.get("/drafts")).startswith("/login?expired=1")


async def test_every_second_sign_in_asks_and_none_when_off(contractor: Contractor) -> None:
    async def asked() -> bool:
        await contractor.sign_in()
        return (await contractor.get("/drafts")).status_code == 303

    await contractor.quirks(otp_every=2)
    assert sum([await asked() for _ in range(4)]) == 2
    await contractor.quirks(otp_every=0)
    assert not any([await asked() for _ in range(3)])


async def test_a_word_has_to_be_read_off_a_picture(contractor: Contractor) -> None:
    await contractor.quirks(captcha_every=1, otp_every=1)
    await contractor.sign_in()
    assert place(await contractor.get("/drafts")) == "/check?next=/drafts"
    assert "Type the word" in (await contractor.get("/check?next=/drafts")).text
    assert (await contractor.get("/check/word.png")).content.startswith(b"\x89PNG")
    assert place(await contractor.post("/check", {"answer": "?"})).startswith("/check?bad=1")
    word = await latest(contractor, "word")
    # The word, and then still the code.
    assert place(await contractor.post("/check", {"answer": word.upper(), "next": "/drafts"})) == "/drafts"
    assert place(await contractor.get("/drafts")) == "/otp?next=/drafts"
    await contractor.quirks(captcha_every=0, otp_every=0)
    await contractor.sign_in()
    assert (await contractor.get("/drafts")).status_code == 200


async def test_wrong_passwords_in_a_row_lock_the_account(contractor: Contractor) -> None:
    for _ in range(4):
        assert place(await contractor.sign_in(password="wrong")) == "/login?bad=1"
    assert place(await contractor.sign_in()) == "/"
    for _ in range(5):
        assert place(await contractor.sign_in(password="wrong")) == "/login?bad=1"
    assert place(await contractor.sign_in()) == "/login?locked=1"
    contractor.client.cookies.clear()
    assert "locked" in (await contractor.get("/login?locked=1")).text
    assert (await contractor.client.post("/_demo/unlock", data={"x": "y"})).status_code == 415
    assert place(await contractor.sign_in()) == "/login?locked=1"
    assert (await contractor.client.post("/_demo/unlock", json={})).status_code == 204
    assert place(await contractor.sign_in()) == "/"
    await contractor.quirks(lockout_after=0)
    for _ in range(7):
        await contractor.sign_in(password="wrong")
    assert place(await contractor.sign_in()) == "/"


@pytest.mark.parametrize(
    ("switch", "path", "seen", "plain"),
    [
        ("drift_button", "job", ">Continue<", ">Save and continue<"),
        ("drift_button", "review", ">File as-built<", ">Submit as-built<"),
        ("drift_label", "job", ">Work order no.<", ">Work order number<"),
        ("drift_dialog", "review", "confirm.js", "Submit as-built"),
    ],
)
async def test_the_look_drifts_and_the_keying_still_works(
    contractor: Contractor, switch: str, path: str, seen: str, plain: str
) -> None:
    await contractor.sign_in()
    draft = await contractor.ready_draft(reference=f"AB-{switch}-{path}")
    page = (await contractor.get(f"/asbuilt/{draft}/{path}")).text
    assert seen not in page
    assert plain in page
    await contractor.quirks(**{switch: True})
    assert seen in (await contractor.get(f"/asbuilt/{draft}/{path}")).text
    assert (await contractor.get("/static/confirm.js")).status_code == 200
    assert place(await contractor.submit(draft)) == f"/asbuilt/{draft}/confirmation"


async def test_a_notice_lies_over_the_start_page(contractor: Contractor) -> None:
    await contractor.sign_in()
    assert "Dismiss" not in (await contractor.get("/")).text
    await contractor.quirks(notice_modal=True)
    page = (await contractor.get("/")).text
    assert "Dismiss" in page
    assert "notice.js" in page


async def test_large_photos_are_refused_from_the_size_of_the_switch_on(contractor: Contractor) -> None:
    await contractor.sign_in()
    draft = await contractor.draft()
    photo = {"tag.jpg": jpeg(size=(900, 900))}
    await contractor.quirks(photo_max_mb=0.001)
    refused = await contractor.attach(draft, photo)
    assert "larger than" in refused.json()["refused"][0]["message"]
    await contractor.quirks(photo_max_mb=10)
    assert (await contractor.attach(draft, photo)).status_code == 201


async def test_a_refused_submission_says_so_and_may_be_sent_again(contractor: Contractor) -> None:
    await contractor.sign_in()
    draft = await contractor.ready_draft(reference="AB-REFUSED")
    await contractor.quirks(submit={"ok": 0, "refused": 1})
    back = place(await contractor.submit(draft))
    assert list(complaints((await contractor.get(back)).text)) == ["submit"]
    assert await contractor.submissions("AB-REFUSED") == []
    await contractor.quirks(submit={"ok": 1})
    assert place(await contractor.submit(draft)) == f"/asbuilt/{draft}/confirmation"


async def test_an_update_by_hand_switches_and_a_senseless_one_switches_all_off(
    contractor: Contractor, settings: Settings
) -> None:
    def update(change: str) -> None:
        with psycopg.connect(settings.database_url) as conn:
            conn.execute("update demo_portal.quirks set switches = switches || %s::jsonb", (change,))

    update('{"maintenance": true}')
    assert (await contractor.get("/")).status_code == 503
    update('{"error_rate": "often"}')
    assert (await contractor.get("/_demo/quirks")).json()["preset"] == "unreadable"
    assert (await contractor.get("/login")).status_code == 200
    await contractor.quirks(preset="calm")
    assert (await contractor.get("/_demo/quirks")).json()["preset"] == "calm"


async def test_a_session_ends_after_so_many_minutes(contractor: Contractor, settings: Settings) -> None:
    await contractor.quirks(session_minutes=30)
    await contractor.sign_in()
    assert (await contractor.get("/drafts")).status_code == 200
    with psycopg.connect(settings.database_url) as conn:
        conn.execute("update demo_portal.session set opened_at = opened_at - interval '31 minutes'")
    assert place(await contractor.get("/drafts")).startswith("/login?expired=1")
    await contractor.quirks(session_minutes=0)
    assert (await contractor.get("/drafts")).status_code == 200
