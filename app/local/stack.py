"""Which processes the local stack has, with which environment each, and in which order they end.

It decides and describes; `supervisor` runs what it says.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.local import postgres, valkey
from app.local.child import ChildSpec
from app.local.home import Home, Ports, Secrets
from app.local.process import Privilege

POSTGRES, VALKEY, PORTAL, RUNNER, API, WORKER = "postgres", "valkey", "portal", "runner", "api", "worker"

STOP_ORDER = (WORKER, API, RUNNER, PORTAL, VALKEY, POSTGRES)
"""A worker whose database goes away before it never ends, so it is first; the servers are last."""

LOGINS = {API: "asbuilt_local_app", WORKER: "asbuilt_local_worker"}
"""Who signs in to the embedded Postgres: each with the rights of its role, and none of its owner's."""

PRESETS = ("calm", "realistic", "bad-day")

_DRAIN_S = 5


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a stack; an empty `redis_url` means degraded live progress."""

    home: Home
    port: int
    preset: str
    ports: Ports
    secrets: Secrets
    database_url: str
    redis_url: str
    inherited: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def portal_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.portal}"

    @property
    def automation_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.runner}"

    @property
    def embedded(self) -> bool:
        """Whether Postgres is this stack's own."""
        return not self.inherited.get("DATABASE_URL")


_LIMITS = ("ASBUILT_UPLOADS_PER_S", "ASBUILT_REQUESTS_PER_DEVICE", "ASBUILT_FAILED_AUTH_PER_MIN")


def settings_of(plan: Plan) -> dict[str, str]:
    """The settings that make the processes one stack."""
    return {
        "DATABASE_URL": plan.database_url,
        "REDIS_URL": plan.redis_url,
        "AUTOMATION_URL": plan.automation_url,
        "AUTOMATION_TOKEN": plan.secrets.automation_token,
        "ASBUILT_SECRET_KEY": plan.secrets.secret_key,
        "ASBUILT_ACCOUNTS": str(plan.home.accounts_file),
        "ASBUILT_BLOBS": str(plan.home.blobs),
        "ASBUILT_HOST": "127.0.0.1",
        "ASBUILT_PORT": str(plan.port),
        "ASBUILT_URL": plan.url,
        "ASBUILT_RUNNER_PORT": str(plan.ports.runner),
        "ASBUILT_RUNNER_DIR": str(plan.home.runs),
        "ASBUILT_PORTAL_PORT": str(plan.ports.portal),
        "ASBUILT_PORTAL_URL": plan.portal_url,
        "ASBUILT_PORTAL_LOG": str(plan.home.portal_log),
        "ASBUILT_PORTAL_PRESET": plan.preset,
        # On loopback there is one person, whose demo is a whole fleet of phones.
        **{name: plan.inherited.get(name, "0") for name in _LIMITS},
    }


def child_environment(plan: Plan) -> dict[str, str]:
    """The inherited environment, with the stack's settings over it."""
    # Runs go on in the runner when a worker stops, so a local stop need not wait minutes for them.
    drain = {"ASBUILT_DRAIN_S": plan.inherited.get("ASBUILT_DRAIN_S", str(_DRAIN_S))}
    return {**plan.inherited, **drain, **settings_of(plan), "PYTHONUNBUFFERED": "1"}


def services(plan: Plan) -> dict[str, ChildSpec]:
    """Our own processes, by name."""
    env = child_environment(plan)

    def spec(name: str, *module: str, death: signal.Signals = signal.SIGKILL, stop_s: float = 10.0) -> ChildSpec:
        return ChildSpec(
            name=name,
            # -P: the home is the working directory, and no file in it may be taken for a module.
            command=(sys.executable, "-P", "-m", *module),
            env=env | {"DATABASE_URL": _database_of(plan, name)},
            directory=plan.home.root,
            log=log_of(plan.home, name),
            death_signal=death,
            stop_s=stop_s,
        )

    drain_s = float(env["ASBUILT_DRAIN_S"])
    return {
        PORTAL: spec(PORTAL, "app.cli", "portal"),
        # By SIGTERM it closes its browser, which has processes of its own.
        RUNNER: spec(RUNNER, "app.cli", "runner", death=signal.SIGTERM, stop_s=15.0),
        API: spec(API, "app.cli", "serve"),
        WORKER: spec(WORKER, "procrastinate", "--app=tasks.app", "worker", stop_s=drain_s + 10.0),
    }


def _database_of(plan: Plan, name: str) -> str:
    # A server that was given is used as the user that was given: its accounts are its owner's to make.
    if not plan.embedded or name not in LOGINS:
        return plan.database_url
    return postgres.url_as(LOGINS[name], plan.database_url)


def postgres_spec(
    home: Home, *, binaries: postgres.Binaries, sockets: Path, privilege: Privilege, env: Mapping[str, str]
) -> ChildSpec:
    """The embedded Postgres. SIGINT is its fast stop."""
    return ChildSpec(
        name=POSTGRES,
        command=postgres.command(binaries, version=postgres.major_version(binaries), data=home.data, sockets=sockets),
        env=postgres.environment(env),
        directory=home.data,
        log=log_of(home, POSTGRES),
        stop_signal=signal.SIGINT,
        # After a crash its old processes may hold the shared memory for a moment.
        tries=8,
        stop_s=30.0,
        death_signal=signal.SIGINT,
        privilege=privilege,
        ready=lambda pid: postgres.is_ready(home.data, pid=pid),
        before=lambda: postgres.disown_stale_pid(home.data),
    )


def valkey_spec(home: Home, *, program: Path, sockets: Path, env: Mapping[str, str]) -> ChildSpec:
    """The embedded Valkey."""
    return ChildSpec(
        name=VALKEY,
        command=valkey.command(program, sockets=sockets),
        env=env,
        directory=home.root,
        log=log_of(home, VALKEY),
        death_signal=signal.SIGTERM,
        ready=lambda _pid: valkey.is_ready(sockets),
    )


def log_of(home: Home, name: str) -> Path:
    """Where a process's output goes."""
    return home.logs / f"{name}.log"
