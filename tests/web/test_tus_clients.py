"""Public tus clients, unmodified, on a network that cuts every connection after 64 kB: the very bytes arrive."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from sql import Connection
from tests import packages
from tests.machine import browser
from tests.service import listed, record, service, web_settings
from tests.unit.pictures import jpeg
from tests.web.cutting import CuttingNetwork, cutting_network
from tests.web.test_resumable import sha256
from tests.web.tus_device import FILES, RECORDS, Tus

pytestmark = pytest.mark.slow

CLIENTS = Path(__file__).parent / "clients"
CUT = 64 * 1024


LEAST = 18
"""The photo has a good million bytes."""


@cache
def large_photo() -> bytes:
    return jpeg(size=(2400, 3000))


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.npm(tmp_path_factory.mktemp("npm"), "tus-js-client@4", "uppy@6")


@pytest.fixture(scope="module")
def tuspy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.pip(tmp_path_factory.mktemp("tuspy"), "tuspy>=1.1")


@contextmanager
def page_of_others(folder: Path) -> Iterator[str]:
    """Serve a folder from an origin that is not ours."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest_asyncio.fixture
async def sender(
    database_url: str, conn: Connection, redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Tus, CuttingNetwork, str, str]]:
    """A device, the network in front of our server, where that begins, and the page that may talk to us."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(large_photo())
    with page_of_others(folder) as page:
        settings = web_settings(database_url, redis_url, tmp_path, cors_origins=(page,))
        async with service(settings) as served, cutting_network(served.url, after=CUT) as (network, url):
            yield Tus(served, conn), network, url, page


async def arrived(tus: Tus, record_id: str, network: CuttingNetwork, *, cuts: int = LEAST) -> None:
    """The photo is there, byte for byte and once, and the network was as bad as it should be."""
    assert network.cuts >= cuts
    assert await tus.received(record_id) == [hashlib.sha256(large_photo()).hexdigest()]
    cursor = await tus.conn.execute("select state, received from upload_session")
    assert await cursor.fetchall() == [("accepted", len(large_photo()))]
    assert list(tus.spool.iterdir()) == []


async def run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-3000:]


@pytest.mark.parametrize("kind", ["buffer", "stream", "creation"])
async def test_tus_js_client(
    sender: tuple[Tus, CuttingNetwork, str, str], node_modules: Path, tmp_path: Path, kind: str
) -> None:
    tus, network, url, _ = sender
    record_id = await tus.put_record()
    script = shutil.copy(CLIENTS / "send.mjs", node_modules.parent)
    photo = tmp_path / "page" / "photo.jpg"
    await run("node", script, url + FILES, tus.served.upload, record_id, "tag", photo, kind)
    await arrived(tus, record_id, network)


async def test_tus_js_client_with_more_photos_at_once_than_a_device_has_places(
    database_url: str, conn: Connection, redis_url: str, node_modules: Path, tmp_path: Path
) -> None:
    """It takes a 429 for the end; so whoever finds no place waits for one, and none is told to come again."""
    (photo := tmp_path / "photo.jpg").write_bytes(jpeg(size=(600, 800)))
    names = [f"p{n}" for n in range(12)]
    async with service(web_settings(database_url, redis_url, tmp_path, requests_per_device=4)) as served:
        tus = Tus(served, conn)
        body = record(photos=listed(dict.fromkeys(names, "tag")))
        await tus.served.http.put(f"{RECORDS}/{body['id']}", headers=served.bearer(), json=body)
        script = shutil.copy(CLIENTS / "many.mjs", node_modules.parent)
        await run("node", script, served.url + FILES, served.upload, body["id"], photo, *names)
        assert len(await tus.received(body["id"])) == len(names)


@pytest.mark.parametrize("piece", [0, 100_000])
async def test_tuspy(sender: tuple[Tus, CuttingNetwork, str, str], tuspy: Path, tmp_path: Path, piece: int) -> None:
    """Whole, and in pieces with a checksum each, of which only those arrive that are not cut."""
    tus, network, url, _ = sender
    network.cuts_every_third = piece > 0
    record_id = await tus.put_record()
    photo = tmp_path / "page" / "photo.jpg"
    await run(tuspy, CLIENTS / "send.py", url + FILES, tus.served.upload, record_id, "tag", photo, str(piece))
    await arrived(tus, record_id, network, cuts=5 if piece else LEAST)
    if not piece:
        assert network.cuts <= 1.5 * LEAST, "what arrived before a cut was thrown away"


async def test_the_drafts_steps_by_hand(sender: tuple[Tus, CuttingNetwork, str, str]) -> None:
    """No public client of the IETF's draft is as far as its twelfth version: create, append, look, append, until it is whole."""
    tus, network, url, _ = sender
    record_id = await tus.put_record()
    at, answer = 0, None
    async with httpx.AsyncClient(base_url=url, headers=tus.served.bearer(), timeout=30) as http, asyncio.timeout(120):
        address = f"{RECORDS}/{record_id}/photos/tag"
        created = await http.post(address, headers={"Upload-Complete": "?0", "Repr-Digest": sha256(large_photo())})
        upload = created.headers["location"]
        while answer is None:
            headers = {"Upload-Offset": str(at), "Upload-Complete": "?1", "Content-Type": "application/partial-upload"}
            try:
                answer = await http.patch(upload, headers=headers, content=large_photo()[at:])
            except httpx.TransportError:
                at = int((await http.head(upload)).headers["upload-offset"])
    assert (answer.status_code, answer.headers["upload-complete"]) == (201, "?1")
    await arrived(tus, record_id, network)


async def test_uppy_in_chromium(
    sender: tuple[Tus, CuttingNetwork, str, str], node_modules: Path, tmp_path: Path
) -> None:
    tus, network, url, page_url = sender
    record_id = await tus.put_record()
    shutil.copy(CLIENTS / "uppy.html", tmp_path / "page" / "index.html")
    shutil.copy(node_modules / "uppy" / "dist" / "uppy.min.js", tmp_path / "page")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        try:
            page = await chromium.new_page()
            await page.goto(page_url)
            arguments = [url + FILES, tus.served.upload, record_id, "tag"]
            said = await page.evaluate("args => send(...args)", arguments)
        finally:
            await chromium.close()
    assert said == {"successful": 1, "failed": []}
    await arrived(tus, record_id, network)
