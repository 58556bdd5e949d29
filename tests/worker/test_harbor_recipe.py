"""A second company's portal, made by scripts and without a look-up, keyed by its own recipe in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.engines.contract import Event, Resume, RunFailure, RunSpec
from tasks.engines.events import Drift, Frame, RunFailed, RunSucceeded, StepConfirmed
from tasks.runner.finder import NAMES
from tests.worker.rig import FIBRE, Rig, jpeg, key, reference, rigged

CHROMIUM = next((name for name in NAMES if shutil.which(name)), "")
STEPS = ["sign_in", "site", "plant", "photos", "finish"]


@pytest.fixture
async def rig(database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(database_url, tmp_path, browser=CHROMIUM) as made:
        await made.quirks(portal="harbor", think_min_s=0, think_max_s=0)
        yield made


def closure(rig: Rig, ref: str | None = None, **changes: Any) -> RunSpec:
    photos = (rig.files.add("tray-1.jpg", jpeg(80)), rig.files.add("label-1.jpg", jpeg(140)))
    fields: dict[str, Any] = {
        "portal": "harbor",
        "recipe": "harbor-closeout",
        "inputs": FIBRE,
        "files": photos,
    }
    return rig.spec(ref or reference(), **(fields | changes))


async def played(rig: Rig, spec: RunSpec) -> list[Event]:
    return await rig.play(await rig.engine.start(spec, key=key(spec.job_id)))


def failure(events: list[Event]) -> RunFailure:
    assert events[-1].type == "run.failed", events[-1]
    return events[-1].read(RunFailed).error


def confirmed(events: list[Event]) -> list[StepConfirmed]:
    return [event.read(StepConfirmed) for event in events if event.type == "step.confirmed"]


def drifts(events: list[Event]) -> set[str]:
    return {event.read(Drift).text for event in events if event.type == "drift"}


async def test_a_closure_is_keyed_and_sent_once_with_a_picture_a_step(rig: Rig) -> None:
    spec = closure(rig)
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded", events[-1].data
    result = events[-1].read(RunSucceeded).result
    [made] = await rig.submissions(spec.external_ref)
    assert (made["portal"], made["confirmation"], made["fence"]) == ("harbor", result.confirmation_number, 1)
    assert str(result.confirmation_number).startswith("HFC-")
    assert result.keyed["Service area"] == "North"
    assert [photo.accepted for photo in result.photos] == [True, True]
    assert [each.id for each in confirmed(events)] == STEPS
    assert {event.read(Frame).step for event in events if event.type == "frame"} == set(STEPS)
    assert drifts(events) == set()


async def test_a_later_attempt_goes_on_in_the_draft_and_a_lost_draft_is_started_over(rig: Rig) -> None:
    first = closure(rig)
    run = await rig.engine.start(first, key=key(first.job_id))
    await rig.until(run, "commit.requested")
    await rig.engine.cancel(run, reason="test")
    known = confirmed([event async for event in rig.engine.events(run)])
    resume = Resume(
        steps=tuple(each.id for each in known),
        outputs=known[-1].outputs,
        hashes={each.id: each.input_hash for each in known},
    )
    second = msgspec.structs.replace(first, attempt=2, resume=resume)
    events = await rig.play(await rig.engine.start(second, key=f"{first.job_id}.2"), attempt=2)
    assert events[-1].type == "run.succeeded", events[-1].data
    assert [event.data["id"] for event in events if event.type == "step.started"] == ["sign_in", "finish"]
    assert len(await rig.submissions(first.external_ref)) == 1
    gone = closure(rig, resume=msgspec.structs.replace(resume, hashes={}, outputs={"closeout": "C99999"}))
    events = await played(rig, gone)
    assert events[-1].type == "run.succeeded", events[-1].data
    assert "the draft of the attempt before is gone" in [event.data.get("why") for event in events]
    assert len(await rig.submissions(gone.external_ref)) == 1


async def test_a_portal_that_has_changed_is_still_keyed_and_the_change_is_told(rig: Rig) -> None:
    await rig.quirks(portal="harbor", drift_button=True, drift_label=True)
    spec = closure(rig)
    events = await played(rig, spec)
    assert events[-1].type == "run.succeeded", events[-1].data
    assert drifts(events) == {
        "field “Job ticket” is now [data-field=ticket] input",
        "button “Next” is now .actions button.go",
        "button “Send close-out” is now main > .actions button.go",
    }
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_a_dialog_nobody_foresaw_stops_the_run_before_anything_is_sent(rig: Rig) -> None:
    await rig.quirks(portal="harbor", drift_dialog=True)
    spec = closure(rig)
    error = failure(await played(rig, spec))
    assert (error.code, error.outcome, error.step) == ("UNEXPECTED_DIALOG", "not_submitted", "finish")
    assert "Really send this close-out now?" in error.message
    assert await rig.submissions(spec.external_ref) == []


async def test_what_the_portal_refuses_is_told_by_field(rig: Rig) -> None:
    error = failure(await played(rig, closure(rig, inputs=FIBRE | {"work_order": "48300"})))
    assert (error.code, error.step, error.outcome) == ("PORTAL_REJECTED", "site", "not_submitted")
    assert [message.field for message in error.portal_messages] == ["ticket"]


async def test_a_choice_the_list_does_not_offer_is_told_at_once(rig: Rig) -> None:
    error = failure(await played(rig, closure(rig, inputs=FIBRE | {"district": "Moon"})))
    assert error.code == "OPTION_MISSING"
    assert "North, South, Harbor, Valley" in error.message


async def test_a_session_that_ends_on_the_way_is_signed_in_again(rig: Rig) -> None:
    await rig.quirks(portal="harbor", session_requests=7)
    spec = closure(rig)
    events = await played(rig, spec)
    assert "the portal ended the session" in [event.data.get("why") for event in events]
    assert events[-1].type == "run.succeeded", events[-1].data
    assert len(await rig.submissions(spec.external_ref)) == 1


@pytest.mark.parametrize("outcome", ["lost", "closed"])
async def test_an_answer_that_never_comes_is_unknown_and_nothing_is_sent_twice(rig: Rig, outcome: str) -> None:
    await rig.quirks(portal="harbor", submit={"ok": 0, outcome: 1})
    spec = closure(rig)
    error = failure(await played(rig, spec))
    assert (error.step, error.outcome) == ("finish", "unknown")
    assert len(await rig.submissions(spec.external_ref)) == 1


async def test_without_a_browser_the_run_says_so_and_touches_nothing(database_url: str, tmp_path: Path) -> None:
    async with rigged(database_url, tmp_path, browser="none") as rig:
        error = failure(await played(rig, closure(rig)))
    assert (error.code, error.error_class, error.outcome) == ("BROWSER_NEEDED", "bug", "not_submitted")
    assert "browser" in error.message
