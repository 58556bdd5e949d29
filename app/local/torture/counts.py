"""What the portal really took in, by reference, out of its own log, beside what was stored about it. Pure but for `read`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from app.local.torture.guarded import JobRow

UNGUARDED = "-U"
"""Ends the references under which the plain queue submits."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the portal's log."""

    reference: str
    accepted: bool
    confirmation: str | None = None


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """How often each record of one half was submitted; `copies` of each that was more than once."""

    records: int
    once: int
    never: int
    copies: tuple[int, ...]
    submissions: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the guarded half says of itself."""

    completed: int
    by_look_up: int
    waiting: int
    failed: int
    wrong: int
    """Completed with a number the portal never gave for this reference."""


def read(log: Path) -> list[Submission]:
    """The submissions the portal took in; a line being written is left out."""
    try:
        raw = log.read_bytes()
    except FileNotFoundError:
        return []
    whole = raw[: raw.rfind(b"\n") + 1].splitlines()
    return [line for line in (msgspec.json.decode(each, type=Submission) for each in whole) if line.accepted]


def half(references: Iterable[str], submissions: Iterable[Submission]) -> Half:
    """The references of one half, counted."""
    times = Counter(line.reference for line in submissions)
    each = [times[reference] for reference in references]
    return Half(
        records=len(each),
        once=each.count(1),
        never=each.count(0),
        copies=tuple(sorted(count for count in each if count > 1)),
        submissions=sum(each),
    )


def kept(jobs: Sequence[JobRow], submissions: Iterable[Submission]) -> Kept:
    """The jobs as they ended, their numbers compared with the portal's."""
    given = {(line.reference, line.confirmation) for line in submissions}
    completed = [job for job in jobs if job.state == "completed"]
    return Kept(
        completed=len(completed),
        by_look_up=sum(job.how == "lookup" for job in completed),
        waiting=sum(job.state == "needs_input" for job in jobs),
        failed=sum(job.state == "failed" for job in jobs),
        wrong=sum((job.reference, job.confirmation) not in given for job in completed),
    )
