"""Every setting of every process, read from the environment in this one place.

Nothing else reads the environment. All problems are reported at once, with the name of the variable.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec


class SettingsError(Exception):
    """The environment cannot be used; `problems` has one sentence for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings: " + "; ".join(problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Durations are in seconds, sizes in bytes. Field `lease_s` is the variable `ASBUILT_LEASE_S`, and so on."""

    database_url: str = ""
    """`DATABASE_URL`: libpq URL of Postgres 15 or newer; through a transaction pooler with `pooler`."""
    pooler: bool = False
    """Whether `DATABASE_URL` leads through a transaction pooler: nothing is prepared, and nothing set for a session."""
    listen_url: str = ""
    """A direct URL for LISTEN, where `DATABASE_URL` leads through a pooler; without it changes are polled for."""
    redis_url: str = ""
    """`REDIS_URL`: cache and progress stream; empty means live progress is degraded."""
    automation_url: str = ""
    """`AUTOMATION_URL`: base URL of the automation service."""
    automation_token: str = ""
    """`AUTOMATION_TOKEN`: bearer token for it; the reference runner demands the same."""
    skyvern_url: str = "https://api.skyvern.com"
    """`SKYVERN_URL`: for portals whose engine is `skyvern`; a Skyvern of your own is at http://localhost:8000."""
    skyvern_api_key: str = ""
    browser_use_url: str = "https://api.browser-use.com/api/v4"
    """`BROWSER_USE_URL`: for portals whose engine is `browser-use`."""
    browser_use_api_key: str = ""
    engine_poll_s: float = 2.0
    """How often a third party's run is looked at; it has no stream to follow."""
    secret_key: tuple[str, ...] = ()
    """Keys of what is sealed at rest, newest first, comma-separated; `asbuilt secret-key` makes one."""

    blobs: Path = Path("blobs")
    """Directory of photos. With a bucket it is local, holds what is arriving and copies, and `ASBUILT_SPOOL` names it."""
    bucket: str = ""
    """`s3://bucket/prefix` where `ASBUILT_BLOBS` is one: photos are kept there."""
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    """Public base URL of the web process, for links; default http://host:port."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may ask with a token, comma-separated; none by default."""
    pool_size: int = 8
    streams_per_user: int = 20
    """How many live streams a person or a device may have open at once; 0 is no limit."""
    metrics_token: str = ""
    """What Prometheus shows at /metrics as its bearer token; empty: there is no such page."""

    lease_s: float = 45.0
    heartbeat_s: float = 10.0
    reconcile_s: float = 10.0
    poll_s: float = 5.0
    concurrency: int = 6
    max_attempts: int = 3
    retry_base_s: float = 15.0
    attempt_s: float = 360.0
    """Wall time of one attempt."""
    drain_s: float = 240.0
    look_s: float = 10.0
    """The first pause between two look-ups of a submission whose outcome is open; later ones are longer."""
    verify_s: float = 7200.0
    """How long an open outcome is looked up before a person is asked."""
    decide_s: float = 259_200.0
    """How long an approval, or another question between two runs, waits for a person."""

    photo_bytes: int = 25 * 2**20
    photo_pixels: int = 64_000_000
    record_bytes: int = 256 * 2**10
    request_bytes: int = 120 * 2**20
    body_idle_s: float = 30.0
    """How long a body may bring next to nothing before it is given up."""
    body_total_s: float = 900.0
    """How long a body may take in all."""
    head_s: float = 20.0
    """How long the head of a request may take, from the connection on."""
    database_s: float = 2.0
    """How long a request may have a connection to Postgres, waiting for it included; one that is still busy then is cut."""
    uploads_per_s: float = 10.0
    """How many uploads a device may begin a second, after a burst of `uploads_burst`; 0 is no limit, here and below."""
    uploads_burst: int = 50
    requests_per_device: int = 10
    """How many requests of a device are answered at once."""
    requests_waiting: int = 20
    """How many more of a device wait, unread, until one of those is answered."""
    requests_wait_s: float = 15.0
    """How long they wait."""
    failed_auth_per_min: int = 10
    """How many wrong secrets an address may show a minute."""
    requests_at_once: int = 1000
    """How many requests a web process answers at once, but for streams."""
    upload_bytes: int = 50 * 2**20
    """The largest resumable upload; photos are bound by `photo_bytes` all the same."""
    upload_ttl_s: float = 604_800.0
    """How long an upload that makes no progress can be resumed, or waits for its record."""
    upload_sweep_s: float = 60.0
    """How often the bytes of expired uploads are collected."""
    uploads_per_device: int = 200
    """How many unfinished uploads a device may have."""
    free_disk_bytes: int = 2 * 2**30
    check_photos_s: float = 5.0
    """How long an upload's photos are looked at before its answer; what is not decoded by then is checked by a worker."""
    retention_s: float = 60.0
    """How often what was kept long enough is removed; how long that is, says the table `retention`."""

    runner_host: str = "127.0.0.1"
    """Where the reference runner listens; elsewhere than on loopback in a container of its own only."""
    runner_port: int = 8010
    runner_concurrency: int = 6
    gate_s: float = 120.0
    """How long a run holds its commit request for the worker's word: longer than a lost worker's lease and a sweep."""
    submit_s: float = 30.0
    """How long the portal may take to answer the commit request."""
    answer_s: float = 180.0
    """How long a run holds a portal's page open for a person's answer."""
    runner_dir: Path = Path("runner")
    """Where the reference runner keeps its runs and artifacts."""
    accounts: Path = Path()
    """TOML file of portals and their accounts, see `app.core.credentials`; only the reference runner reads it."""
    recipes: Path = Path()
    """A folder with recipes of one's own, read when the runner starts; empty for those of the package alone."""
    browser: str = ""
    """Path of a Chromium, `none` for the plain HTTP driver, empty to look for one."""
    portal_host: str = "127.0.0.1"
    portal_port: int = 8020
    portal_url: str = ""
    """Base URL of the demo portal, as the runner reaches it."""
    portal_log: Path = Path("portal-log.jsonl")
    portal_preset: str = "calm"
    portal_seed: int = 0
    """Repeats the demo portal's bad habits in the same order; 0 draws a new seed at each start."""
    crashpoint: str = ""
    """`CRASHPOINT`: a fault for tests to inject, see `app.core.crashpoints`; empty in production."""
    npl_user: str = "contractor"
    npl_password: str = "northfield"  # noqa: S105 - the demo portal's own, on loopback
    harbor_user: str = "crew"
    harbor_password: str = "lighthouse"  # noqa: S105 - as above

    def __repr__(self) -> str:
        # A log or an error that shows its settings must show no password and no key.
        return "Settings(…)"

    @property
    def heard_at(self) -> str:
        """Where to LISTEN."""
        return self.listen_url or self.database_url

    @property
    def heard_through_pooler(self) -> bool:
        return self.pooler and not self.listen_url

    @property
    def public_url(self) -> str:
        return self.url or f"http://{self.host}:{self.port}"


_UNPREFIXED = frozenset(
    {
        "database_url",
        "redis_url",
        "automation_url",
        "automation_token",
        "skyvern_url",
        "skyvern_api_key",
        "browser_use_url",
        "browser_use_api_key",
        "crashpoint",
        "npl_user",
        "npl_password",
        "harbor_user",
        "harbor_password",
    }
)


def variable(field: str) -> str:
    """The environment variable of a field."""
    return field.upper() if field in _UNPREFIXED else f"ASBUILT_{field.upper()}"


def environment() -> dict[str, str]:
    """What this process was started with, for the processes it starts."""
    return dict(os.environ)


def load(*needed: str, env: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; `needed` names the fields this process cannot do without.

    Raises `SettingsError` with every problem found, never just the first.
    """
    env = _places(os.environ if env is None else env)
    values: dict[str, object] = {}
    problems = [f"{variable(name)} is not set" for name in needed if not env.get(variable(name))]
    for field in msgspec.structs.fields(Settings):
        raw = env.get(variable(field.name), "")
        if not raw:
            continue
        try:
            values[field.name] = _convert(raw, field.type)
        except msgspec.ValidationError as exc:
            problems.append(f"{variable(field.name)} is {raw!r}: {exc}")
    settings = msgspec.convert(values, Settings)
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _places(env: Mapping[str, str]) -> Mapping[str, str]:
    """`ASBUILT_BLOBS` names one of two things."""
    if not env.get("ASBUILT_BLOBS", "").startswith("s3:"):
        return env
    return {**env, "ASBUILT_BUCKET": env["ASBUILT_BLOBS"], "ASBUILT_BLOBS": env.get("ASBUILT_SPOOL", "")}


def _convert(raw: str, wanted: object) -> object:
    if wanted == tuple[str, ...]:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    return msgspec.convert(raw, wanted, strict=False, dec_hook=lambda kind, value: kind(value))


def _contradictions(s: Settings) -> list[str]:
    """Combinations that break an invariant (failure rule R-I)."""
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
