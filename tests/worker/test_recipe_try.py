"""`asbuilt recipe try`: a real run to the gate, told step by step, that submits only when it is told to."""

from __future__ import annotations

import io
import shutil
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from sql import Connection
from tasks.runner.finder import NAMES
from tasks.runner.recipe_file import RecipeProblem
from tasks.runner.trying import Options, Refused, try_out
from tests.service import listed, multipart, record, service, web_settings
from tests.unit.pictures import jpeg
from tests.worker.plant import SHOTS
from tests.worker.rig import TOKEN, Rig, rigged

RECIPES = Path(str(files("tasks.runner") / "recipes"))
CHROMIUM = next((name for name in NAMES if shutil.which(name)), "")


@pytest.fixture
async def rig(database_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(database_url, tmp_path) as made:
        await made.quirks(portal="harbor", think_min_s=0, think_max_s=0)
        yield made


async def tried(rig: Rig, options: Options) -> tuple[int, str]:
    out = io.StringIO()
    settings = msgspec.structs.replace(rig.settings, browser=CHROMIUM)
    return await try_out(options, settings=settings, out=out), out.getvalue()


def reference_of(said: str) -> str:
    return said.splitlines()[0].rsplit(" ", 1)[1]


@pytest.mark.parametrize("sample", ["pole", "fibre"])
async def test_a_dry_run_is_told_step_by_step_and_submits_nothing(rig: Rig, tmp_path: Path, sample: str) -> None:
    options = Options(file=RECIPES / "npl-asbuilt.toml", sample=sample, frames=tmp_path / "frames")
    code, said = await tried(rig, options)
    assert code == 0, said
    assert "npl-asbuilt 2 by plain HTTP" in said
    for line in ("step 2/5 job: Job", "Fill Work order number", "saved · draft = D", "values, all as recorded"):
        assert line in said
    assert said.endswith("stopped at the gate: nothing was submitted\n")
    assert await rig.submissions(reference_of(said)) == []
    assert not (tmp_path / "frames").exists()
    assert rig.settings.npl_password not in said


async def test_a_recipe_that_needs_a_browser_gets_one_and_its_pictures_are_kept(rig: Rig, tmp_path: Path) -> None:
    await rig.quirks(portal="harbor", drift_button=True)
    options = Options(file=RECIPES / "harbor-closeout.toml", sample="fibre", frames=tmp_path / "frames")
    code, said = await tried(rig, options)
    assert code == 0, said
    assert "drift: button “Next” is now" in said
    pictures = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert pictures[0] == "01-sign_in.jpg"
    assert (tmp_path / "frames" / pictures[0]).read_bytes().startswith(b"\xff\xd8")
    assert await rig.submissions(reference_of(said)) == []


async def test_with_commit_it_really_submits(rig: Rig, tmp_path: Path) -> None:
    code, said = await tried(rig, Options(file=RECIPES / "npl-asbuilt.toml", commit=True, frames=tmp_path / "frames"))
    assert code == 0, said
    [made] = await rig.submissions(reference_of(said))
    assert said.endswith(f"submitted: {made['confirmation']}\n")


async def test_what_goes_wrong_is_told_with_its_step_and_action(rig: Rig, tmp_path: Path) -> None:
    text = (RECIPES / "npl-asbuilt.toml").read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(text.replace('at = {label = "District"}', 'at = {label = "Region"}, timeout = 0.5'))
    code, said = await tried(rig, Options(file=broken))
    assert code == 1
    assert "Choose Region · failed" in said
    assert "ELEMENT_TIMEOUT in step job: Region was not found on the page" in said


async def test_what_cannot_be_tried_is_refused_with_a_reason(rig: Rig, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.toml"
    text = (RECIPES / "npl-asbuilt.toml").read_text(encoding="utf-8")
    foreign.write_text(text.replace('portal = "npl"', 'portal = "elsewhere"'))
    with pytest.raises(Refused, match="elsewhere"):
        await tried(rig, Options(file=foreign))
    foreign.write_text("recipe = 1")
    with pytest.raises(RecipeProblem):
        await tried(rig, Options(file=foreign))


async def test_a_stored_record_is_tried_with_its_own_photos(
    rig: Rig, conn: Connection, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = web_settings(database_url, redis_url, tmp_path, automation_token=TOKEN)
    async with service(settings) as served:
        body = record(photos=listed(SHOTS), fields={**record()["fields"], "work_order": "WO-77001"})
        files = {name: jpeg(shade=40 + 40 * n) for n, name in enumerate(SHOTS)}
        answer = await served.http.post("/api/mobile/records", headers=served.bearer(), **multipart(body, files))
        assert answer.status_code == 201, answer.text
        stored = msgspec.structs.replace(
            rig.settings, database_url=database_url, url=served.url, automation_token=TOKEN
        )
        out = io.StringIO()
        options = Options(file=RECIPES / "npl-asbuilt.toml", record=UUID(answer.json()["record_id"]))
        code = await try_out(options, settings=stored, out=out)
    assert code == 0, out.getvalue()
    query = (
        "select keyed ->> 'work_order', (select count(*) from demo_portal.upload as u where u.draft = d.id)"
        " from demo_portal.draft as d where keyed ->> 'work_order' = 'WO-77001'"
    )
    assert await (await conn.execute(query)).fetchall() == [("WO-77001", 3)]
    with pytest.raises(Refused, match="there is no record"):
        await tried(rig, Options(file=RECIPES / "npl-asbuilt.toml", record=uuid4()))
