"""The worked example of docs/automation-contract.md, command by command, against a real runner and the demo portal."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from app.core.settings import environment
from tests.machine import free_port
from tests.worker.rig import DEADLINE_S, TOKEN, jpeg, rigged

PAGE = Path(__file__).parent.parent.parent / "docs" / "automation-contract.md"


async def test_the_worked_example_works(
    database_url: str, portal_schema: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(jpeg())
    async with rigged(database_url, tmp_path) as rig:
        await rig.quirks(index_lag_s=0)
        # The stack's settings are this rig's; the first block asks a running `asbuilt up` for them.
        given = {"AUTOMATION_URL": rig.service.url, "AUTOMATION_TOKEN": TOKEN, "FILES_PORT": str(free_port())}
        script = "set -euo pipefail\n" + "".join(blocks[1:])
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            script,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment() | given,
        )
        async with asyncio.timeout(DEADLINE_S):
            out, trouble = await shell.communicate()
        assert shell.returncode == 0, (out + trouble).decode()
        said = out.decode().split()
    assert {"sign_in", "job", "details", "photos", "commit.sent", "commit.observed", "run.succeeded"} <= set(said)
    first, second = said[-2:]
    assert first == second
    assert re.fullmatch(r"NPL-\d{4}-\d{6}", first)
