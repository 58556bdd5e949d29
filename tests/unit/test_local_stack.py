"""What the local stack consists of."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from app.core.settings import load
from app.local import stack
from app.local.home import Home, Ports, Secrets
from app.local.stack import Plan


def plan(**inherited: str) -> Plan:
    return Plan(
        home=Home(root=Path("/srv/a home")),
        port=8000,
        preset="realistic",
        ports=Ports(runner=8110, portal=8120),
        secrets=Secrets(automation_token="shared"),
        database_url="postgresql://postgres@:5432/asbuilt?host=/tmp/s",
        redis_url="unix:///tmp/s/valkey.sock",
        inherited=inherited,
    )


def test_every_setting_is_one_the_processes_know_and_accept() -> None:
    written = stack.settings_of(plan())
    settings = load("database_url", "redis_url", "automation_url", "automation_token", env=written)
    assert settings.automation_url == "http://127.0.0.1:8110"
    assert settings.runner_port == 8110
    assert settings.portal_url == "http://127.0.0.1:8120"
    assert settings.portal_port == 8120
    assert settings.portal_preset == "realistic"
    assert settings.blobs == Path("/srv/a home/blobs")
    assert settings.public_url == "http://127.0.0.1:8000"


def test_the_stack_s_settings_win_over_inherited_ones_and_others_pass() -> None:
    env = stack.child_environment(plan(ASBUILT_PORT="1", ASBUILT_BROWSER="none", ASBUILT_DRAIN_S="7", PATH="/bin"))
    assert env["ASBUILT_PORT"] == "8000"
    assert env["ASBUILT_BROWSER"] == "none"
    assert env["ASBUILT_DRAIN_S"] == "7"
    assert env["PATH"] == "/bin"


def test_a_local_stop_does_not_wait_minutes_for_running_jobs() -> None:
    worker = stack.services(plan())[stack.WORKER]
    assert float(worker.env["ASBUILT_DRAIN_S"]) <= 10
    assert worker.stop_s > float(worker.env["ASBUILT_DRAIN_S"])


def test_a_worker_is_killed_with_its_supervisor_and_the_runner_may_close_its_browser() -> None:
    services = stack.services(plan())
    assert services[stack.WORKER].death_signal is signal.SIGKILL
    assert services[stack.RUNNER].death_signal is signal.SIGTERM


def test_no_secret_stands_on_a_command_line() -> None:
    for spec in stack.services(plan()).values():
        assert "shared" not in " ".join(spec.command)


@pytest.mark.parametrize(
    ("first", "then"), [("worker", "api"), ("api", "runner"), ("portal", "valkey"), ("valkey", "postgres")]
)
def test_stop_order(first: str, then: str) -> None:
    assert stack.STOP_ORDER.index(first) < stack.STOP_ORDER.index(then)
    assert {*stack.services(plan()), stack.POSTGRES, stack.VALKEY} == set(stack.STOP_ORDER)
