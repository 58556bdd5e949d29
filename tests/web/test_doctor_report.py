"""`asbuilt doctor`: one line a part, and an exit code that says whether anything wants mending."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from psycopg.types.json import Jsonb

from app.core.blobs_local import LocalBlobs
from app.core.doctor import report
from app.core.settings import Settings
from sql import Connection
from tasks.runner import running as runner_running
from tests.conftest import new_database
from tests.factories import make_record
from tests.service import web_settings


@pytest.fixture
async def settings(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Settings]:
    """A healthy installation: every part answers, one worker is alive, one blob is stored."""
    base = web_settings(
        database_url, redis_url, tmp_path, runner_dir=tmp_path / "runner", browser="none", runner_port=0
    )
    digest = await LocalBlobs(base.blobs).put(b"picture")
    await conn.execute("insert into blob (sha256, size, type) values (%s, 7, 'image/jpeg')", [digest])
    await conn.execute("select procrastinate_register_worker_v1()")
    await make_record(conn, state="completed")
    async with runner_running(base) as runner:
        yield msgspec.structs.replace(base, automation_url=runner.url)


async def lines(settings: Settings, *, deep: bool = False) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and level and sentence of each part's last line."""
    out = io.StringIO()
    code = await report(settings, deep=deep, out=out)
    split = [line.split(maxsplit=2) for line in out.getvalue().splitlines()]
    return code, {part: (level, sentence) for level, part, sentence in split}


PARTS = ["automation", "blobs", "invariants", "migrations", "postgres", "redis", "secrets", "workers"]


async def test_a_healthy_installation_is_clean(settings: Settings) -> None:
    for deep in (False, True):
        code, told = await lines(settings, deep=deep)
        assert {part: level for part, (level, _) in told.items()} == dict.fromkeys(PARTS, "ok"), told
        assert code == 0


async def test_an_engine_without_its_key_is_named_with_the_variable(settings: Settings, conn: Connection) -> None:
    await conn.execute(
        "update portal set engine = 'skyvern', engine_config = %s", [Jsonb({"agent_id": "wpid_1", "number": "N"})]
    )
    code, told = await lines(settings)
    assert code == 1
    assert told["engines"] == (
        "bad", "portal npl is keyed by skyvern, and SKYVERN_API_KEY is not set: its jobs fail",
    )  # fmt: skip
    code, told = await lines(msgspec.structs.replace(settings, skyvern_api_key="key"))
    assert (code, told["engines"]) == (0, ("ok", "skyvern has its key"))


async def test_each_part_that_fails_is_named(settings: Settings, conn: Connection) -> None:
    await conn.execute("delete from procrastinate_workers")
    await conn.execute("alter table portal_submission disable trigger all")
    await conn.execute("delete from portal_submission")
    await conn.execute("alter table portal_submission enable trigger all")
    broken = msgspec.structs.replace(
        settings, redis_url="redis://127.0.0.1:1/0", automation_token="another", free_disk_bytes=2**62
    )
    next(path for path in settings.blobs.rglob("*") if path.is_file()).write_bytes(b"pic")
    code, told = await lines(broken)
    assert code == 1
    assert {part for part, (level, _) in told.items() if level == "bad"} == {
        "automation", "blobs", "invariants", "redis", "workers",
    }  # fmt: skip
    assert "AUTOMATION_TOKEN" in told["automation"][1]
    assert told["invariants"][1].startswith("E3 job ")


async def test_a_damaged_file_is_found_by_a_deep_look(settings: Settings) -> None:
    file = next(path for path in settings.blobs.rglob("*") if path.is_file())
    file.write_bytes(b"PICTURE")
    assert (await lines(settings))[0] == 0
    code, told = await lines(settings, deep=True)
    assert (code, told["blobs"][0]) == (1, "bad")
    assert file.name in told["blobs"][1]
    file.unlink()
    assert (await lines(settings))[1]["blobs"][0] == "bad"


async def test_a_database_that_was_never_migrated_is_told_and_left_alone(settings: Settings, server_url: str) -> None:
    empty = msgspec.structs.replace(settings, database_url=new_database(server_url))
    for _ in range(2):
        code, told = await lines(empty)
        assert code == 1
        assert told["migrations"][0] == "bad"
        assert "asbuilt migrate" in told["migrations"][1]
        assert "invariants" not in told


async def test_without_a_database_the_rest_is_still_told(settings: Settings) -> None:
    away = msgspec.structs.replace(
        settings,
        database_url="postgresql://nobody@127.0.0.1:1/nothing",
        automation_url="http://127.0.0.1:1",
        redis_url="",
    )
    code, told = await lines(away)
    assert code == 1
    assert {part: level for part, (level, _) in told.items()} == {
        "redis": "note", "automation": "bad", "secrets": "ok", "postgres": "bad",
    }  # fmt: skip
