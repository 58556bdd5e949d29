"""A small history in which everything went right although much went wrong; the self-test of the checker spoils it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.faults.history import (
    Act,
    AttemptRow,
    Call,
    Effect,
    EventRow,
    Heard,
    History,
    JobRow,
    Phase,
    PhotoRow,
    QueueRow,
    RecordRow,
    Snapshot,
)

BEGAN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SHA = "ab" * 32
PHASES: tuple[Phase, ...] = ("invoke", "info", "invoke", "ok")

Outcome = tuple[str, str | None]
"""How an attempt ended, and the class of its error."""


def record_id(n: int) -> UUID:
    return UUID(int=0x1000 + n)


def job_id(n: int) -> UUID:
    return UUID(int=0x2000 + n)


class Story:
    """Builds one job's rows, state by state, a second apart."""

    def __init__(self, n: int, history: History) -> None:
        self.n = n
        self.history = history
        self.job = job_id(n)
        self.reference = f"AB-{n:010d}"
        self.at = BEGAN + timedelta(seconds=n)
        self.attempt = 0
        self.seq = 0
        self.state = ""
        self.wait_reason: str | None = None

    def tick(self) -> None:
        self.at += timedelta(seconds=1)

    def becomes(self, state: str, *, wait_reason: str | None = None) -> None:
        self.tick()
        self.seq += 1
        self.state, self.wait_reason = state, wait_reason
        data: dict[str, Any] = {
            "state": state,
            "seq": self.seq,
            "attempt": self.attempt,
            "failures": 0,
            "wait_reason": wait_reason,
            "confirmation": "NPL-1" if state == "completed" else None,
            "external_ref": self.reference,
        }
        self.history.snapshot.events.append(EventRow(job_id=self.job, seq=self.seq, at=self.at, data=data))

    def runs(self, outcome: Outcome, *, then: str, wait_reason: str | None = None) -> None:
        """One attempt: claimed, and ended like this."""
        self.attempt += 1
        self.becomes("processing")
        began = self.at
        self.becomes(then, wait_reason=wait_reason)
        self.history.snapshot.attempts.append(
            AttemptRow(
                job_id=self.job,
                attempt=self.attempt,
                worker=f"host:{self.attempt}",
                started_at=began,
                ended_at=self.at,
                outcome=outcome[0],
                error_class=outcome[1],
                error_code="X" if outcome[1] else None,
            )
        )

    def submits(self) -> None:
        self.history.effects.append(
            Effect(reference=self.reference, fence=self.attempt, time=self.at.timestamp(), accepted=True)
        )

    def ends(self, *, queue_job_id: int | None = None) -> None:
        snapshot = self.history.snapshot
        snapshot.records.append(RecordRow(id=record_id(self.n), external_ref=f"AB-{self.n:010d}"))
        snapshot.jobs.append(
            JobRow(
                id=self.job,
                record_id=record_id(self.n),
                external_ref=self.reference,
                state=self.state,
                wait_reason=self.wait_reason,
                attempt=self.attempt,
                failures=0,
                max_attempts=3,
                seq=self.seq,
                queue_job_id=queue_job_id,
            )
        )
        self._uploaded()
        self._followed()

    def _uploaded(self) -> None:
        """Twice: the first answer was lost."""
        at = (BEGAN + timedelta(seconds=self.n)).timestamp()
        for n, phase in enumerate(PHASES):
            ok = phase == "ok"
            self.history.calls.append(
                Call(
                    at=at + n / 10,
                    client="phone",
                    op="upload",
                    key=record_id(self.n),
                    phase=phase,
                    status=201 if ok else 0,
                    record=record_id(self.n) if ok else None,
                    job=self.job if ok else None,
                    took_s=0.1,
                )
            )

    def _followed(self) -> None:
        """The first event by a snapshot, then each of them, with a reconnection in the middle."""
        for event in [event for event in self.history.snapshot.events if event.job_id == self.job]:
            if event.seq == 3:
                self._hears("open", event)
            self._hears("snapshot" if event.seq == 1 else "state", event)

    def _hears(self, kind: str, event: EventRow) -> None:
        self.history.heard.append(
            Heard(
                at=event.at.timestamp() + 0.1,
                client=f"page-{self.n}",
                follows=self.job,
                connection=1 if event.seq < 3 else 2,
                event=kind,
                job=None if kind == "open" else self.job,
                seq=0 if kind == "open" else event.seq,
                data={} if kind == "open" else dict(event.data),
                reason="resume" if kind == "open" else "",
            )
        )


def clean() -> History:
    """Six jobs: one attempt · rescued from a killed worker · failed and retried by a person · failed · unknown outcome · run again."""
    h = History(
        calls=[],
        effects=[],
        heard=[],
        acts=[],
        snapshot=Snapshot(records=[], jobs=[], attempts=[], events=[], queue=[]),
    )
    _simple(h)
    _rescued(h)
    _retried(h)
    _failed(h)
    _unknown(h)
    _again(h)
    h.snapshot.photos.append(PhotoRow(record_id=record_id(1), name="pole", sha256=SHA))
    h.snapshot.files[SHA] = SHA
    return h


def _simple(h: History) -> None:
    story = Story(1, h)
    story.becomes("queued")
    story.runs(("completed", None), then="completed")
    story.submits()
    story.ends()


def _rescued(h: History) -> None:
    story = Story(2, h)
    story.becomes("queued")
    story.runs(("lost", None), then="queued")
    killed_at = story.history.snapshot.attempts[-1].started_at.timestamp() + 0.1
    h.acts.append(Act(at=killed_at, act="kill", target="worker-1", running=(story.job,)))
    story.runs(("completed", None), then="completed")
    story.submits()
    story.ends()


def _retried(h: History) -> None:
    story = Story(3, h)
    story.becomes("queued")
    for then in ("retrying", "retrying", "failed"):
        story.runs(("failed", "transient"), then=then, wait_reason="backoff" if then == "retrying" else None)
    h.snapshot.retries[story.job] = 1
    story.becomes("queued")
    story.runs(("completed", None), then="completed")
    story.submits()
    story.ends()


def _failed(h: History) -> None:
    story = Story(4, h)
    story.becomes("queued")
    story.runs(("failed", "validation_rejected"), then="failed")
    h.effects.append(
        Effect(reference=story.reference, fence=1, time=story.at.timestamp(), accepted=False),
    )
    story.ends()


def _unknown(h: History) -> None:
    story = Story(5, h)
    story.becomes("queued")
    story.runs(("parked", "unknown_outcome"), then="needs_input", wait_reason="outcome_unknown")
    h.snapshot.intents.append(story.job)
    h.snapshot.queue.append(QueueRow(id=77, queue="waiting", status="todo"))
    story.ends(queue_job_id=77)


def _again(h: History) -> None:
    story = Story(6, h)
    story.becomes("queued")
    story.runs(("completed", None), then="completed")
    story.submits()
    h.snapshot.again[story.job] = 1
    story.reference += "-2"
    story.becomes("queued")
    story.runs(("completed", None), then="completed")
    story.submits()
    story.ends()


def of_client(heard: Sequence[Heard], client: str) -> list[int]:
    """Positions of a client's lines."""
    return [n for n, line in enumerate(heard) if line.client == client]
