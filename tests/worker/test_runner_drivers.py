"""The same recipe through Chromium and over plain HTTP: what is keyed, what is sent once, and how each failure ends."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tasks.engines.contract import Event, Found, Resume, RunFailure, RunSpec
from tasks.engines.events import Drift, Frame, RunFailed, RunStarted, RunSucceeded, StepConfirmed
from tasks.runner.finder import NAMES
from tests.worker.rig import FIBRE, POLE, Rig, jpeg, key, reference, rigged

CHROMIUM = next((name for name in NAMES if shutil.which(name)), None)
DRIVERS = ["none"] if CHROMIUM is None else ["none", CHROMIUM]


BROWSER_LATER = pytest.mark.parametrize(
    "rig",
    [pytest.param(name, marks=[] if name == "none" else pytest.mark.slow) for name in DRIVERS],
    ids=lambda name: "forms" if name == "none" else "chromium",
    indirect=True,
)


@pytest.fixture(params=DRIVERS, ids=lambda name: "forms" if name == "none" else "chromium")
async def rig(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(database_url, tmp_path, browser=request.param) as made:
        yield made


async def played(rig: Rig, spec: RunSpec) -> list[Event]:
    return await rig.play(await rig.engine.start(spec, key=key(spec.job_id)))


def failure(events: list[Event]) -> RunFailure:
    assert events[-1].type == "run.failed", events[-1]
    return events[-1].read(RunFailed).error


def resumption(checkpoints: list[Event]) -> Resume:
    """What a worker hands to the next attempt."""
    confirmed = [event.read(StepConfirmed) for event in checkpoints]
    return Resume(
        steps=tuple(each.id for each in confirmed),
        outputs=confirmed[-1].outputs,
        hashes={each.id: each.input_hash for each in confirmed},
    )


async def read_back(rig: Rig, ref: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the portal shows for a submission: its fields, and its photos' hashes."""
    await rig.http.post(f"{rig.portal}/login", data={"user": "contractor", "password": "northfield"})
    [made] = await rig.submissions(ref)
    page = (await rig.http.get(f"{rig.portal}/submissions/{made['confirmation']}")).text
    fields = {
        name: html.unescape(text).strip()
        for name, text in re.findall(r'<dd data-field="(\w+)">(.*?)</dd>', page, re.DOTALL)
    }
    photos = dict(re.findall(r'data-photo="([^"]+)" data-sha256="(\w+)"', page))
    return fields, photos


def arrivals(rig: Rig, ref: str) -> list[dict[str, object]]:
    """Every submit request the portal received, from its own fsynced log."""
    lines = [
        msgspec.json.decode(line, type=dict[str, object]) for line in rig.settings.portal_log.read_bytes().splitlines()
    ]
    return [line for line in lines if line["reference"] == ref]


async def test_a_pole_is_keyed_as_recorded_and_submitted_once(rig: Rig) -> None:
    spec = rig.spec(attempt=3)
    run = await rig.engine.start(spec, key=key(spec.job_id))
    events = await rig.play(run, attempt=3)
    result = events[-1].read(RunSucceeded).result
    [submission] = await rig.submissions(spec.external_ref)
    assert submission["confirmation"] == result.confirmation_number
    assert submission["fence"] == 3
    assert [line["accepted"] for line in arrivals(rig, spec.external_ref)] == [True]
    fields, photos = await read_back(rig, spec.external_ref)
    assert fields["installed"] == "05/04/2026"
    assert fields["notes"] == POLE["notes"]
    assert (fields["pole_height"], fields["latitude"], fields["earth"]) == ("45", "44.4601", "12.5")
    assert photos == {each.name: each.sha256 for each in spec.files}
    assert [each.accepted for each in result.photos] == [True, True]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_closure_is_keyed_with_its_splices(rig: Rig) -> None:
    spec = rig.spec(inputs=FIBRE)
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded"
    fields, _ = await read_back(rig, spec.external_ref)
    assert fields["asset_type"] == "Fibre splice closure"
    assert fields["splices"].split() == ["blue,", "1,", "0.04", "blue,", "2,", "0.11"]


async def test_every_step_leaves_a_checkpoint_and_a_browser_a_picture(rig: Rig) -> None:
    events = await played(rig, rig.spec())
    confirmed = [event.read(StepConfirmed) for event in events if event.type == "step.confirmed"]
    assert [each.id for each in confirmed] == ["sign_in", "job", "details", "photos", "submit"]
    assert re.fullmatch(r"D\d+", confirmed[1].outputs["draft"])
    frames = [event.read(Frame) for event in events if event.type == "frame"]
    browser = next(event.read(RunStarted).browser for event in events if event.type == "run.started")
    assert {frame.step for frame in frames} == (set() if browser == "none" else {each.id for each in confirmed})
    for frame in frames:
        body = await rig.engine.artifact(frame.artifact_id)
        assert body.startswith(b"\xff\xd8")
        assert body.endswith(b"\xff\xd9")


async def test_a_later_attempt_goes_on_where_the_portal_was_saved(rig: Rig) -> None:
    first = rig.spec()
    run = await rig.engine.start(first, key=key(first.job_id))
    requested = await rig.until(run, "commit.requested")
    await rig.engine.cancel(run, reason="test")
    events = [event async for event in rig.engine.events(run)]
    assert requested.seq < events[-1].seq
    assert events[-1].type == "run.cancelled"
    resume = resumption([event for event in events if event.type == "step.confirmed"])
    second = msgspec.structs.replace(first, attempt=2, resume=resume)
    again = await rig.engine.start(second, key=f"{first.job_id}.2")
    events = await rig.play(again, attempt=2)
    result = events[-1].read(RunSucceeded).result
    started = [str(event.data["id"]) for event in events if event.type == "step.started"]
    assert started == ["sign_in", "submit"]
    assert result.confirmation_number is not None
    assert len(await rig.submissions(first.external_ref)) == 1


@BROWSER_LATER
async def test_changed_values_are_keyed_again_in_the_same_draft(rig: Rig) -> None:
    first = rig.spec()
    run = await rig.engine.start(first, key=key(first.job_id))
    await rig.until(run, "commit.requested")
    await rig.engine.cancel(run, reason="test")
    resume = resumption([event async for event in rig.engine.events(run) if event.type == "step.confirmed"])
    second = msgspec.structs.replace(first, attempt=2, resume=resume, inputs=POLE | {"depth_m": 1.9})
    events = await rig.play(await rig.engine.start(second, key=f"{first.job_id}.2"), attempt=2)
    started = [str(event.data["id"]) for event in events if event.type == "step.started"]
    assert started == ["sign_in", "details", "photos", "submit"]
    fields, photos = await read_back(rig, first.external_ref)
    assert fields["depth"] == "1.9"
    assert len(photos) == 2


@pytest.mark.parametrize("rig", ["none"], indirect=True, ids=["forms"])
async def test_a_forgotten_draft_is_started_over(rig: Rig) -> None:
    resume = Resume(steps=("sign_in", "job", "details"), outputs={"draft": "D99999"})
    spec = rig.spec(resume=resume)
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded"
    assert "the draft of the attempt before is gone" in [event.data.get("why") for event in events]
    assert len(await rig.submissions(spec.external_ref)) == 1


@BROWSER_LATER
async def test_a_session_that_ends_on_the_way_is_signed_in_again(rig: Rig) -> None:
    await rig.quirks(session_requests=8)
    spec = rig.spec()
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded", events[-1].data
    assert "the portal ended the session" in [event.data.get("why") for event in events]
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_what_the_portal_refuses_is_told_field_by_field(rig: Rig) -> None:
    spec = rig.spec(inputs=POLE | {"work_order": "48213", "crew_lead": " "})
    error = failure(await played(rig, spec))
    assert (error.code, error.error_class, error.step, error.outcome) == (
        "PORTAL_REJECTED",
        "validation_rejected",
        "job",
        "not_submitted",
    )
    assert {message.field for message in error.portal_messages} == {"work_order", "crew"}
    assert await rig.submissions(spec.external_ref) == []


async def test_a_refused_photo_names_the_photo(rig: Rig) -> None:
    spec = rig.spec(files=(rig.files.add("blurred.jpg", b"not a picture"),))
    error = failure(await played(rig, spec))
    assert (error.code, error.step, error.outcome) == ("FILE_REFUSED", "photos", "not_submitted")
    assert "blurred.jpg" in error.message


@pytest.mark.parametrize(
    ("change", "code"),
    [({"district": "Moon"}, "OPTION_MISSING"), ({"lat": None}, "VALUE_MISSING")],
)
async def test_a_record_that_cannot_be_keyed_fails_for_good(rig: Rig, change: dict[str, object], code: str) -> None:
    error = failure(await played(rig, rig.spec(inputs=POLE | change)))
    assert (error.code, error.error_class, error.outcome) == (code, "validation_rejected", "not_submitted")


@BROWSER_LATER
async def test_a_duplicate_is_neither_success_nor_plain_failure(rig: Rig) -> None:
    ref = reference()
    assert (await played(rig, rig.spec(ref)))[-1].type == "run.succeeded"
    error = failure(await played(rig, rig.spec(ref)))
    assert (error.code, error.error_class, error.outcome) == ("DUPLICATE_REFERENCE", "duplicate", "unknown")
    assert len(await rig.submissions(ref)) == 1


@pytest.mark.parametrize("outcome", ["lost", "closed"])
async def test_an_answer_that_never_comes_is_unknown_and_nothing_is_sent_twice(rig: Rig, outcome: str) -> None:
    await rig.quirks(submit={"ok": 0, outcome: 1}, duplicates="accept")
    spec = rig.spec()
    error = failure(await played(rig, spec))
    assert (error.step, error.outcome) == ("submit", "unknown")
    assert len(arrivals(rig, spec.external_ref)) == 1
    found = await rig.engine.lookup(portal="npl", external_ref=spec.external_ref)
    [made] = await rig.submissions(spec.external_ref)
    assert isinstance(found, Found)
    assert found.confirmation_number == made["confirmation"]


async def test_an_error_page_after_the_submission_is_unknown_until_looked_up(rig: Rig) -> None:
    await rig.quirks(submit={"ok": 0, "error": 1})
    spec = rig.spec()
    error = failure(await played(rig, spec))
    assert (error.code, error.outcome) == ("PORTAL_ERROR", "unknown")
    assert len(arrivals(rig, spec.external_ref)) == 1
    assert not isinstance(await rig.engine.lookup(portal="npl", external_ref=spec.external_ref), Found)


async def test_maintenance_says_when_to_come_back(rig: Rig) -> None:
    await rig.quirks(maintenance=True, retry_after_s=120)
    error = failure(await played(rig, rig.spec()))
    assert (error.code, error.error_class, error.retry_after_s) == ("PORTAL_MAINTENANCE", "portal_down", 120)


async def test_dropped_connections_are_the_portal_s_fault(rig: Rig) -> None:
    await rig.quirks(drop_rate=1)
    error = failure(await played(rig, rig.spec()))
    assert (error.code, error.outcome) == ("PORTAL_UNREACHABLE", "not_submitted")


@pytest.mark.parametrize("rig", ["none"], indirect=True, ids=["forms"])
async def test_a_dry_run_stops_at_the_gate_with_the_review(rig: Rig) -> None:
    spec = rig.spec(commit="dry_run")
    events = await played(rig, spec)
    assert events[-1].read(RunSucceeded).result.how == "dry_run"
    assert await rig.submissions(spec.external_ref) == []
    assert arrivals(rig, spec.external_ref) == []


@pytest.mark.parametrize("browser", DRIVERS)
async def test_a_wrong_password_is_said_without_saying_it(database_url: str, tmp_path: Path, browser: str) -> None:
    secret = "Tr0ub4dor & 3"
    async with rigged(database_url, tmp_path, browser=browser, password=secret) as rig:
        events = await played(rig, rig.spec())
        error = failure(events)
        assert (error.code, error.error_class) == ("LOGIN_REJECTED", "login_failed")
        kept = b"".join(path.read_bytes() for path in (tmp_path / "runner").rglob("*.jsonl"))
        assert kept
        assert b"Tr0ub4dor" not in kept
        assert b"Tr0ub4dor" not in msgspec.json.encode(events)


@pytest.mark.parametrize("rig", ["none"], indirect=True, ids=["forms"])
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("missing", "FILE_MISSING"),
        ("hash", "FILE_DAMAGED"),
        ("size", "FILE_DAMAGED"),
        ("scheme", "FILE_MISSING"),
        ("redirect", "FILE_MISSING"),
    ],
)
async def test_photos_are_fetched_with_the_token_and_checked(rig: Rig, damage: str, code: str) -> None:
    good = rig.files.add("base-1.jpg", jpeg())
    bad = {
        "missing": msgspec.structs.replace(good, url=f"{rig.files.url}/gone.jpg"),
        "hash": msgspec.structs.replace(good, sha256=hashlib.sha256(b"other").hexdigest()),
        "size": msgspec.structs.replace(good, size=10),
        "redirect": msgspec.structs.replace(good, url=f"{rig.files.url}/moved-to/{good.name}"),
        "scheme": msgspec.structs.replace(good, url="file:///etc/passwd"),
    }[damage]
    error = failure(await played(rig, rig.spec(files=(bad,))))
    assert (error.code, error.outcome) == (code, "not_submitted")
    if damage == "redirect":
        assert [name for name, _ in rig.files.asked] == [f"moved-to/{good.name}"], "the redirect was followed"


async def test_an_address_in_a_field_is_keyed_and_not_visited(rig: Rig) -> None:
    address = f"{rig.files.url}/visited"
    texts = ("crew_lead", "notes", "asset")
    spec = rig.spec(inputs=POLE | dict.fromkeys(texts, address))
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded", events[-1].data
    fields, _ = await read_back(rig, spec.external_ref)
    assert fields["notes"] == address
    assert "visited" not in {name for name, _ in rig.files.asked}


async def test_a_portal_that_has_changed_is_still_keyed_and_the_change_is_told_once(rig: Rig) -> None:
    await rig.quirks(drift_button=True, drift_label=True, notice_modal=True)
    spec = rig.spec()
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded", events[-1].data
    assert [event.read(Drift).text for event in events if event.type == "drift"] == [
        "field “Work order number” is now #work_order",
        "button “Save and continue” is now #onward",
        "button “Submit as-built” is now #submit",
    ]
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_a_dialog_nobody_foresaw_ends_the_run_with_its_text_and_nothing_is_sent(rig: Rig) -> None:
    await rig.quirks(drift_dialog=True)
    spec = rig.spec()
    events = await played(rig, spec)
    if rig.service.runs.shop.drivers.name == "none":
        # No script runs over plain HTTP, so there is no dialog.
        assert events[-1].type == "run.succeeded"
        return
    error = failure(events)
    assert (error.code, error.step, error.outcome) == ("UNEXPECTED_DIALOG", "submit", "not_submitted")
    assert "Submit this as-built now?" in error.message
    assert arrivals(rig, spec.external_ref) == []


@BROWSER_LATER
async def test_the_first_version_of_the_recipe_is_still_there_for_who_wants_it(rig: Rig) -> None:
    await rig.quirks(drift_label=True)
    error = failure(await played(rig, rig.spec(recipe_version=1)))
    assert (error.code, error.step) == ("ELEMENT_TIMEOUT", "job")
