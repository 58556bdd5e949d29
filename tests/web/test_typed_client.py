"""A client generated from the description, by a public generator, drives the API: every type fits what is really said."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sql import Connection
from tests.service import Service, token
from tests.unit.pictures import jpeg

ROOT = Path(__file__).parent.parent.parent
BYTES = ("application/offset+octet-stream", "application/partial-upload", "application/zip")
GENERATOR = "openapi-python-client==0.29.0"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own with the generator, and the client it has made beside it."""
    folder = tmp_path_factory.mktemp("client")
    python = tool(folder / "env", GENERATOR)
    command = python.with_name("openapi-python-client")
    description = ROOT / "docs" / "openapi.json"
    # The generator knows bytes by one name only.
    config = folder / "config.json"
    config.write_text(json.dumps({"content_type_overrides": dict.fromkeys(BYTES, "application/octet-stream")}))
    run(
        str(command), "generate", "--config", str(config), "--fail-on-warning", "--meta", "none", "--path", str(description),
        "--output-path", str(folder / "asbuilt_client"), path=str(command.parent),
    )  # fmt: skip
    return python


def tool(folder: Path, requirement: str) -> Path:
    """The Python of a new environment with this tool, which shares nothing with ours."""
    uv = os.environ.get("UV") or shutil.which("uv")
    python = folder / "bin" / "python"
    if uv:
        run(uv, "venv", "-q", "--python", sys.executable, str(folder))
        run(uv, "pip", "install", "-q", "--python", str(python), requirement)
    else:
        run(sys.executable, "-m", "venv", str(folder))
        run(str(python), "-m", "pip", "install", "-q", requirement)
    return python


def run(*command: str, path: str = "") -> None:
    env = os.environ | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
async def test_a_generated_client_drives_the_api(served: Service, conn: Connection, environment: Path) -> None:
    operator = await token(conn, scopes=("operate",))
    process = await asyncio.create_subprocess_exec(
        environment,
        Path(__file__).with_name("drive_client.py"),
        served.url,
        served.upload,
        operator,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(environment.parent.parent.parent)},
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate(jpeg())
    assert process.returncode == 0, said.decode()
