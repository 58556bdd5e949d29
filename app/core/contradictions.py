"""Settings that are sound one by one, and together break an invariant."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.settings import Settings


def contradictions(s: Settings) -> list[str]:
    """What is wrong with the settings, one sentence each (failure rule R-I)."""
    checks = [
        (s.lease_s < 3 * s.heartbeat_s, "ASBUILT_LEASE_S must be at least three times ASBUILT_HEARTBEAT_S"),
        (
            s.gate_s <= s.lease_s + s.reconcile_s,
            "ASBUILT_GATE_S must be longer than ASBUILT_LEASE_S and ASBUILT_RECONCILE_S together, or a run whose worker"
            " was lost gives up before the next one comes",
        ),
        (
            bool(s.bucket) and not re.fullmatch(r"s3://[^/]+(/[^/]+)*/?", s.bucket),
            f"ASBUILT_BLOBS is {s.bucket!r}, and not like s3://bucket or s3://bucket/prefix",
        ),
        (s.pool_size < 2, "ASBUILT_POOL_SIZE must be at least 2"),
        (0 < len(s.metrics_token) < 16, "ASBUILT_METRICS_TOKEN must have at least 16 characters"),
        (s.uploads_per_s > 0 and s.uploads_burst < 1, "ASBUILT_UPLOADS_BURST must be at least 1"),
        (
            min(s.uploads_per_s, s.requests_per_device, s.failed_auth_per_min, s.requests_at_once) < 0
            or min(s.requests_waiting, s.requests_wait_s) < 0,
            "limits of requests must not be below zero",
        ),
        (s.concurrency < 1, "ASBUILT_CONCURRENCY must be at least 1"),
        (s.max_attempts < 1, "ASBUILT_MAX_ATTEMPTS must be at least 1"),
        (
            min(s.heartbeat_s, s.reconcile_s, s.poll_s, s.attempt_s, s.engine_poll_s) <= 0
            or min(s.body_idle_s, s.body_total_s, s.head_s, s.database_s) <= 0,
            "durations must be above zero",
        ),
        (
            not all(_is_key(key) for key in s.secret_key),
            "ASBUILT_SECRET_KEY must be 32 bytes in URL-safe base64, or several with commas between them: "
            "`asbuilt secret-key` makes one",
        ),
    ]
    return [sentence for broken, sentence in checks if broken]


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text.encode())) == 32
    except ValueError:
        return False
