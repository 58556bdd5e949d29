"""Storing a project's plan: all of a file or nothing, only what changed, on record, and however many import at once."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from app.cli import main
from app.core.db import connect_arguments
from app.core.errors import DatabaseUnavailable, InProgress, ProjectUnknown
from app.intake.design import service
from app.intake.design.assets import Asset
from app.intake.design.reading import read
from app.intake.design.service import Imported, store_design
from app.intake.design.store import LOCK_PROJECT
from sql import Connection


@pytest.fixture(autouse=True)
async def _project(conn: Connection) -> None:
    await conn.execute("insert into project (code, name) values ('demo', 'Demo'), ('other', 'Other')")


def pole(n: int, **more: Any) -> Asset:
    known = {"asset": f"P-{n}", "kind": "pole", "lat": 44.4583, "lon": -93.1616, "tolerance_m": 50.0}
    expected = msgspec.Raw(msgspec.json.encode(more.pop("expected", {"height_ft": 45})))
    return msgspec.convert({"line": n + 1, **known, **more, "expected": expected}, Asset)


async def store(database_url: str, *assets: Asset, project: str = "demo", dry_run: bool = False) -> Imported:
    return await store_design(
        database_url, assets, project=project, source="plan.csv", actor="command line", dry_run=dry_run
    )


def counts(done: Imported) -> tuple[int, int, int, int]:
    return done.new, done.changed, done.same, done.besides


async def rows(conn: Connection, query: Any) -> list[tuple[Any, ...]]:
    return await (await conn.execute(query)).fetchall()


PLAN = "select p.code, a.asset_key, a.kind, a.lat, a.lon, a.tolerance_m, a.expected from design_asset as a join project as p on p.id = a.project_id order by 1, 2"
AUDIT = "select a.actor, a.action, a.reason, p.code, a.after from audit_event as a join project as p on p.id = a.project_id order by a.id"
LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (400 << 20,) * 2); from app.cli import main; main(sys.argv[1:])"
"""The command in a process that may have 400 MiB; it takes some hundred."""


async def test_a_plan_is_stored_once_and_follows_its_file(database_url: str, conn: Connection) -> None:
    await store(database_url, pole(2, kind="their own"), project="other")
    assert counts(await store(database_url, pole(2), pole(1))) == (2, 0, 0, 0)
    written = await rows(conn, "select xmin::text from design_asset order by id")
    assert counts(await store(database_url, pole(1), pole(2))) == (0, 0, 2, 0)
    assert await rows(conn, "select xmin::text from design_asset order by id") == written
    moved = pole(2, lat=None, lon=None, tolerance_m=5.0, expected={"counts": {"a": 1}})
    assert counts(await store(database_url, moved, pole(3))) == (1, 1, 0, 1)
    assert await rows(conn, PLAN) == [
        ("demo", "P-1", "pole", 44.4583, -93.1616, 50.0, {"height_ft": 45}),
        ("demo", "P-2", "pole", None, None, 5.0, {"counts": {"a": 1}}),
        ("demo", "P-3", "pole", 44.4583, -93.1616, 50.0, {"height_ft": 45}),
        ("other", "P-2", "their own", 44.4583, -93.1616, 50.0, {"height_ft": 45}),
    ]
    act = ("command line", "design.import", "plan.csv")
    assert await rows(conn, AUDIT) == [
        (*act, "other", {"new": 1, "changed": 0, "same": 0}),
        (*act, "demo", {"new": 2, "changed": 0, "same": 0}),
        (*act, "demo", {"new": 1, "changed": 1, "same": 0}),
    ]


async def test_a_dry_run_says_what_would_be_and_stores_nothing(database_url: str, conn: Connection) -> None:
    await store(database_url, pole(1))
    before = await rows(conn, PLAN), await rows(conn, AUDIT)
    assert counts(await store(database_url, pole(1, kind="mast"), pole(2), dry_run=True)) == (1, 1, 0, 0)
    assert (await rows(conn, PLAN), await rows(conn, AUDIT)) == before


async def test_a_plan_that_breaks_in_its_last_batch_stores_nothing(
    database_url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    with pytest.raises(psycopg.errors.CheckViolation):
        await store(database_url, *(pole(n, lat=44.0 if n < 5 else 95.0) for n in range(1, 6)))
    assert await rows(conn, PLAN) == [] and await rows(conn, AUDIT) == []
    assert counts(await store(database_url, *map(pole, range(1, 6)))) == (5, 0, 0, 0)


async def test_imports_at_once_follow_one_another(
    database_url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    plan = [pole(n) for n in range(12)]
    done = await asyncio.gather(*(store(database_url, *(plan if n % 2 else plan[::-1])) for n in range(4)))
    assert sorted(map(counts, done)) == [(0, 0, 12, 0)] * 3 + [(12, 0, 0, 0)]
    assert len(await rows(conn, AUDIT)) == 1


async def test_an_import_that_waits_too_long_for_another_says_so(
    database_url: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = connect_arguments("asbuilt-cli")
    soon = known | {"options": known["options"].replace("lock_timeout=5s", "lock_timeout=50ms")}
    monkeypatch.setattr(service, "connect_arguments", lambda _name: soon)
    async with conn.transaction():
        await conn.execute(LOCK_PROJECT.block.text, {"code": "demo"})
        with pytest.raises(InProgress, match="another import for 'demo' is running"):
            await store(database_url, pole(1))


async def test_an_upload_is_stored_while_a_plan_comes_in(database_url: str, conn: Connection) -> None:
    """A record's row refers to its project: a lock that shuts that out would stop the phones for a long import."""
    async with conn.transaction():
        await conn.execute(LOCK_PROJECT.block.text, {"code": "demo"})
        async with await psycopg.AsyncConnection.connect(database_url) as phone:
            await phone.execute("set lock_timeout = '1s'")
            await phone.execute(
                "insert into device (project_id, label) select id, 'phone' from project where code = 'demo'"
            )


async def test_values_that_no_form_compares_are_named(database_url: str, conn: Connection) -> None:
    await conn.execute(
        "insert into form_def (form_key, version, title, schema, shots, measures, rules)"
        """ values ('pole', 1, 'Pole', '{}', '[]', '[]', '{"design": [{"field": "f", "expected": "counts/fibres"}]}'),"""
        " ('plain', 1, 'Plain', '{}', '[]', '[]', '{}')"
    )
    done = await store(database_url, pole(1, expected={"counts": {"fibres": 1}, "hieght_ft": 45}))
    assert done.uncompared == ("hieght_ft",)


async def test_a_project_that_is_not_there_is_told(database_url: str, conn: Connection) -> None:
    with pytest.raises(ProjectUnknown):
        await store(database_url, pole(1), project="nowhere")
    with pytest.raises(DatabaseUnavailable):
        await store("postgresql://127.0.0.1:1/none", pole(1))
    assert await rows(conn, PLAN) == []


async def test_the_command_tells_what_it_did(
    database_url: str,
    conn: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    path = tmp_path / "plan.csv"

    async def command(*arguments: str, project: str = "demo") -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, ["design", "import", str(path), "--project", project, *arguments])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    assert await command() == (1, "", f"{path}: No such file or directory\n")
    path.write_text("asset,lat,lon\nP-1,95,200\n,,\nP-2,1,1\nP-2,1,1\n")
    code, out, err = await command()
    assert (code, out, err.splitlines()[-1]) == (1, "", "nothing was stored")
    assert [line.partition(":")[0] for line in err.splitlines()[:-1]] == ["line 2", "line 5"]
    path.write_text("asset,lat,lon\n" + "P-1,95,200\n" * 1200)
    assert (await command())[2].splitlines()[-1] == "and 1,100 more; nothing was stored"
    assert await rows(conn, PLAN) == []
    path.write_text("asset,lat,lon,hieght_ft\nP-1,1,1,45\n")
    note = "no form compares: hieght_ft\n"
    assert await command("--dry-run") == (0, "would be: 1 new, 0 changed, 0 the same\n", note)
    assert await command() == (0, "1 new, 0 changed, 0 the same\n", note)
    path.write_text("asset\nP-2\n")
    assert await command() == (0, "1 new, 0 changed, 0 the same; 1 not in the file, kept\n", note)
    assert await command(project="nowhere") == (1, "", "there is no project 'nowhere'\n")


async def test_the_examples_of_the_docs_are_one_plan(database_url: str, conn: Connection, tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "design.md").read_text(encoding="utf-8")
    table, collection = (_block(page, language, tmp_path) for language in ("csv", "json"))
    assert counts(await store(database_url, *read(table))) == (3, 0, 0, 0)
    assert counts(await store(database_url, *read(collection))) == (0, 0, 3, 0)
    assert [(key, expected) for _, key, *_, expected in await rows(conn, PLAN)] == [
        ("C-12", {"model": "FOSC-450", "counts": {"fibres": 24}}),
        ("P-1001", {"class": "H2", "height_ft": 45, "material": ["Steel", "Concrete"]}),
        ("P-1002", {"class": 5, "height_ft": 40, "material": ["Douglas fir"]}),
    ]


@pytest.mark.slow
async def test_a_hundred_thousand_assets_are_taken_in_seconds(
    database_url: str, conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "plan.csv"
    with path.open("w") as file:
        file.write("asset,kind,lat,lon,height_ft,class,material[],counts/fibres\n")
        file.writelines(
            f"P-{n},pole,44.{n:06},-93.{n:06},{n % 30},H{n % 9},Steel|Concrete,{n % 288}\n" for n in range(100_000)
        )
    command = [sys.executable, "-c", LIMITED, "design", "import", str(path), "--project", "demo"]
    for told in ("100,000 new, 0 changed, 0 the same\n", "0 new, 0 changed, 100,000 the same\n"):
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, "DATABASE_URL": database_url}, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert (process.returncode, out.decode()) == (0, told)
        # Ten seconds here; one statement an asset takes minutes, which this border still tells apart.
        assert time.monotonic() - started < 90


def _block(page: str, language: str, folder: Path) -> Path:
    path = folder / language
    path.write_text(page.split(f"```{language}\n")[1].split("```", maxsplit=1)[0], encoding="utf-8")
    return path
