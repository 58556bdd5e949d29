"""Judges a history: the rules U (uploads), J (jobs), E (effects), S (streams), L (speed), P (photos), V (was anything seen?).

Pure; it reads a `History` and answers every violation it finds, never just the first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from uuid import UUID

import msgspec

from tests.faults import timings
from tests.faults.history import AttemptRow, Call, Effect, History, JobRow
from tests.faults.streams import stream_rules
from tests.faults.timings import Limits

TERMINAL = frozenset({"completed", "failed", "cancelled"})
WAITING = frozenset({"needs_input", "held", "awaiting_media"})
LIVE_AFTER = {
    "": {"awaiting_media", "held", "queued"},
    "awaiting_media": {"awaiting_media", "queued", "held", "cancelled"},
    "held": {"held", "awaiting_media", "queued", "cancelled"},
    "queued": {"queued", "awaiting_media", "held", "processing", "cancelled", "failed", "needs_input"},
    "processing": {"processing", "completed", "failed", "held", "retrying", "needs_input", "queued", "cancelled"},
    "retrying": {"retrying", "awaiting_media", "held", "processing", "queued", "cancelled", "failed", "needs_input"},
    "needs_input": {"needs_input", "awaiting_media", "held", "queued", "cancelled", "completed", "failed"},
    "completed": {"queued", "held", "awaiting_media"},
    "failed": {"queued", "held", "awaiting_media"},
    "cancelled": {"queued", "held", "awaiting_media"},
}
SPENDS_NOTHING = frozenset({"portal_down", "login_failed", "needs_human", "duplicate", "unknown_outcome", "stopped"})
INTERRUPTIONS = frozenset({"BROWSER_LOST", "PAGE_CRASHED", "WORKER_LOST", "COMMIT_NOT_AUTHORIZED"})


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    rule: str
    subject: str
    sentence: str


class Demands(msgspec.Struct, frozen=True, kw_only=True):
    """What must at least have happened, so that a run in which nothing went wrong cannot pass."""

    acked: int = 0
    unknown: int = 0
    kills_that_hit: int = 0
    zombies: int = 0
    reconnects: int = 0
    effects: int = 0
    snapshots_on_resume: float = 1.0


class Report(msgspec.Struct, kw_only=True):
    violations: list[Violation]
    figures: dict[str, float]

    def __str__(self) -> str:
        said = [f"{v.rule} {v.subject}: {v.sentence}" for v in self.violations[:40]]
        return "\n".join([f"{len(self.violations)} violations", *said, str(self.figures)])


def check(
    history: History,
    *,
    demands: Demands | None = None,
    limits: Limits | None = None,
    slack: float = 1.0,
    collected: bool = False,
) -> Report:
    """Every rule. `slack` stretches the limits; `collected`: orphan files are cleaned up, so that none may be left."""
    violations: list[Violation] = []
    figures: dict[str, float] = {}
    for group in (_uploads, _jobs, _transitions, _effects, stream_rules, _photos(collected=collected)):
        violations += [
            Violation(rule=rule, subject=str(subject), sentence=text) for rule, subject, text in group(history)
        ]
    figures |= timings.figures(history)
    found = [*timings.limits(figures, limits or Limits(), times=slack), *_vacuity(figures, demands or Demands())]
    violations += [Violation(rule=rule, subject=str(subject), sentence=text) for rule, subject, text in found]
    return Report(violations=violations, figures=figures)


Found = Iterator[tuple[str, object, str]]


def _uploads(h: History) -> Found:
    records = Counter(record.id for record in h.snapshot.records)
    jobs: dict[UUID, list[UUID]] = defaultdict(list)
    for job in h.snapshot.jobs:
        jobs[job.record_id].append(job.id)
    uploads = [call for call in h.calls if call.op == "upload"]
    acked: dict[UUID, list[Call]] = defaultdict(list)
    for call in uploads:
        if call.phase == "ok":
            acked[call.key].append(call)
    for key, answers in acked.items():
        if records[key] != 1:
            yield "U1", key, f"acknowledged, and {records[key]} records are stored"
        if len(jobs[key]) != 1:
            yield "U2", key, f"acknowledged, and {len(jobs[key])} jobs are stored"
        yield from _answers(key, answers, jobs[key])
    tried = {call.key for call in uploads}
    for record in h.snapshot.records:
        if record.id not in tried:
            yield "U4", record.id, "stored, and nobody tried to"
        if not jobs[record.id]:
            yield "U5", record.id, "a record without a job"
    for orphan in jobs.keys() - records.keys():
        yield "U6", orphan, "a job without a record"


def _answers(key: UUID, answers: list[Call], stored: list[UUID]) -> Found:
    said = {(answer.record, answer.job) for answer in answers}
    if len(said) > 1 or any(record != key for record, _ in said):
        yield "U3", key, f"the answers name {len(said)} different pairs of ids"
    elif stored and answers[0].job not in stored:
        yield "U3", key, "the answer names a job that is not stored"


def _jobs(h: History) -> Found:
    rows = {row.id: row for row in h.snapshot.queue}
    held_rows: set[int] = set()
    spent: dict[UUID, int] = defaultdict(int)
    for attempt in h.snapshot.attempts:
        if attempt.ended_at is None:
            yield "J1", attempt.job_id, f"attempt {attempt.attempt} is open after the drain"
        elif attempt.ended_at < attempt.started_at:
            yield "J2", attempt.job_id, f"attempt {attempt.attempt} ended before it began"
        spent[attempt.job_id] += _spends(attempt)
    for job in h.snapshot.jobs:
        if job.state not in TERMINAL | WAITING:
            yield "J1", job.id, f"still {job.state} after the drain"
        elif job.state in WAITING and not _has_reason(h, job):
            yield "J1", job.id, f"waits in {job.state} and nothing shows why"
        acts = h.snapshot.retries.get(job.id, 0) + h.snapshot.again.get(job.id, 0)
        budget = job.max_attempts * (1 + acts)
        if spent[job.id] > budget:
            yield "J2", job.id, f"{spent[job.id]} failed attempts of {budget}"
        if job.state in WAITING:
            row = rows.get(job.queue_job_id or 0)
            if row is None or (row.status, row.queue) != ("todo", "waiting"):
                yield "J3", job.id, "waits without a queue row in `waiting`"
            else:
                held_rows.add(row.id)
    for row in rows.values():
        if row.status in ("todo", "doing") and row.id not in held_rows:
            yield "J3", row.id, f"a queue row is left {row.status} in {row.queue}"


def _spends(attempt: AttemptRow) -> int:
    failed = attempt.outcome == "failed" and attempt.error_class not in SPENDS_NOTHING
    return int(failed and attempt.error_code not in INTERRUPTIONS)


def _has_reason(h: History, job: JobRow) -> bool:
    if job.wait_reason == "outcome_unknown":
        return job.id in h.snapshot.intents
    return bool(job.wait_reason)


def _transitions(h: History) -> Found:
    events = sorted(h.snapshot.events, key=lambda e: (e.job_id, e.seq))
    state: dict[UUID, str] = {}
    seq: dict[UUID, int] = defaultdict(int)
    left: dict[UUID, int] = defaultdict(int)
    again: dict[UUID, int] = defaultdict(int)
    fence: dict[UUID, int] = defaultdict(int)
    for event in events:
        job, before = event.job_id, state.get(event.job_id, "")
        if event.seq != seq[job] + 1:
            yield "S0", job, f"stored seq {event.seq} follows {seq[job]}"
        if event.state not in LIVE_AFTER.get(before, set()):
            yield "J4", job, f"{before} became {event.state} at seq {event.seq}"
        attempt = int(event.data.get("attempt", 0))
        if attempt < fence[job]:
            yield "J4", job, f"attempt {attempt} follows {fence[job]} at seq {event.seq}"
        left[job] += before in TERMINAL and before != "completed"
        again[job] += before == "completed"
        seq[job], state[job], fence[job] = event.seq, event.state, attempt
    for job, times in left.items():
        if times > h.snapshot.retries.get(job, 0):
            yield "J4", job, f"left a terminal state {times} times, {h.snapshot.retries.get(job, 0)} by a person"
    for job, times in again.items():
        if times != h.snapshot.again.get(job, 0):
            yield "J4", job, f"was completed and went on {times} times, {h.snapshot.again.get(job, 0)} by a person"
    for row in h.snapshot.jobs:
        if (row.seq, row.state) != (seq[row.id], state.get(row.id, "")):
            yield "J5", row.id, f"is {row.state} at {row.seq}; its last event says {state.get(row.id)} at {seq[row.id]}"


def _effects(h: History) -> Found:
    accepted: dict[str, list[Effect]] = defaultdict(list)
    highest: dict[str, int] = defaultdict(int)
    for effect in sorted(h.effects, key=lambda e: e.time):
        if effect.accepted:
            accepted[effect.reference].append(effect)
            if effect.fence < highest[effect.reference]:
                yield "E2", effect.reference, f"fence {effect.fence} was accepted after {highest[effect.reference]}"
        highest[effect.reference] = max(highest[effect.reference], effect.fence)
    for reference, taken in accepted.items():
        if len(taken) > 1:
            yield "E1", reference, f"submitted {len(taken)} times, by fences {[effect.fence for effect in taken]}"
    known = set()
    for job in h.snapshot.jobs:
        *former, present = _references(h, job)
        known |= {*former, present}
        if job.external_ref != present:
            yield "E1", job.id, f"its reference is {job.external_ref} and should be {present}"
        for reference in former:
            if reference not in accepted:
                yield "E3", job.id, f"run again, and {reference} was never submitted"
        count = len(accepted.get(present, ()))
        if job.state == "completed" and count != 1:
            yield "E3", job.id, f"completed with {count} submissions"
        if job.state in ("failed", "cancelled") and count:
            yield "E4", job.id, f"{job.state} with {count} submissions"
    for reference in accepted.keys() - known:
        yield "E1", reference, "submitted, and no job has this reference"


def _references(h: History, job: JobRow) -> list[str]:
    """One for each submission that was asked for: the record's own, and a further one each time a person ran it again."""
    record = next(
        (record.external_ref for record in h.snapshot.records if record.id == job.record_id), job.external_ref
    )
    return [record, *(f"{record}-{n + 2}" for n in range(h.snapshot.again.get(job.id, 0)))]


def _photos(*, collected: bool) -> Callable[[History], Found]:
    def rules(h: History) -> Found:
        named = set()
        for photo in h.snapshot.photos:
            named.add(photo.sha256)
            actual = h.snapshot.files.get(photo.sha256)
            if actual is None:
                yield "P1", photo.record_id, f"the file of {photo.name} is missing"
            elif actual != photo.sha256:
                yield "P1", photo.record_id, f"the file of {photo.name} holds other bytes"
        for name in h.snapshot.files:
            if name not in named and collected:
                yield "P1", name, "a file that no row names"

    return rules


def _vacuity(figures: dict[str, float], demands: Demands) -> Found:
    for name in ("acked", "unknown", "kills_that_hit", "zombies", "reconnects", "effects"):
        wanted = getattr(demands, name)
        if figures[name] < wanted:
            yield "V", name, f"only {figures[name]:g} of the {wanted} that make this run worth anything"
    if figures["snapshots_on_resume"] > demands.snapshots_on_resume:
        yield "V", "snapshots_on_resume", f"{figures['snapshots_on_resume']:.0%} of the resumes needed a snapshot"
