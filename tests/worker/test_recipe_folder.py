"""The runner takes up a customer's own recipes at its start, says which it has, and does not start with an unsound one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from app.core.settings import Settings, SettingsError
from tasks.engines.asbuilt import AsbuiltEngine
from tasks.runner import running
from tests.worker.rig import TOKEN

SHIPPED = files("tasks.runner") / "recipes"


def with_recipes(folder: Path) -> Settings:
    return Settings(
        runner_port=0, runner_dir=folder / "runner", automation_token=TOKEN, browser="none", recipes=folder / "recipes"
    )


async def test_a_newer_file_is_there_after_a_start_and_the_health_says_so(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    text = (SHIPPED / "npl-asbuilt.toml").read_text(encoding="utf-8")
    (tmp_path / "recipes" / "ours.toml").write_text(text.replace("version = 2", "version = 9"))
    async with running(with_recipes(tmp_path)) as service:
        engine = AsbuiltEngine(service.url, token=TOKEN)
        assert (await engine.health()).recipes == {"harbor-closeout": (1,), "npl-asbuilt": (1, 2, 9)}
        await engine.close()


async def test_an_unsound_recipe_is_named_with_its_line_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "ours.toml").write_text(
        'recipe = "x"\nversion = 1\nportal = "x"\nlookup = "none"\nspeed = 9\n'
    )
    with pytest.raises(SettingsError) as refused:
        async with running(with_recipes(tmp_path)):
            pass
    [problem] = refused.value.problems
    assert "ours.toml" in problem
    assert "5: there is no key `speed`" in problem
