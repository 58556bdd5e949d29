"""The states of a job and what may follow each, from the transitions that `ops.doctor` holds every job's history to."""

from __future__ import annotations

import re

from app.jobs.states import LOOKS, JobState
from tests.reference.markdown import row, table
from tests.reference.places import ROOT

_LEGAL = re.compile(r"\('(\w+)', '\{([\w,]*)\}'")
MEANS: dict[JobState, str] = {
    JobState.AWAITING_MEDIA: "The record is stored, photos of it are still to come.",
    JobState.HELD: "Something that somebody decides is in the way: a blocker, a pause, a review, an operator's hold.",
    JobState.QUEUED: "It may run. Without a reason beside it a worker takes it at once; else it waits for a place at the portal.",
    JobState.PROCESSING: "A worker has an attempt of it, under a lease.",
    JobState.RETRYING: "An attempt failed; the next one has its time, by the database's clock.",
    JobState.NEEDS_INPUT: "A person is asked. No worker is occupied.",
    JobState.COMPLETED: "The portal has it, under the confirmation number that is stored.",
    JobState.FAILED: "It is not submitted, and will not be unless a person says so.",
    JobState.CANCELLED: "A person ended it before it was submitted.",
}


def transitions() -> dict[JobState, list[JobState]]:
    """What may follow each state, in the order of the states."""
    text = (ROOT / "sql" / "functions" / "doctor_events.sql").read_text(encoding="utf-8")
    found = {JobState(state): set(after.split(",")) - {""} for state, after in _LEGAL.findall(text)}
    return {state: [each for each in JobState if each in found[state]] for state in JobState}


def states() -> str:
    """Every state: how it is called on the page, what it means, what may follow."""
    legal = transitions()
    rows = [
        row(
            f"`{state}`", LOOKS[state].label, MEANS[state], ", ".join(f"`{each}`" for each in legal[state]) or "nothing"
        )
        for state in JobState
    ]
    return table("state", "on the page", "means", "may be followed by", rows=rows)
