"""The pages that say how a project is set up: their commands, typed as they stand there, on a running stack."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.stacks import asbuilt, clean_env, home_directory, running
from tests.e2e.typing_in import Block, blocks, typed
from tests.reference.places import DOCS
from tests.unit.test_xlsform import GOOD, workbook

pytestmark = pytest.mark.slow


def test_the_pages_that_set_up_a_project_are_true_from_top_to_bottom(tmp_path: Path) -> None:
    """docs/projects.md, then the commands of docs/forms.md, docs/design.md and docs/questions.md; the files are what other pages show."""
    with home_directory() as home, running(home, ASBUILT_BROWSER="none") as stack:
        values = dict(line.split("=", 1) for line in asbuilt("env", "--home", str(stack.home)).stdout.splitlines())
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = clean_env() | values | {"PATH": path, "ASBUILT_ACCOUNTS": str(tmp_path / "accounts.toml")}
        workbook(tmp_path, GOOD).rename(tmp_path / "closure.xlsx")
        (tmp_path / "password.txt").write_text("a password")
        for page, fence, name in (("recipes.md", "toml", "county.toml"), ("design.md", "csv", "plan.csv")):
            shown = re.search(rf"```{fence}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
            assert shown, page
            (tmp_path / name).write_text(shown[1])
        project = re.search(r"```sql\n(.*?)```", (DOCS / "projects.md").read_text(encoding="utf-8"), re.DOTALL)
        assert project
        account, imports, access, doctor = blocks(DOCS / "projects.md")
        made = Block(text=f"asbuilt psql --home {stack.home} <<'END'\n{project[1]}END\n")
        _, known, taken, given, _ = typed([made, account, imports, access, doctor], folder=tmp_path, env=env)
        assert 'user = "contractor"' in (tmp_path / "accounts.toml").read_text()
        assert "a password" not in (tmp_path / "accounts.toml").read_text()
        assert "county-closeout" in known
        assert "pole-check" in taken
        assert "new, 0 changed, 0 the same" in taken
        token = given.split()[-1]
        me = httpx.get(f"{stack.url}/api/me", headers={"Authorization": f"Bearer {token}"}, timeout=60).json()
        assert me["kind"] == "device"
        (form,), (design, *_) = blocks(DOCS / "forms.md"), blocks(DOCS / "design.md")
        (by_hand,) = blocks(DOCS / "questions.md")
        asked = Block(text=f"{{\n{by_hand.text}}} <<< 'another one'\n")
        again, planned, _ = typed([form, design, asked], folder=tmp_path, env=env)
        assert "pole-check" in again
        assert "new, 0 changed, 0 the same" in planned
        assert '["npl"' in (tmp_path / "accounts.toml").read_text()
