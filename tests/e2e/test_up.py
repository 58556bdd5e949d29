"""`asbuilt up`, end to end: what it prints, what it refuses, what it survives and what it leaves behind."""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.e2e.stacks import (
    DEADLINE_S,
    Stack,
    asbuilt,
    clean_env,
    home_directory,
    processes_of,
    running,
    still_running,
)
from tests.e2e.typing_in import blocks, typed
from tests.machine import free_port
from tests.reference.places import DOCS

CHILDREN = ("worker", "api", "runner", "portal", "valkey", "postgres")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One stack for all tests that leave it running."""
    # Nothing here asks for pictures, and a Chromium a run is dear.
    with home_directory() as home, running(home, ASBUILT_BROWSER="none") as started:
        yield started


def test_the_ready_line_is_a_sign_in_link_that_signs_in_once(stack: Stack) -> None:
    match = re.fullmatch(rf"ready ({stack.url}/sign-in)#(\S+)", stack.ready_line)
    assert match
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        assert client.get("/sign-in").status_code == 200
        assert client.post("/api/session", json={"code": match[2]}).status_code == 200
        assert [project["code"] for project in client.get("/api/me").json()["projects"]] == ["demo", "harbor"]
        assert client.post("/api/session", json={"code": match[2]}).status_code == 401


def test_a_second_stack_on_the_same_home_is_refused_and_told_who_has_it(stack: Stack) -> None:
    second = asbuilt("up", "--home", str(stack.home), "--port", str(free_port()))
    assert second.returncode == 2
    assert second.stdout == ""
    assert str(stack.process.pid) in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_taken_port_is_said_and_nothing_is_started(stack: Stack) -> None:
    with home_directory() as other:
        refused = asbuilt("up", "--home", str(other), "--port", str(stack.port))
        assert refused.returncode == 2
        assert str(stack.port) in refused.stderr
        assert not (other / "postgres").exists()


def test_env_gives_the_settings_to_whoever_may_read_them(stack: Stack) -> None:
    answer = asbuilt("env", "--home", str(stack.home))
    assert answer.returncode == 0
    values = dict(line.split("=", 1) for line in answer.stdout.splitlines())
    assert values["ASBUILT_URL"] == stack.url
    assert {"DATABASE_URL", "REDIS_URL", "ASBUILT_PORTAL_LOG", "AUTOMATION_URL"} <= set(values)
    assert stat.S_IMODE((stack.home / "env").stat().st_mode) == 0o600
    token = {"Authorization": f"Bearer {values['ASBUILT_TOKEN']}"}
    assert httpx.get(f"{stack.url}/api/me", headers=token, timeout=60).json()["kind"] == "device"


def test_psql_reaches_the_database(stack: Stack) -> None:
    answer = asbuilt("psql", "--home", str(stack.home), "--", "-Atc", "select code from project order by 1")
    assert (answer.returncode, answer.stdout) == (0, "demo\nharbor\n")


def test_the_doctor_finds_a_fresh_stack_well(stack: Stack) -> None:
    answer = asbuilt("doctor", "--home", str(stack.home), "--deep")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert {line.split()[0] for line in answer.stdout.splitlines()} == {"ok"}


def test_the_doctor_says_in_one_line_that_no_stack_runs() -> None:
    with home_directory() as nobody:
        answer = asbuilt("doctor", "--home", str(nobody))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.count("\n") == 1


def test_postgres_listens_on_no_tcp_port(stack: Stack) -> None:
    answer = asbuilt("psql", "--home", str(stack.home), "--", "-Atc", "show listen_addresses")
    assert (answer.returncode, answer.stdout) == (0, "\n")


def test_a_token_is_the_only_thing_on_standard_output_and_works(stack: Stack) -> None:
    made = asbuilt("token", "create", "--home", str(stack.home), "--project", "demo", "--scope", "upload,read")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"abk_[A-Za-z0-9]{8}_\S+\n", made.stdout)
    token = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert httpx.get(f"{stack.url}/api/me", headers=token, timeout=60).status_code == 200


def test_a_person_can_sign_in_with_the_printed_password(stack: Stack) -> None:
    email = "rita@example.com"
    made = asbuilt(
        "user", "create", "--home", str(stack.home), "--project", "demo", "--email", email, "--role", "viewer"
    )
    assert made.returncode == 0, made.stderr
    password = made.stdout.removesuffix("\n")
    answer = httpx.post(f"{stack.url}/api/session", json={"email": email, "password": password}, timeout=60)
    assert answer.status_code == 200


def test_a_design_is_tried_on_the_local_stack(stack: Stack, tmp_path: Path) -> None:
    # Tried only: a project with a design finds fault with the records that other tests send.
    plan = tmp_path / "plan.csv"
    plan.write_text("asset,depth_m\nP-1,2\n")
    asked = asbuilt("design", "import", str(plan), "--home", str(stack.home), "--project", "demo", "--dry-run")
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "would be: 1 new, 0 changed, 0 the same\n", "")


def test_access_to_an_unknown_project_is_refused_with_a_sentence(stack: Stack) -> None:
    made = asbuilt("token", "create", "--home", str(stack.home), "--project", "nowhere", "--scope", "upload")
    assert (made.returncode, made.stdout) == (1, "")
    assert "nowhere" in made.stderr
    assert "Traceback" not in made.stderr


def test_the_tutorial_is_true_from_top_to_bottom(stack: Stack, tmp_path: Path) -> None:
    """docs/first-record.md, typed into one shell. The stack is here already, and so is what `uv run` would bring."""
    start, *rest = blocks(DOCS / "first-record.md")
    assert start.skipped
    assert start.text in (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert not any(block.skipped for block in rest)
    uv = tmp_path / ".uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text('#!/bin/sh\n[ "$1" = run ] && shift && exec "$@"\n')
    uv.chmod(0o755)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "asbuilt").symlink_to(stack.home)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = clean_env() | {"PATH": path, "XDG_DATA_HOME": str(tmp_path / "data")}
    _, drawn, sent, again, other, followed, portal, sql, receipt = typed(rest, folder=tmp_path, env=env)
    assert '"shot": "full_pole"' in drawn
    ids = re.findall(r'"(?:record_id|automation_job_id)":"([^"]+)"', sent)
    assert sent.split()[-1] == "201"
    assert again.split()[-1] == "200"
    assert re.findall(r'"(?:record_id|automation_job_id)":"([^"]+)"', again) == ids
    assert '"replayed":true' in again
    assert '"code":"record-conflict"' in other
    assert "event: progress" in followed
    (submission,) = msgspec.json.decode(portal)
    assert submission["confirmation"] in sql
    assert receipt.rpartition('"missing":')[2].startswith("[]")


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_child_is_back(stack: Stack, name: str) -> None:
    before = stack.children()[name]
    os.kill(before.pid, signal.SIGKILL)
    stack.expect(f"^{name} was ended by SIGKILL; starting it again")
    stack.expect(rf"^ *{name} \| .*\b(ready|Ready) ")
    after = stack.children()[name]
    assert after.pid != before.pid
    assert still_running({name: after}) == [name]


def test_after_all_that_every_part_is_well_again(stack: Stack) -> None:
    token = {"Authorization": f"Bearer {(stack.home / 'token').read_text().strip()}"}
    with httpx.Client(base_url=stack.url, timeout=DEADLINE_S, headers=token) as client:
        # The API may still find connections in its pool that the killed Postgres had; it throws each away at first use.
        answers = (client.get("/api/me").status_code for _ in range(20))
        assert 200 in answers
        with client.stream("GET", "/api/events") as events:
            healths = (line for line in events.iter_lines() if line.startswith("data:") and '"progress":"' in line)
            assert any('"live"' in line and '"listen"' in line for line in healths)
        ready = client.get("/health/ready")
    assert ready.status_code == 200, ready.text
    assert {part["status"] for part in ready.json()["parts"].values()} == {"ok", "listen"}


def test_either_signal_stops_everything_in_order_and_the_next_start_keeps_the_data() -> None:
    with home_directory() as home:
        with running(home) as first:
            ports = (home / "ports.json").read_bytes()
            assert any("new data" in line for line in first.said)
            _stops_cleanly(first, signal.SIGTERM)
        with running(home, port=first.port) as second:
            assert (home / "ports.json").read_bytes() == ports
            assert any("your data" in line for line in second.said)
            _stops_cleanly(second, signal.SIGINT)
        after = asbuilt("env", "--home", str(home))
        assert (after.returncode, after.stdout) == (1, "")
        assert "asbuilt up" in after.stderr


def _stops_cleanly(stack: Stack, number: signal.Signals) -> None:
    children = stack.children()
    assert set(children) == set(CHILDREN)
    assert stack.end(number) == 0
    assert stack.rest_of_output == ""
    assert still_running(children) == []
    assert processes_of(stack.home) == []
    assert not [line for line in stack.said if "was killed" in line]


@pytest.mark.slow
def test_after_kill_9_of_the_supervisor_the_next_start_works_and_keeps_the_data() -> None:
    note = "create table note as select 42 as kept"
    with home_directory() as home:
        with running(home) as first:
            asbuilt("psql", "--home", str(home), "--", "-c", note)
            left = first.children()
            token = (home / "token").read_text()
            assert first.end(signal.SIGKILL) == -signal.SIGKILL
        with running(home, port=first.port) as second:
            assert still_running(left) == []
            kept = asbuilt("psql", "--home", str(home), "--", "-Atc", "select kept from note")
            assert kept.stdout == "42\n"
            assert (home / "token").read_text() == token
            assert second.ready_line != first.ready_line
            assert second.end() == 0
        assert processes_of(home) == []


if sys.platform == "linux":

    def test_kill_9_of_the_supervisor_ends_the_children_by_itself() -> None:
        with home_directory() as home, running(home) as stack:
            watched = [os.pidfd_open(child.pid) for child in stack.children().values()]
            stack.end(signal.SIGKILL)
            for descriptor in watched:
                # A process's descriptor becomes readable when it ends.
                assert select.select([descriptor], [], [], 60)[0]
                os.close(descriptor)


def test_commands_without_a_stack_or_settings_say_what_is_missing() -> None:
    with home_directory() as home:
        for asked in (["env"], ["psql"], ["demo"], ["token", "create", "--project", "demo", "--scope", "upload"]):
            answer = asbuilt(*asked, "--home", str(home))
            assert answer.returncode == 1, asked
            assert "asbuilt up" in answer.stderr
            assert "Traceback" not in answer.stderr
    for command, needed in (
        ("serve", ("DATABASE_URL", "AUTOMATION_URL", "AUTOMATION_TOKEN")),
        ("migrate", ("DATABASE_URL",)),
        ("runner", ("AUTOMATION_TOKEN",)),
        ("portal", ("DATABASE_URL",)),
    ):
        answer = asbuilt(command)
        assert answer.returncode == 2, command
        assert [line.split()[0] for line in answer.stderr.splitlines()] == list(needed)
    worker = subprocess.run(
        [Path(sys.executable).parent / "procrastinate", "--app=tasks.app", "worker"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=clean_env() | {"PYTHONPATH": "."},
        check=False,
    )
    assert worker.returncode == 2
    assert [line.split()[0] for line in worker.stderr.splitlines()] == [
        "DATABASE_URL",
        "AUTOMATION_URL",
        "AUTOMATION_TOKEN",
    ]


def test_every_problem_with_the_settings_is_said_at_once() -> None:
    answer = asbuilt("serve", env={**clean_env(), "ASBUILT_PORT": "many", "ASBUILT_LEASE_S": "1"})
    assert answer.returncode == 2
    for name in ("DATABASE_URL", "ASBUILT_PORT", "ASBUILT_LEASE_S"):
        assert name in answer.stderr
