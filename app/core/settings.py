"""Every setting of every process, read from the environment in this one place.

Nothing else reads the environment. All problems are reported at once, with the name of the variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.core import secret_files
from app.core.contradictions import contradictions


class SettingsError(Exception):
    """The environment cannot be used; `problems` has one sentence for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings: " + "; ".join(problems))
        self.problems = problems


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Durations are in seconds, sizes in bytes. Field `lease_s` is the variable `ASBUILT_LEASE_S`, and so on.

    docs/settings.md is made of this: a comment above fields is their heading, what stands below a field is its meaning.
    """

    # What every process asks
    database_url: str = ""
    """libpq URL of Postgres 15 or newer, with the login of this process (docs/roles.md)."""
    pooler: bool = False
    """Whether `DATABASE_URL` leads through a transaction pooler: nothing is prepared, and nothing set for a session."""
    listen_url: str = ""
    """A direct URL for LISTEN, where `DATABASE_URL` leads through a pooler; without it changes are polled for."""
    redis_url: str = ""
    """Cache and stream of progress; without it live progress is degraded."""
    automation_url: str = ""
    """Base URL of the automation service."""
    automation_token: str = ""
    """Bearer token for it; the reference runner demands the same."""
    secret_key: tuple[str, ...] = ()
    """Keys of what is sealed at rest, newest first; `asbuilt secret-key` makes one."""
    blobs: Path = Path("blobs")
    """Directory of photos, or `s3://bucket/prefix`."""
    bucket: str = ""
    """`s3://bucket/prefix` where `ASBUILT_BLOBS` is one; `blobs` is then `ASBUILT_SPOOL`."""

    # Third parties that key a portal
    skyvern_url: str = "https://api.skyvern.com"
    """For portals whose engine is `skyvern`; a Skyvern of your own is at http://localhost:8000."""
    skyvern_api_key: str = ""
    """Needed where a portal is keyed by Skyvern."""
    browser_use_url: str = "https://api.browser-use.com/api/v4"
    """For portals whose engine is `browser-use`."""
    browser_use_api_key: str = ""
    """Needed where a portal is keyed by browser-use."""
    engine_poll_s: float = 2.0
    """How often a third party's run is looked at; it has no stream to follow."""

    # The web process
    host: str = "127.0.0.1"
    """Where it listens; a proxy with a certificate stands in front of anything but loopback."""
    port: int = 8000
    """And on which port."""
    url: str = ""
    """Public base URL, for links and cookies; without it `http://host:port`."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may ask with a token."""
    pool_size: int = 8
    """Connections to Postgres, beside the one that listens; at least 2."""
    max_attempts: int = 3
    """How many failed runs a job may have: each job keeps what was set when its record came."""
    streams_per_user: int = 20
    """How many live streams a person or a device may have open at once; 0 is no limit."""
    metrics_token: str = ""
    """What Prometheus shows at /metrics as its bearer token; empty: there is no such page."""

    # The worker
    concurrency: int = 6
    """Runs at once; at least 1."""
    lease_s: float = 45.0
    """How long an attempt is its worker's after the last renewal; at least three heartbeats."""
    heartbeat_s: float = 10.0
    """How often leases are renewed, and how often a worker says that it is there."""
    reconcile_s: float = 10.0
    """How often what was lost is looked for."""
    poll_s: float = 5.0
    """How often work, and changes where LISTEN does not work, are asked for in case a notification was lost."""
    retry_base_s: float = 15.0
    """The pause after the first failure; each later one is four times as long, and half to all of it is waited."""
    attempt_s: float = 360.0
    """Wall time of one attempt."""
    drain_s: float = 240.0
    """How long a worker that is told to stop lets its runs end before it hands them on."""
    look_s: float = 10.0
    """The first pause between two look-ups of a submission whose outcome is open; later ones are longer."""
    verify_s: float = 7200.0
    """How long an open outcome is looked up before a person is asked."""
    decide_s: float = 259_200.0
    """How long an approval, or another question between two runs, waits for a person."""
    retention_s: float = 60.0
    """How often what was kept long enough is removed; how long that is, says the table `retention`."""

    # What a phone may send
    photo_bytes: int = 25 * 2**20
    """The largest photo."""
    photo_pixels: int = 64_000_000
    """The largest photo, as its head says before it is decoded."""
    record_bytes: int = 256 * 2**10
    """The largest record, as JSON."""
    request_bytes: int = 120 * 2**20
    """The largest request: a record with all its photos."""
    body_idle_s: float = 30.0
    """How long a body may bring next to nothing before it is given up, and nobody take anything of an answer."""
    body_total_s: float = 900.0
    """How long a body may take in all."""
    head_s: float = 20.0
    """How long the head of a request may take, from the connection on."""
    database_s: float = 2.0
    """How long a request may have a connection to Postgres, waiting for it included; one that is still busy then is cut."""
    uploads_per_s: float = 10.0
    """How many uploads a device may begin a second; 0 is no limit, here and below."""
    uploads_burst: int = 50
    """How many uploads a device may begin at once before that rate holds."""
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
    """What is kept free on the disk of `ASBUILT_BLOBS`; below it uploads are refused."""
    check_photos_s: float = 5.0
    """How long an upload's photos are looked at before its answer; what is not decoded by then is checked by a worker."""

    # The automation service: `asbuilt runner`
    runner_host: str = "127.0.0.1"
    """Where it listens; elsewhere than on loopback in a container of its own only."""
    runner_port: int = 8010
    """And on which port."""
    runner_concurrency: int = 6
    """Runs at once."""
    gate_s: float = 120.0
    """How long a run holds its commit request for the worker's word: longer than a lost worker's lease and a sweep."""
    submit_s: float = 30.0
    """How long the portal may take to answer the commit request."""
    answer_s: float = 180.0
    """How long a run holds a portal's page open for a person's answer."""
    runner_dir: Path = Path("runner")
    """Where it keeps its runs and artifacts."""
    accounts: Path = Path()
    """TOML file of portals and their accounts (docs/questions.md); nobody else reads it."""
    recipes: Path = Path()
    """A folder with recipes of one's own, read when it starts; without it those of the package alone."""
    browser: str = ""
    """Path of a Chromium, or `none` for the plain HTTP driver; without it one is looked for."""

    # The demo portal
    portal_host: str = "127.0.0.1"
    """Where it listens."""
    portal_port: int = 8020
    """And on which port."""
    portal_url: str = ""
    """Its base URL, as the automation service reaches it."""
    portal_log: Path = Path("portal-log.jsonl")
    """Every submit request, one line each (docs/demo-portal.md)."""
    portal_preset: str = "calm"
    """Its manners: `calm`, `realistic` or `bad-day`."""
    portal_seed: int = 0
    """Repeats its bad habits in the same order; 0 draws a new seed at each start."""
    npl_user: str = "contractor"
    """Who signs in to the first portal."""
    npl_password: str = "northfield"  # noqa: S105 - the demo portal's own, on loopback
    """And with what."""
    harbor_user: str = "crew"
    """Who signs in to the second."""
    harbor_password: str = "lighthouse"  # noqa: S105 - as above
    """And with what."""

    # For tests
    crashpoint: str = ""
    """A fault to inject (`app/core/crashpoints.py`); empty in production."""

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


SECRETS = (
    "database_url",
    "listen_url",
    "redis_url",
    "automation_token",
    "skyvern_api_key",
    "browser_use_api_key",
    "secret_key",
    "metrics_token",
    "npl_password",
    "harbor_password",
)
"""Fields that may also stand in a file, named by the variable with `_FILE` behind it."""


def variable(field: str) -> str:
    """The environment variable of a field."""
    return field.upper() if field in _UNPREFIXED else f"ASBUILT_{field.upper()}"


def environment() -> dict[str, str]:
    """What this process was started with, for the processes it starts; secrets in files are read. Raises `SettingsError`."""
    given, problems = secret_files.read(os.environ, map(variable, SECRETS))
    if problems:
        raise SettingsError(problems)
    return given


def load(*needed: str, env: Mapping[str, str] | None = None) -> Settings:
    """Read all settings; `needed` names the fields this process cannot do without.

    Raises `SettingsError` with every problem found, never just the first.
    """
    given, problems = secret_files.read(os.environ if env is None else env, map(variable, SECRETS))
    env = _places(given)
    values: dict[str, object] = {}
    for name in map(variable, needed):
        if not env.get(name) and not env.get(f"{name}_FILE"):
            problems.append(f"{name} is not set")
    for field in msgspec.structs.fields(Settings):
        raw = env.get(variable(field.name), "")
        if not raw:
            continue
        try:
            values[field.name] = _convert(raw, field.type)
        except msgspec.ValidationError as exc:
            problems.append(f"{variable(field.name)} is {raw!r}: {exc}")
    settings = msgspec.convert(values, Settings)
    problems += contradictions(settings)
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
