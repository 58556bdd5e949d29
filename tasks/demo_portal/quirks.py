"""The portal's bad habits: the switches, their presets, and the dice that decide when one strikes.

Decides only; `gate` and `submitting` act on the decision.
"""

from __future__ import annotations

import random
from typing import Literal

import msgspec

Duplicates = Literal["reject", "warn", "accept"]
Outcome = Literal["ok", "lost", "error", "slow", "closed", "refused"]
_WORDS = (
    "anchor",
    "bracket",
    "crossarm",
    "dropwire",
    "feeder",
    "guywire",
    "insulator",
    "lantern",
    "spliced",
    "voltage",
)
Fault = Literal["none", "error", "drop"]


class SubmitOdds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Relative weights of what happens to a submit request that the portal would accept."""

    ok: float = 1.0
    lost: float = 0.0
    """Taken in, then the connection is reset: the answer never arrives. Chromium may send such a request again."""
    error: float = 0.0
    """An error page, and nothing taken in."""
    slow: float = 0.0
    """Taken in only after `slow_s`, whether or not the browser still waits."""
    closed: float = 0.0
    """Taken in, then the kept-alive connection is closed in good order, unanswered: one click of Chromium's, three requests."""
    refused: float = 0.0
    """Positively refused with a sentence on the page before: nothing was taken in, and it says so."""


class Quirks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All switches. Rates are probabilities a page request, durations seconds; 0 turns a limit off."""

    think_min_s: float = 0.0
    think_max_s: float = 0.0
    error_rate: float = 0.0
    drop_rate: float = 0.0
    maintenance: bool = False
    retry_after_s: int = 300
    session_requests: int = 0
    session_minutes: float = 0.0
    single_session: bool = False
    lockout_after: int = 5
    """Wrong passwords in a row until the account is locked."""
    otp_every: int = 0
    """Every n-th sign-in asks for a one-time code."""
    captcha_every: int = 0
    """Every n-th sign-in asks to type a word from a picture."""
    notice_modal: bool = False
    submit: SubmitOdds = SubmitOdds()
    slow_s: float = 20.0
    duplicates: Duplicates = "reject"
    index_lag_s: float = 0.0
    validation: bool = True
    closed_district: str = ""
    photo_exif: bool = False
    """Refuse photos that carry no time of capture."""
    photo_max_mb: float = 10.0
    drift_button: bool = False
    drift_label: bool = False
    drift_dialog: bool = False


PRESETS: dict[str, Quirks] = {
    "calm": Quirks(think_min_s=0.15, think_max_s=0.3),
    "realistic": Quirks(
        think_min_s=0.5,
        think_max_s=4.0,
        error_rate=0.02,
        drop_rate=0.005,
        session_requests=40,
        submit=SubmitOdds(ok=90, lost=4, error=3, slow=2, closed=1),
        index_lag_s=5.0,
    ),
    "bad-day": Quirks(
        think_min_s=0.03,
        think_max_s=0.15,
        error_rate=0.03,
        session_requests=14,
        submit=SubmitOdds(ok=40, lost=28, error=17, slow=10, refused=5),
        slow_s=6.0,
        duplicates="accept",
        index_lag_s=2.0,
    ),
}


def problems(quirks: Quirks) -> list[str]:
    """Why these switches cannot be set; empty when they can."""
    weights = msgspec.structs.astuple(quirks.submit)
    durations = (quirks.think_min_s, quirks.slow_s, quirks.index_lag_s, quirks.retry_after_s, quirks.session_minutes)
    counts = (quirks.session_requests, quirks.lockout_after, quirks.otp_every, quirks.captcha_every)
    checks = [
        (not 0 <= quirks.error_rate + quirks.drop_rate <= 1, "error_rate and drop_rate must add up to at most 1"),
        (min(quirks.error_rate, quirks.drop_rate) < 0, "rates must not be negative"),
        (quirks.think_max_s < quirks.think_min_s, "think_max_s must not be below think_min_s"),
        (min(*durations, *counts) < 0, "durations and counts must not be negative"),
        (quirks.photo_max_mb <= 0, "photo_max_mb must be above 0"),
        (min(weights) < 0 or sum(weights) <= 0, "submit needs weights of at least 0, and one above it"),
    ]
    return [sentence for broken, sentence in checks if broken]


class Dice:
    """One seeded source of chance a process, so that a test that asks in the same order gets the same answers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, and no secret depends on it

    def reseed(self, seed: int) -> None:
        """Start over."""
        self._random.seed(seed)

    def think_s(self, quirks: Quirks) -> float:
        """How long this page makes its visitor wait."""
        return self._random.uniform(quirks.think_min_s, quirks.think_max_s)

    def fault(self, quirks: Quirks) -> Fault:
        """Whether this page request breaks, and how."""
        roll = self._random.random()
        if roll < quirks.error_rate:
            return "error"
        return "drop" if roll < quirks.error_rate + quirks.drop_rate else "none"

    def outcome(self, quirks: Quirks) -> Outcome:
        """What becomes of this submit request."""
        odds = quirks.submit
        choices: tuple[Outcome, ...] = ("ok", "lost", "error", "slow", "closed", "refused")
        weights = (odds.ok, odds.lost, odds.error, odds.slow, odds.closed, odds.refused)
        return self._random.choices(choices, weights)[0]

    def code(self) -> str:
        """A one-time code of six digits."""
        return f"{self._random.randrange(10**6):06d}"

    def word(self) -> str:
        """A word to be read off a picture and typed."""
        return self._random.choice(_WORDS)
