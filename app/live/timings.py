"""Every duration, in seconds, and every limit of the live part; tests pass shorter ones."""

from __future__ import annotations

import msgspec

ROWS = 500
"""Beyond so many rows a replay becomes a snapshot, and a snapshot ends."""


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a stream and its sources wait, and how much they take."""

    heartbeat_s: float = 15.0
    lifetime_s: float = 900.0
    """A stream ends by itself after at most this; clients resume where they were."""
    recheck_s: float = 30.0
    """How often a stream's token or session is asked for again."""
    read_s: float = 5.0
    """Deadline of a read from Postgres; a frozen server would hold it for ever."""
    again_s: float = 1.0

    backlog: int = 256
    streams_per_caller: int = 20
    """0 is no limit."""
    streams: int = 10_000

    poll_s: float = 5.0
    ping_s: float = 5.0
    """How often the listening connection must hear itself: so long, and `pong_s`, may it be dead without anybody knowing."""
    pong_s: float = 3.0
    retest_s: float = 30.0
    """While LISTEN does not work: how long to poll before it is tried again."""
    backoff_first_s: float = 0.2
    backoff_last_s: float = 5.0

    redis_block_s: float = 2.0
    redis_timeout_s: float = 5.0
