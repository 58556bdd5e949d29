"""The checker itself: one clean history passes, and each of the faults seeded into it is found under its own rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.faults.checker import Demands, check
from tests.faults.clean import SHA, clean, job_id, of_client, record_id
from tests.faults.history import Act, Effect, History, QueueRow, RecordRow
from tests.faults.timings import Limits, percentile

Spoil = Callable[[History], None]


def change(rows: list[Any], n: int, **values: object) -> None:
    rows[n] = msgspec.structs.replace(rows[n], **values)


def position(rows: list[Any], **wanted: object) -> int:
    return next(n for n, row in enumerate(rows) if all(getattr(row, name) == value for name, value in wanted.items()))


def event(h: History, n: int, seq: int, **data: object) -> None:
    at = position(h.snapshot.events, job_id=job_id(n), seq=seq)
    change(h.snapshot.events, at, data=h.snapshot.events[at].data | data)


def lost_record(h: History) -> None:
    del h.snapshot.records[0]


def lost_job(h: History) -> None:
    del h.snapshot.jobs[0]


def second_job(h: History) -> None:
    h.snapshot.jobs.append(msgspec.structs.replace(h.snapshot.jobs[0], id=job_id(99)))


def two_answers(h: History) -> None:
    ok = next(call for call in h.calls if call.phase == "ok")
    h.calls.append(msgspec.structs.replace(ok, job=job_id(99)))


def unexpected_record(h: History) -> None:
    h.snapshot.records.append(RecordRow(id=record_id(50), external_ref="AB-50"))


def stuck_job(h: History) -> None:
    change(h.snapshot.jobs, 0, state="processing")


def open_attempt(h: History) -> None:
    change(h.snapshot.attempts, 0, ended_at=None)


def wait_without_intent(h: History) -> None:
    h.snapshot.intents.clear()


def budget_overrun(h: History) -> None:
    h.snapshot.retries.clear()
    at = position(h.snapshot.attempts, job_id=job_id(3), attempt=4)
    change(h.snapshot.attempts, at, outcome="failed", error_class="transient", error_code="X")


def negative_duration(h: History) -> None:
    change(h.snapshot.attempts, 0, ended_at=h.snapshot.attempts[0].started_at - timedelta(seconds=1))


def queue_row_left(h: History) -> None:
    h.snapshot.queue.append(QueueRow(id=78, queue="automation", status="doing"))


def illegal_transition(h: History) -> None:
    event(h, 1, 2, state="held")


def terminal_left_by_nobody(h: History) -> None:
    h.snapshot.retries.clear()


def last_event_differs(h: History) -> None:
    change(h.snapshot.jobs, 0, seq=9)


def fence_went_down(h: History) -> None:
    event(h, 2, 4, attempt=0)


def double_submission(h: History) -> None:
    h.effects.append(msgspec.structs.replace(h.effects[0], fence=2, time=h.effects[0].time + 1))


def zombie_submission(h: History) -> None:
    """The higher fence was refused, the lower one after it was taken: one effect, by the wrong attempt."""
    taken = h.effects[1]
    h.effects.append(Effect(reference=taken.reference, fence=9, time=taken.time - 1, accepted=False))


def submission_lost(h: History) -> None:
    del h.effects[0]


def failed_and_submitted(h: History) -> None:
    at = position(h.effects, reference=f"AB-{4:010d}")
    change(h.effects, at, accepted=True)


def submission_of_nobody(h: History) -> None:
    h.effects.append(Effect(reference="AB-NOBODY", fence=1, time=1.0, accepted=True))


def run_again_by_nobody(h: History) -> None:
    h.snapshot.again.clear()


def second_under_the_first_reference(h: History) -> None:
    """The run that was asked for once more, under the reference of the first: a look-up could not tell them apart."""
    at = position(h.effects, reference=f"AB-{6:010d}-2")
    change(h.effects, at, reference=f"AB-{6:010d}")


def first_one_lost(h: History) -> None:
    del h.effects[position(h.effects, reference=f"AB-{6:010d}")]


def asked_twice_and_submitted_once(h: History) -> None:
    h.snapshot.again[job_id(6)] = 2


def gap_in_store(h: History) -> None:
    del h.snapshot.events[position(h.snapshot.events, job_id=job_id(2), seq=3)]


def stream_gap(h: History) -> None:
    del h.heard[of_client(h.heard, "page-3")[3]]


def stream_repeat(h: History) -> None:
    at = of_client(h.heard, "page-3")[4]
    h.heard.insert(at, h.heard[at])


def stream_lie(h: History) -> None:
    at = of_client(h.heard, "page-1")[1]
    change(h.heard, at, data=h.heard[at].data | {"state": "failed"})


def stream_end_missing(h: History) -> None:
    del h.heard[of_client(h.heard, "page-2")[-1]]


def stream_late(h: History) -> None:
    at = of_client(h.heard, "page-1")[-1]
    change(h.heard, at, at=h.heard[at].at + 30)


def photo_missing(h: History) -> None:
    h.snapshot.files.clear()


def photo_damaged(h: History) -> None:
    h.snapshot.files[SHA] = "00" * 32


def temp_file_left(h: History) -> None:
    h.snapshot.files["tmp/incoming-1"] = ""


FAULTS: list[tuple[Spoil, str]] = [
    (lost_record, "U1"),
    (lost_job, "U2"),
    (second_job, "U2"),
    (two_answers, "U3"),
    (unexpected_record, "U4"),
    (unexpected_record, "U5"),
    (lost_record, "U6"),
    (stuck_job, "J1"),
    (open_attempt, "J1"),
    (wait_without_intent, "J1"),
    (budget_overrun, "J2"),
    (negative_duration, "J2"),
    (queue_row_left, "J3"),
    (illegal_transition, "J4"),
    (terminal_left_by_nobody, "J4"),
    (fence_went_down, "J4"),
    (last_event_differs, "J5"),
    (double_submission, "E1"),
    (submission_of_nobody, "E1"),
    (run_again_by_nobody, "E1"),
    (run_again_by_nobody, "J4"),
    (second_under_the_first_reference, "E1"),
    (first_one_lost, "E3"),
    (asked_twice_and_submitted_once, "E1"),
    (zombie_submission, "E2"),
    (submission_lost, "E3"),
    (failed_and_submitted, "E4"),
    (gap_in_store, "S0"),
    (stream_gap, "S1"),
    (stream_repeat, "S1"),
    (stream_lie, "S2"),
    (stream_end_missing, "S3"),
    (stream_late, "S4"),
    (photo_missing, "P1"),
    (photo_damaged, "P1"),
    (temp_file_left, "P1"),
]


def test_a_clean_history_passes() -> None:
    report = check(clean(), collected=True)
    assert report.violations == [], str(report)
    assert report.figures["effects"] == 5
    assert report.figures["kills_that_hit"] == 1
    assert report.figures["reconnects"] == 6


@pytest.mark.parametrize(("spoil", "rule"), FAULTS, ids=[f"{rule}-{spoil.__name__}" for spoil, rule in FAULTS])
def test_a_seeded_fault_is_found(spoil: Spoil, rule: str) -> None:
    h = clean()
    spoil(h)
    assert rule in {violation.rule for violation in check(h, collected=True).violations}


def test_a_late_event_is_forgiven_while_its_source_was_down() -> None:
    h = clean()
    stream_late(h)
    late = h.heard[of_client(h.heard, "page-1")[-1]].at
    h.acts.append(Act(at=late - 31, act="outage", until=late - 1))
    assert check(h).violations == []


@pytest.mark.parametrize("name", ["acked", "unknown", "kills_that_hit", "zombies", "reconnects", "effects"])
def test_a_run_that_saw_nothing_does_not_pass(name: str) -> None:
    found = check(clean(), demands=Demands(**{name: 50}))
    assert [violation.rule for violation in found.violations] == ["V"]


def test_too_many_snapshots_on_resume_do_not_pass() -> None:
    h = clean()
    at = of_client(h.heard, "page-1")[-1]
    change(h.heard, at, event="snapshot")
    assert [v.rule for v in check(h, demands=Demands(snapshots_on_resume=0.05)).violations] == ["V"]


def test_a_zombie_is_counted_when_it_woke_after_the_next_claim() -> None:
    h = clean()
    first, second = [attempt for attempt in h.snapshot.attempts if attempt.job_id == job_id(2)]
    stopped, woke = first.started_at.timestamp() + 0.1, second.started_at.timestamp() + 0.1
    h.acts.append(Act(at=stopped, act="stop", target="worker-1", running=(job_id(2),)))
    h.acts.append(Act(at=woke, act="cont", target="worker-1"))
    assert check(h).figures["zombies"] == 1


@pytest.mark.parametrize(
    "limits", [Limits(ack_p99_s=0.05), Limits(pickup_p95_s=0.5), Limits(reclaim_p99_s=1.0), Limits(event_p99_s=0.05)]
)
def test_slowness_is_a_violation_where_a_limit_is_promised(limits: Limits) -> None:
    assert len(check(clean(), limits=limits).violations) == 1


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([], 0.99) == 0
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.99) == 99
    assert percentile([5], 0.99) == 5
