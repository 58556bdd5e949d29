"""The words of the demo panel: what each switch does, in groups, and which of them the second portal has."""

from __future__ import annotations

import msgspec

from tasks.demo_portal.portal import Key


class Switch(msgspec.Struct, frozen=True):
    """One field of `Quirks`, or one weight of `SubmitOdds`, in a sentence."""

    name: str
    label: str
    says: str


GROUPS: tuple[tuple[str, tuple[Switch, ...]], ...] = (
    (
        "Pages",
        (
            Switch("think_min_s", "Think time, from (s)", "Every page takes at least this long."),
            Switch("think_max_s", "Think time, to (s)", "And at most this long; each page draws its own."),
            Switch("error_rate", "Error pages", "This share of the page requests ends with a 500."),
            Switch("drop_rate", "Dropped connections", "This share of the page requests is cut off without an answer."),
            Switch("maintenance", "Maintenance", "Everything but the status page answers 503."),
            Switch("retry_after_s", "Come back after (s)", "What the 503 says in Retry-After."),
        ),
    ),
    (
        "Sign-in",
        (
            Switch("session_requests", "Pages a session", "The session ends after so many pages; 0: never."),
            Switch("session_minutes", "Minutes a session", "The session ends after so many minutes; 0: never."),
            Switch("single_session", "One session an account", "Signing in throws out whoever is signed in already."),
            Switch("lockout_after", "Lock-out after", "So many wrong passwords in a row lock the account; 0: never."),
            Switch("otp_every", "One-time code every", "Every n-th sign-in asks for a code from the phone; 0: none."),
            Switch("captcha_every", "Type the word every", "Every n-th sign-in asks for a word on a picture; 0: none."),
            Switch("notice_modal", "Notice", "A notice lies over the start page until it is dismissed."),
        ),
    ),
    (
        "Submit request",
        (
            Switch("slow_s", "Slow answer (s)", "How long a slow submit request takes."),
            Switch("duplicates", "Duplicates", "What becomes of a second submission of one reference."),
            Switch("index_lag_s", "Index lag (s)", "The look-up finds a submission only so long after it was made."),
        ),
    ),
    (
        "Data rules",
        (
            Switch("validation", "Validation", "Check what is keyed: patterns, bounds, dates, photos."),
            Switch("closed_district", "Closed district", "As-builts of this district are refused."),
            Switch("photo_max_mb", "Photo size (MB)", "Larger photos are refused."),
            Switch("photo_exif", "Photo needs its time", "Photos without a time of capture are refused."),
        ),
    ),
    (
        "Last night's release",
        (
            Switch("drift_button", "Renamed buttons", "The buttons have other words."),
            Switch("drift_label", "Moved label", "The first field has another label, and another place."),
            Switch("drift_dialog", "Extra question", "The browser asks once more before submitting."),
        ),
    ),
)
ODDS = (
    Switch("ok", "Submit: ok", "Weight of: taken in and answered."),
    Switch("lost", "Submit: lost", "Weight of: taken in, then the connection is reset."),
    Switch("error", "Submit: error", "Weight of: a 500, and nothing taken in."),
    Switch("slow", "Submit: slow", "Weight of: taken in and answered, but late."),
    Switch("closed", "Submit: closed", "Weight of: taken in, then closed unanswered; a browser may send it again."),
    Switch("refused", "Submit: refused", "Weight of: sent back with a sentence, and nothing taken in."),
)
_NOT_AT_HARBOR = frozenset(
    {"otp_every", "captcha_every", "notice_modal", "duplicates", "index_lag_s", "closed_district"}
)


def has(key: Key, name: str) -> bool:
    """Whether this portal has the switch: Harbor takes every duplicate and has no index, for one."""
    return key == "npl" or name not in _NOT_AT_HARBOR
