"""The stream rules: what each follower heard against what is stored. S1 order, S2 content, S3 the end, S4 in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from tests.faults.history import Act, EventRow, Heard, History

LATE_S = 5.0
COMPARED = ("state", "seq", "attempt", "failures", "wait_reason", "confirmation", "external_ref")


def stream_rules(h: History) -> Iterator[tuple[str, object, str]]:
    """Followers of one job are held to every event; followers of many to order, content and the last state."""
    stored = {(event.job_id, event.seq): event for event in h.snapshot.events}
    final = {job.id: job.seq for job in h.snapshot.jobs}
    outages = [act for act in h.acts if act.act == "outage"]
    by_client: dict[str, list[Heard]] = defaultdict(list)
    for line in h.heard:
        by_client[line.client].append(line)
    for client, said in by_client.items():
        last: dict[UUID, int] = {}
        told: set[UUID] = set()
        opened, heard_at = 0.0, 0.0
        for line in said:
            if line.event == "open":
                opened = line.at
            if line.event == "open" or any(heard_at < at <= line.at for act in h.acts for at in (act.at, act.until)):
                # Streams of many resume by transaction: what the client knows may come once more.
                told.clear()
            heard_at = line.at
            yield from _one(line, last, told, stored, outages, opened=opened)
        followed = {said[0].follows} if said[0].follows else set(last)
        ended = any(line.event == "left" for line in said)
        for job in followed:
            if job is not None and not ended and last.get(job) != final.get(job):
                yield "S3", client, f"last heard {last.get(job)} of job {job}, which is at {final.get(job)}"


def _one(
    line: Heard,
    last: dict[UUID, int],
    told: set[UUID],
    stored: dict[tuple[UUID, int], EventRow],
    outages: list[Act],
    *,
    opened: float,
) -> Iterator[tuple[str, object, str]]:
    if line.event not in ("state", "snapshot") or line.job is None:
        return
    before = last.get(line.job)
    event = stored.get((line.job, line.seq))
    if event is None:
        yield "S2", line.client, f"heard seq {line.seq} of job {line.job}, which is not stored"
    else:
        different = [name for name in COMPARED if line.data.get(name) != event.data.get(name)]
        if different:
            yield "S2", line.client, f"seq {line.seq} of job {line.job} differs in {', '.join(different)}"
    if line.event == "snapshot":
        if before is not None and line.seq < before:
            yield "S1", line.client, f"a snapshot went back from {before} to {line.seq} of job {line.job}"
    elif line.follows is not None:
        if before is not None and line.seq != before + 1:
            yield "S1", line.client, f"seq {line.seq} of job {line.job} came after {before}"
    elif before is not None and (line.seq < before or (line.seq == before and line.job in told)):
        yield "S1", line.client, f"seq {line.seq} of job {line.job} came after {before}, in a stream of many"
    if event is not None and line.event == "state":
        late_s = lateness(line, event, outages, opened=opened)
        if late_s > LATE_S:
            yield "S4", line.client, f"seq {line.seq} of job {line.job} came {late_s:.1f} s late"
    last[line.job] = line.seq
    told.add(line.job)


def lateness(line: Heard, event: EventRow, outages: list[Act], *, opened: float) -> float:
    """Seconds until it was heard, from the event, from when the client came, or from the end of the outage it fell into."""
    due = max(event.at.timestamp(), opened)
    for outage in sorted(outages, key=lambda act: act.at):
        if outage.at <= line.at and due <= outage.until:
            due = max(due, outage.until)
    return line.at - due
