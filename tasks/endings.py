"""How an attempt can end other than by success, as exceptions: words that the driving raises and the settling reads."""

from __future__ import annotations

from tasks.engines.contract import RunFailure
from tasks.retry import Decision, Spends


class AttemptFailed(Exception):
    """The attempt failed and is settled so; raised to end its queue row the same way."""


class RunEnded(Exception):
    """The run, or the way to it, ended without success. `decision` is taken already, where the failure alone cannot tell."""

    def __init__(self, failure: RunFailure, *, run_over: bool, decision: Decision | None = None) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.run_over = run_over
        self.decision = decision


class RunCancelled(Exception):
    """The run was stopped, before anything was submitted, as a person asked."""


class OutcomeOpen(Exception):
    """Nobody knows yet whether the portal has the record. `blind`: nothing but a person can find out."""

    def __init__(self, failure: RunFailure, *, spends: Spends, run_over: bool, blind: bool) -> None:
        super().__init__(failure.code)
        self.failure = failure
        self.spends = spends
        self.run_over = run_over
        self.blind = blind
