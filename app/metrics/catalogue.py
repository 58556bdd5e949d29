"""Every figure that is read from the database: its labels and what it says. Names get `asbuilt_` in front."""

from __future__ import annotations

from typing import NamedTuple

RECENT_S = 300
"""How far back figures that end in `_recent` look."""

_RECENT = "in the last five minutes"
_PORTAL = ("portal", "account")


class Figure(NamedTuple):
    says: str
    labels: tuple[str, ...] = ()


SYSTEM: dict[str, Figure] = {
    "jobs": Figure("Live jobs by state and what they wait for.", ("state", "wait_reason")),
    "job_oldest_seconds": Figure("How long the oldest of them is in line or in its state.", ("state", "wait_reason")),
    "ready_jobs": Figure("Jobs that wait for nothing but a worker."),
    "ready_oldest_seconds": Figure("How long the first in line of them waits."),
    "queue_rows": Figure("Rows of Procrastinate that are not done, by queue.", ("queue", "status")),
    "attempts_recent": Figure(
        f"Attempts that ended {_RECENT}, by portal, outcome and code of the error.", ("portal", "outcome", "code")
    ),
    "pickup_recent_seconds": Figure(
        f"From being in line, or due, to the claim: quantiles over attempts that ended {_RECENT}.", ("quantile",)
    ),
    "run_recent_seconds": Figure(
        f"From the claim to the end: quantiles over attempts that completed {_RECENT}.", ("portal", "quantile")
    ),
    "records_recent": Figure(f"Records that came {_RECENT}."),
    "leases_expired": Figure("Open attempts whose lease is over and that nobody has taken over yet."),
    "workers": Figure("Workers of the last day that have not ended by themselves.", ("state",)),
    "worker_places": Figure("Runs that the workers alive do at once."),
    "worker_places_busy": Figure("Runs that they do now."),
    "portal_breaker": Figure("1 for the state that the account's breaker is in.", (*_PORTAL, "state")),
    "portal_paused": Figure("1 while the account is paused: by a person, a rejected login or a recipe.", _PORTAL),
    "portal_slots": Figure("How many runs the account bears now; 0 while it is closed.", _PORTAL),
    "portal_slots_taken": Figure("Slots that are held.", _PORTAL),
    "portal_waiting": Figure("Jobs that are ready but for the account.", _PORTAL),
}


def table() -> str:
    """The figures as the documentation has them."""
    rows = [
        f"| `asbuilt_{name}` | {', '.join(f'`{label}`' for label in figure.labels)} | {figure.says} |"
        for name, figure in SYSTEM.items()
    ]
    return "\n".join(["| figure | labels | says |", "|---|---|---|", *rows])
