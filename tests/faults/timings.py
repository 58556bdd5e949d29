"""The figures of a history: counts for the vacuity guards and the docs, percentiles for the liveness rules L1 to L4."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec

from tests.faults.history import AttemptRow, History


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, on a machine that is not busier than it has cores; infinite where a run does not promise any."""

    ack_p99_s: float = float("inf")
    pickup_p95_s: float = float("inf")
    reclaim_p99_s: float = float("inf")
    event_p99_s: float = float("inf")


def slack() -> float:
    """How much longer everything takes here and now: what runs or waits for a core, by the cores there are; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


RULE = {"ack_p99_s": "L1", "pickup_p95_s": "L2", "reclaim_p99_s": "L3", "event_p99_s": "L4"}


def percentile(values: Sequence[float], part: float) -> float:
    """Nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def figures(h: History) -> dict[str, float]:
    """Everything that is counted or timed."""
    acks = [call.took_s for call in h.calls if call.op == "upload" and call.phase == "ok"]
    acked = {call.key for call in h.calls if call.op == "upload" and call.phase == "ok"}
    kills = [act for act in h.acts if act.act == "kill" and act.running]
    states: dict[str, int] = defaultdict(int)
    for job in h.snapshot.jobs:
        states[job.state] += 1
    resumes = {(line.client, line.connection) for line in h.heard if line.event == "open" and line.reason == "resume"}
    snapshots = {(line.client, line.connection) for line in h.heard if line.event == "snapshot"} & resumes
    reclaims = list(_reclaims(h))
    return {
        "acked": len(acked),
        "unknown": sum(call.phase == "info" for call in h.calls),
        "refused": sum(call.phase == "fail" for call in h.calls),
        "records": len(h.snapshot.records),
        "attempts": len(h.snapshot.attempts),
        "lost_attempts": sum(attempt.outcome == "lost" for attempt in h.snapshot.attempts),
        "detached": sum(attempt.outcome == "detached" for attempt in h.snapshot.attempts),
        "effects": sum(effect.accepted for effect in h.effects),
        "requests": len(h.effects),
        "kills": sum(act.act == "kill" for act in h.acts),
        "kills_that_hit": len(kills),
        "zombies": _zombies(h),
        "streams": len({line.client for line in h.heard}),
        "heard": len(h.heard),
        "reconnects": len(resumes),
        "snapshots_on_resume": len(snapshots) / len(resumes) if resumes else 0.0,
        "orphans": len(h.snapshot.files.keys() - {photo.sha256 for photo in h.snapshot.photos}),
        "ack_p99_s": percentile(acks, 0.99),
        "pickup_p95_s": percentile(list(_pickups(h)), 0.95),
        "reclaim_p99_s": percentile(reclaims, 0.99),
        "event_p99_s": percentile(list(_event_lags(h)), 0.99),
        "event_max_s": max(_event_lags(h), default=0.0),
        **{f"jobs_{state}": count for state, count in sorted(states.items())},
    }


def limits(found: dict[str, float], wanted: Limits, *, times: float = 1.0) -> Iterator[tuple[str, str, str]]:
    for name, rule in RULE.items():
        limit = getattr(wanted, name) * times
        if found[name] > limit:
            yield rule, name, f"{found[name]:.2f} s; promised are {limit:g} s"


def _by_job(h: History) -> dict[UUID, list[AttemptRow]]:
    attempts: dict[UUID, list[AttemptRow]] = defaultdict(list)
    for attempt in sorted(h.snapshot.attempts, key=lambda a: a.attempt):
        attempts[attempt.job_id].append(attempt)
    return attempts


def _reclaims(h: History) -> Iterator[float]:
    """From the kill of a worker until the next attempt of each job it was running began."""
    attempts = _by_job(h)
    for act in h.acts:
        if act.act != "kill":
            continue
        for job in act.running:
            later = [a for a in attempts[job] if a.started_at.timestamp() >= act.at]
            if later:
                yield later[0].started_at.timestamp() - act.at


def _pickups(h: History) -> Iterator[float]:
    """From the event that made a job ready to the claim that followed it directly."""
    before = None
    for event in sorted(h.snapshot.events, key=lambda e: (e.job_id, e.seq)):
        if (
            before is not None
            and before.job_id == event.job_id
            and (before.state, event.state) == ("queued", "processing")
        ):
            yield (event.at - before.at).total_seconds()
        before = event


def _event_lags(h: History) -> Iterator[float]:
    """From an event, or from when its client came, until it was heard."""
    stored = {(event.job_id, event.seq): event for event in h.snapshot.events}
    opened: dict[str, float] = {}
    for line in h.heard:
        if line.event == "open":
            opened[line.client] = line.at
        elif line.event == "state" and line.job is not None and (event := stored.get((line.job, line.seq))):
            yield line.at - max(event.at.timestamp(), opened.get(line.client, 0.0))


def _zombies(h: History) -> int:
    """Workers continued after another attempt of a job they were running had begun."""
    attempts = _by_job(h)
    woke = 0
    for act in h.acts:
        if act.act != "cont":
            continue
        stopped = max(
            (s for s in h.acts if s.act == "stop" and s.target == act.target and s.at < act.at),
            key=lambda s: s.at,
            default=None,
        )
        if stopped is None:
            continue
        woke += any(
            stopped.at < later.started_at.timestamp() < act.at for job in stopped.running for later in attempts[job]
        )
    return woke
