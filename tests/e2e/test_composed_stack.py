"""What docs/deploy.md and docs/upgrade.md have typed, line by line, without a container engine: up to completed jobs, and a clean end."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import composed
from tests.conftest import short_folder
from tests.e2e import read_only
from tests.e2e.emulated import SERVERS, Machine, prepared
from tests.packages import pip
from tests.reference.places import DOCS

pytestmark = pytest.mark.slow


@pytest.fixture
def machine(servers: ExitStack) -> Iterator[Machine]:
    with prepared(short_folder(servers)) as made:
        yield made


def lines(page: str) -> list[str]:
    """Every line of a page for the engine."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(
        r"^docker compose .*$", "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)), re.MULTILINE
    )


def test_the_pages_on_deploying_and_upgrading_are_true_from_top_to_bottom(machine: Machine) -> None:
    project = re.search(r"```sql\n(.*?)```", (DOCS / "projects.md").read_text(encoding="utf-8"), re.DOTALL)
    assert project
    (machine.folder / "project.sql").write_text(project[1])
    said = {}
    for line in lines("deploy.md"):
        if "--profile demo" in line:
            machine.put("DEMO_PORTAL_URL=http://portal:8020")
        said[line] = machine.types(line)
    with psycopg.connect(machine.url("asbuilt", machine.env["OWNER_PASSWORD"], "asbuilt"), autocommit=True) as conn:
        rows = conn.execute(
            "select distinct usename from pg_stat_activity where datname = 'asbuilt' and pid <> pg_backend_pid()"
        )
        signed_in = {usename for (usename,) in rows}
        settings: dict[str, str] = dict(
            conn.execute("select name, setting || coalesce(unit, '') from pg_settings").fetchall()
        )
    assert signed_in == {"asbuilt_api", "asbuilt_runs"}, signed_in
    assert (settings["max_connections"], settings["data_checksums"]) == ("200", "on")
    if read_only.is_possible():
        refused = machine.run("worker", "python", "-c", f"open({str(machine.folder / 'left-behind')!r}, 'w')")
        assert "Read-only file system" in refused.stderr
    seeded = next(text for line, text in said.items() if "asbuilt seed" in line)
    token = dict(line.split("=", 1) for line in seeded.splitlines())["ASBUILT_TOKEN"]
    demo = f"docker compose run --rm tools asbuilt demo --records 2 --url http://127.0.0.1:8000 --token {token}"
    machine.types(demo)
    before = {name: process.pid for name, process in machine.running.items()}
    for line in lines("upgrade.md"):
        machine.types(line)
    assert (machine.folder / "before.dump").read_bytes().startswith(b"PGDMP")
    replaced = {name for name, process in machine.running.items() if process.pid != before[name]}
    assert replaced == {"worker", "runner", "api"}
    machine.types(demo)
    names = list(machine.running)
    codes = {name: machine.stop(name) for name in reversed(names) if name not in SERVERS}
    assert machine.run("worker", "asbuilt", "alive").returncode == 1
    codes |= machine.down()
    assert codes == dict.fromkeys(names, 0), {name: machine.said(name)[-2000:] for name in names}
    assert all(
        secret not in machine.said(name) for name in names for secret in machine.env.values() if len(secret) > 30
    )


def test_the_file_is_what_the_specification_calls_a_compose_file(tmp_path: Path) -> None:
    """By the schema that a well-kept checker carries."""
    python = pip(tmp_path / "checker", "check-jsonschema>=0.30")
    checker = [str(python), "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert _checked(checker, composed.FILE) == 0
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(composed.FILE.read_text(encoding="utf-8").replace("cap_drop:", "cap_drip:"), encoding="utf-8")
    assert _checked(checker, wrong) != 0


def _checked(checker: list[str], path: Path) -> Any:
    return subprocess.run([*checker, str(path)], capture_output=True, check=False).returncode
