"""Plain HTTP clients, unmodified, on a network that cuts, loses answers and doubles requests: nothing is stored twice."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from sql import Connection
from tests import packages
from tests.machine import browser
from tests.service import Service, listed, record, service, until, web_settings
from tests.unit.pictures import jpeg
from tests.web.hostile import POST, House
from tests.web.spoiling import Fate, SpoilingNetwork, spoiling_network
from tests.web.test_tus_clients import page_of_others

CLIENTS = Path(__file__).parent / "clients"
SHOTS = {"whole": "full_pole", "tag": "tag", "base": "base"}
WHOLE = (1, 1, 1, 1, 3)
FATES: dict[str, list[Fate]] = {
    "a good network": [],
    "cut on the way up": ["cut", "cut"],
    "the answer lost": ["lose the answer", "lose the answer"],
    "everything twice": ["twice"],
    "all of it": ["cut", "lose the answer", "twice"],
}
SLOW = [pytest.param(case, marks=[] if case == "all of it" else pytest.mark.slow) for case in FATES]


@cache
def photos() -> dict[str, bytes]:
    return {name: jpeg(size=(2000, 1500), shade=40 + 60 * n) for n, name in enumerate(SHOTS)}


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A phone's folder, and the network in front of our server."""

    house: House
    network: SpoilingNetwork
    url: str
    folder: Path

    @property
    def served(self) -> Service:
        return self.house.served

    def packed(self, **changed: Any) -> str:
        """A record and its photos in the folder; answers its id."""
        body = record(photos=listed(SHOTS), **changed)
        (self.folder / "record.json").write_bytes(msgspec.json.encode(body))
        for name, data in photos().items():
            (self.folder / f"{name}.jpg").write_bytes(data)
        return str(body["id"])

    @property
    def files(self) -> list[Path]:
        return [self.folder / "record.json", *(self.folder / f"{name}.jpg" for name in SHOTS)]

    async def arrived(self, key: str) -> None:
        """Once, whole, and nothing else with it."""
        await until(lambda: self.house.stored(key), lambda row: row == WHOLE)
        assert await self.house.one("select count(*) from asbuilt_record") == (1,)
        incoming = self.served.settings.blobs / "incoming"
        await until(lambda: asyncio.to_thread(lambda: list(incoming.iterdir())), lambda files: files == [])


@pytest_asyncio.fixture
async def crew(database_url: str, conn: Connection, redis_url: str, tmp_path: Path) -> AsyncIterator[Crew]:
    folder = tmp_path / "page"
    folder.mkdir()
    with page_of_others(folder) as page:
        settings = web_settings(database_url, redis_url, tmp_path, cors_origins=(page,), url=page)
        async with service(settings) as served, spoiling_network(served.url) as (network, url):
            yield Crew(house=House(served=served, conn=conn), network=network, url=url, folder=folder)


async def run(*command: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(120):
        said, problems = await process.communicate()
    return process.returncode or 0, said.decode() + problems.decode()


def curl(crew: Crew, *more: str | Path) -> list[str | Path]:
    silent = ("curl", "--silent", "--show-error", "--fail-with-body", "--header")
    return [*silent, f"Authorization: Bearer {crew.served.upload}", "--write-out", " %{http_code}", *more]


def package(crew: Crew) -> list[str]:
    first, *others = crew.files
    return ["-F", f"record=<{first};type=application/json", *(f"-F{path.stem}=@{path}" for path in others)]  # fmt: skip


@pytest.mark.parametrize("case", SLOW)
async def test_curl_sends_a_package(crew: Crew, case: str) -> None:
    """Above a megabyte it asks whether it may go on; what failed is sent again as it was."""
    key = crew.packed()
    crew.network.fates = list(FATES[case])
    for _ in range(len(FATES[case]) + 1):
        code, said = await run(*curl(crew, *package(crew), crew.url + POST))
        if code == 0:
            break
    assert said.endswith((" 201", " 200")), said
    assert crew.network.met == len(FATES[case])
    await crew.arrived(key)


async def test_curl_is_slow_is_cut_by_its_own_clock_and_sends_files_again(crew: Crew) -> None:
    key = crew.packed()
    body, *files = crew.files
    upload = f"{crew.url}{POST}/{key}"
    code, said = await run(*curl(crew, "-T", body, "--header", "Content-Type: application/json", upload))
    assert (code, said[-4:]) == (0, " 201"), said
    for path in files:
        put: list[str | Path] = ["-T", path, f"{upload}/photos/{path.stem}"]
        code, said = await run(*curl(crew, "--limit-rate", "20k", "--max-time", "0.4", *put))
        assert code == 28, f"it was not cut: {said}"
        code, said = await run(*curl(crew, "--limit-rate", "5M", *put))
        assert said.endswith(" 201"), said
        code, said = await run(*curl(crew, *put))
        assert said.endswith(" 200"), said
    await crew.arrived(key)


@pytest.mark.parametrize("case", SLOW)
async def test_nodes_own_fetch(crew: Crew, case: str) -> None:
    key = crew.packed()
    crew.network.fates = list(FATES[case])
    script = CLIENTS / "fetch.mjs"
    code, said = await run("node", script, crew.url + POST, crew.served.upload, *crew.files)
    assert code == 0, said
    assert crew.network.met == len(FATES[case])
    await crew.arrived(key)


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    return packages.npm(folder, "axios@1", "axios-retry@4", "workbox-core@7", "workbox-background-sync@7")


@pytest.mark.slow
@pytest.mark.parametrize("case", FATES)
async def test_axios_with_axios_retry(crew: Crew, node_modules: Path, case: str) -> None:
    key = crew.packed()
    crew.network.fates = list(FATES[case])
    for name in ("axios.mjs", "package.mjs"):
        shutil.copy(CLIENTS / name, node_modules.parent)
    script = node_modules.parent / "axios.mjs"
    code, said = await run("node", script, crew.url + POST, crew.served.upload, *crew.files)
    assert code == 0, said
    answer = json.loads(said.splitlines()[0])
    assert answer["status"] in (200, 201)
    assert answer["turns"] == 1 + sum(fate != "twice" for fate in FATES[case])
    await crew.arrived(key)


@pytest.mark.slow
@pytest.mark.parametrize("case", FATES)
async def test_workbox_replays_what_failed(crew: Crew, node_modules: Path, case: str) -> None:
    """The stored request is sent verbatim: the same boundary, the same bytes, as often as it takes."""
    key = crew.packed()
    shutil.copy(CLIENTS / "workbox.html", crew.folder / "index.html")
    shutil.copy(CLIENTS / "worker.js", crew.folder)
    for name in ("core", "background-sync"):
        shutil.copy(node_modules / f"workbox-{name}" / "build" / f"workbox-{name}.prod.js", crew.folder)
    crew.network.fates = list(FATES[case])
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        try:
            page = await chromium.new_page()
            await page.goto(crew.served.settings.url)
            await page.evaluate("ready()")
            body = (crew.folder / "record.json").read_text()
            arguments = [crew.url + POST, crew.served.upload, body, list(SHOTS)]
            status = await page.evaluate("args => send(...args)", arguments)
            turns = 0
            while (said := await page.evaluate("replay()"))["after"] and turns < 10:
                turns += 1
        finally:
            await chromium.close()
    assert status in (200, 201, 202)
    assert said["after"] == 0
    assert crew.network.met == len(FATES[case])
    await crew.arrived(key)
