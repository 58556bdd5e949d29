"""What only a real Chromium can do wrong: repeat a request by itself, die, and grow old."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tasks.engines.contract import RunHandle
from tasks.engines.errors import InputGone
from tasks.engines.events import InputRequired, RunFailed
from tasks.runner import memory
from tasks.runner.chromium import Age, Chromium
from tests.worker.test_runner_drivers import CHROMIUM
from tests.worker.tollhouse import PASSWORD, RECIPE, Toll, Tollhouse, button, field, page, tolled

pytestmark = pytest.mark.parametrize("browser", [CHROMIUM] if CHROMIUM is not None else [])

OPEN_RECIPE = RECIPE[: RECIPE.index("[[steps]]")] + RECIPE[RECIPE.index('[[steps]]\nid = "submit"') :]


class Dropping:
    """A portal on raw sockets that closes a used keep-alive line instead of answering a submission."""

    def __init__(self) -> None:
        self.posts: list[int] = []
        self.lines = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines += 1
        line = self.lines
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode("latin-1")
                length = next(
                    (int(part.partition(":")[2]) for part in text.lower().split("\r\n") if "content-length" in part), 0
                )
                await reader.readexactly(length)
                if text.startswith("POST"):
                    self.posts.append(line)
                    return
                body = page(field("name", "Name") + button("Send"), action="/submit").encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()


async def test_chromium_s_own_repeat_of_a_submission_never_arrives(tmp_path: Path, browser: str) -> None:
    """One click, and a reused line that dies before the answer: left alone, Chromium sends the form a second time."""
    portal = Dropping()
    async with portal.listening() as url, tolled(tmp_path, url=url, recipe=OPEN_RECIPE, browser=browser) as toll:
        events = await toll.play(await toll.start())
        error = events[-1].read(RunFailed).error
        assert error.outcome == "unknown"
        assert len(portal.posts) == 1


async def test_left_alone_chromium_does_repeat_it(tmp_path: Path, browser: str) -> None:
    """Why the gate sends by itself: if this ever fails, Chromium has mended its ways, and the gate may be simpler."""
    from playwright.async_api import async_playwright

    portal = Dropping()
    async with portal.listening() as url, async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=await asyncio.to_thread(which, browser))
        opened = await started.new_page()
        await opened.goto(url)
        await opened.get_by_label("Name").fill("Okafor")
        await opened.get_by_role("button", name="Send").click(no_wait_after=True)
        async with asyncio.timeout(60):
            while len(portal.posts) < 2:
                await asyncio.sleep(0.05)
        await started.close()


def which(name: str) -> str:
    import shutil

    return shutil.which(name) or name


def drivers(toll: Toll) -> Chromium:
    chosen = toll.service.runs.shop.drivers
    assert isinstance(chosen, Chromium)
    return chosen


def browser_of(toll: Toll) -> int:
    """The process of the browser that takes runs now."""
    now = drivers(toll)._now
    assert now is not None
    assert now.pid is not None
    return now.pid


def alive(pid: int) -> bool:
    return pid in memory.below(os.getpid())


async def at_gate(toll: Toll) -> RunHandle:
    run = await toll.start()
    await toll.until(run, "commit.requested")
    return run


async def test_a_killed_browser_ends_its_own_runs_and_the_next_gets_a_new_one(tmp_path: Path, browser: str) -> None:
    async with tolled(tmp_path, browser=browser) as toll:
        runs = [await at_gate(toll) for _ in range(2)]
        os.kill(browser_of(toll), signal.SIGKILL)
        for run in runs:
            error = (await toll.until(run, "run.failed")).read(RunFailed).error
            assert (error.code, error.outcome) == ("BROWSER_LOST", "not_submitted")
        assert (await toll.play(await toll.start()))[-1].type == "run.succeeded"
        assert toll.portal.submissions == ["Okafor"]


async def test_an_old_browser_is_replaced_while_its_runs_go_on(tmp_path: Path, browser: str) -> None:
    """Under steady work there is never a moment without runs: waiting for one would keep the old browser for ever."""
    async with tolled(tmp_path, browser=browser) as toll:
        drivers(toll)._age = Age(runs=1)
        first = await at_gate(toll)
        old = browser_of(toll)
        second = await at_gate(toll)
        assert alive(old)
        assert browser_of(toll) != old
        assert (await toll.play(first))[-1].type == "run.succeeded"
        assert (await toll.play(second))[-1].type == "run.succeeded"
        assert (await toll.play(await toll.start()))[-1].type == "run.succeeded"
        async with asyncio.timeout(60):
            while alive(old):
                await asyncio.sleep(0.05)


async def test_a_browser_that_has_grown_is_replaced(tmp_path: Path, browser: str) -> None:
    async with tolled(tmp_path, browser=browser) as toll:
        assert (await toll.play(await toll.start()))[-1].type == "run.succeeded"
        old = browser_of(toll)
        assert 50_000_000 < memory.taken(old) < 1_500_000_000
        drivers(toll)._age = Age(memory=1_000_000)
        assert (await toll.play(await toll.start()))[-1].type == "run.succeeded"
        assert browser_of(toll) != old
        assert not alive(old)


async def test_the_page_a_run_failed_on_is_kept_without_secrets(tmp_path: Path, browser: str) -> None:
    """A password that is typed and refused stands in the field: ARIA snapshots show it, and this page repeats it."""
    portal = Tollhouse()
    portal.names_secrets = True
    wrong = RECIPE.replace('name = "Sign in"}', 'name = "Enter"}, timeout = 0.5')
    async with tolled(tmp_path, portal=portal, recipe=wrong, browser=browser) as toll:
        run = await toll.start()
        error = (await toll.until(run, "run.failed")).read(RunFailed).error
        assert error.code == "ELEMENT_TIMEOUT"
        kept = toll.service.runs.artifacts.of(run.run_id)
        assert [(each.kind, each.mime) for each in kept][-2:] == [("page", "text/html"), ("page", "text/plain")]
        html, aria = [(await toll.engine.artifact(each.id)).decode() for each in kept[-2:]]
        assert "6-digit code" not in html
        assert "Password" in html
        assert "•••" in html
        assert "textbox" in aria
        assert aria.count("•••") == 2
        told = toll.kept() + msgspec.json.encode(await toll.engine.run(run.run_id))
        assert PASSWORD.encode() not in told
        assert b"Gate&quot;" not in told


async def test_a_browser_killed_while_a_person_is_asked_ends_the_run_at_once(tmp_path: Path, browser: str) -> None:
    async with tolled(tmp_path, portal=Tollhouse(code="917364"), browser=browser) as toll:
        run = await toll.start()
        question = (await toll.until(run, "input.required")).read(InputRequired)
        os.kill(browser_of(toll), signal.SIGKILL)
        assert (await toll.until(run, "run.failed")).read(RunFailed).error.code == "BROWSER_LOST"
        with pytest.raises(InputGone):
            await toll.engine.provide_input(run, input_id=question.id, values={"answer": "917364"})
