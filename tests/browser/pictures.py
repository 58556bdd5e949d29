"""`python -m tests pictures`: every screen in both themes, of a local stack with records that went well, badly and not at all.

    python -m tests pictures [FOLDER] [--width PX]

The folder is `docs/pictures` unless another is given. Pictures are no higher than a screen and none is over 150 kB, but for those
of a record and of operations, which show the whole page in 300 kB.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
import psycopg
from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from app.local.samples import Sample, samples
from app.local.sending import Receipt, send
from tests.browser.desk import DEADLINE_MS, Crew, Desk, make_person
from tests.e2e.stacks import Stack, asbuilt, home_directory, running
from tests.factories import claim, finish
from tests.machine import browser

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCREENS = {
    "operations": "/operations?window=hour",
    "failures": "/operations/failures",
    "portals": "/operations/portals",
    "questions": "/operations/questions",
    "audit": "/operations/audit",
}
LARGEST, LARGEST_WHOLE = 150_000, 300_000
GOOD, SEED = 8, 7
UNKNOWN = psycopg.types.json.Jsonb(
    {
        "code": "PORTAL_TIMEOUT",
        "class": "transient",
        "message": "No answer to the submission within 30 s",
        "step": "submit",
    }
)


def changed(sample: Sample, *, photos: bool = True, **fields: Any) -> Sample:
    """The sample with other fields, or with its photos forgotten."""
    body = msgspec.json.decode(sample.record)
    body["fields"] |= fields
    if photos:
        return msgspec.structs.replace(sample, record=msgspec.json.encode(body))
    return msgspec.structs.replace(sample, record=msgspec.json.encode({**body, "photos": []}), photos=())


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """No step of this process meanwhile."""
    process = stack.children()[name].pid
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


class Day:
    """What happened on the stack that is photographed."""

    def __init__(self, stack: Stack, crew: Crew) -> None:
        self.stack = stack
        self.crew = crew
        self.drawn = samples(60, project="demo", now=datetime.now(UTC), seed=SEED, sketch=True)

    def pole(self) -> Sample:
        return next(each for each in self.drawn if each.form == "pole-replacement")

    async def send(self, sample: Sample) -> Receipt:
        async with httpx.AsyncClient(base_url=self.stack.url, timeout=30) as client:
            return await send(client, sample, token=self.crew.token)

    async def settled(self, sent: Receipt, state: str) -> None:
        async with asyncio.timeout(90):
            while self.crew.job({"automation_job_id": sent.automation_job_id})["state"] != state:
                await asyncio.sleep(0.2)

    async def asked(self) -> Receipt:
        """A run that ended without anybody knowing how."""
        env = dict(line.split("=", 1) for line in asbuilt("env", "--home", str(self.stack.home)).stdout.splitlines())
        with frozen(self.stack, "worker"):
            sent = await self.send(next(self.drawn))
            async with await psycopg.AsyncConnection.connect(env["DATABASE_URL"], autocommit=True) as conn:
                attempt = await claim(conn, sent.automation_job_id)
                await conn.execute(
                    "select settle_parked(%s, %s::int, 'outcome_unknown', %s)",
                    (sent.automation_job_id, attempt, UNKNOWN),
                )
                await finish(conn, sent.automation_job_id, attempt)
        return sent


def save(picture: Image.Image, path: Path, *, largest: int) -> None:
    """As it is; with 256 colours, of which rare ones lose theirs, only where it would be too large."""
    picture.save(path, optimize=True)
    if path.stat().st_size > largest:
        picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


class Album:
    """Takes each screen twice, or the `whole` page, and keeps it small."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder

    async def take(self, name: str, *, whole: bool = False) -> None:
        for theme in THEMES:
            await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            await self.page.wait_for_function(
                "() => ![...document.querySelectorAll('.picture:empty')].some((each) => each.checkVisibility())"
            )
            await self.page.evaluate(
                "() => Promise.all([...document.images].map((each) => each.decode().catch(() => {})))"
            )
            with Image.open(io.BytesIO(await self.page.screenshot(full_page=whole))) as taken:
                save(
                    taken.convert("RGB"),
                    self.folder / f"{name}-{theme}.png",
                    largest=LARGEST_WHOLE if whole else LARGEST,
                )


async def walk(stack: Stack, page: Page, album: Album) -> None:
    """Live through a day, and take each screen when there is something on it."""
    crew, desk = Crew(stack), Desk(page, stack)
    day = Day(stack, crew)
    await desk.open("/sign-in")
    await expect(page.get_by_label("E-mail")).to_be_enabled()
    await album.take("sign-in")
    done = [await day.send(next(day.drawn)) for _ in range(GOOD)]
    failed = await day.send(changed(day.pole(), pole_height_ft=140))
    differs = await day.send(changed(day.pole(), work_order="WO-57931 "))
    held = await day.send(changed(next(day.drawn), photos=False))
    await day.settled(failed, "failed")
    await day.settled(differs, "failed")
    await day.settled(done[-1], "completed")
    crew.retry({"automation_job_id": failed.automation_job_id}, "The office spoke to the utility")
    crew.http.post(
        f"/api/jobs/{held.automation_job_id}/hold", json={"reason": "The crew goes back on Monday"}
    ).raise_for_status()
    asked = await day.asked()
    await desk.sign_in(make_person(stack, "operator"))
    for _ in range(2):
        live = await day.send(changed(day.pole()))
    await page.wait_for_function("() => [...document.querySelectorAll('tr progress')].some((bar) => bar.value > 20)")
    await album.take("list")
    await page.locator("tr[data-id]").nth(3).get_by_role("checkbox").check()
    await page.locator("tr[data-id]").nth(5).get_by_role("checkbox").click(modifiers=["Shift"])
    await album.take("list-chosen")
    await desk.open(f"/records/{live.record_id}")
    await expect(page.locator(".run-live .picture img")).to_be_visible()
    with frozen(stack, "worker"):  # or it is over when its second picture is taken
        await album.take("record-live", whole=True)
    shown = {"completed": done[0], "failed": failed, "differs": differs, "held": held, "question": asked}
    for name, sent in shown.items():
        await desk.open(f"/records/{sent.record_id}")
        await expect(page.locator("record-detail .timeline li").first).to_be_visible()
        await album.take(f"record-{name}", whole=True)
    for name, path in SCREENS.items():
        await desk.open(path)
        await expect(page.locator(".ops-body :is(.card, .section)").first).to_be_visible()
        await album.take(name, whole=name == "operations")
    await over(desk, album, done[0])


async def over(desk: Desk, album: Album, done: Receipt) -> None:
    """What opens over a page, and a page that has nothing to show."""
    page = desk.page
    await desk.open(f"/?q={done.record_id}")
    await page.locator("tr[data-id]").first.click()
    await expect(page.locator("dialog.detail .timeline li").first).to_be_visible()
    await album.take("detail")
    await page.locator("dialog.detail .photos button").first.click()
    await expect(page.locator("dialog.lightbox img")).to_be_visible()
    await album.take("lightbox")
    await desk.open(f"/records/{done.record_id}")
    await page.get_by_role("button", name="Run again…").click()
    await expect(page.get_by_role("dialog", name="Submit this record once more?")).to_be_visible()
    await album.take("act")
    await desk.open("/")
    await expect(page.locator("tr[data-id]").first).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.locator("dialog.keys")).to_be_visible()
    await album.take("keys")
    await desk.open("/?q=nobody+has+seen+this")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await album.take("empty")
    await page.route("**/api/records?*", lambda route: route.abort())
    await desk.open("/")
    await expect(page.get_by_text("The records could not be loaded")).to_be_visible()
    await album.take("error")


async def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests pictures", description="Every screen in both themes.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--width", type=int, default=1280)
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with home_directory() as home, running(home) as stack:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
            page = await chromium.new_page(viewport={"width": given.width, "height": 860})
            page.set_default_timeout(DEADLINE_MS)
            await walk(stack, page, Album(page, given.folder))
            await chromium.close()
    return 0
