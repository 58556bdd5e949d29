"""Jobs of portals that a third party keys, from the upload to the demo portal: every submission is counted there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from psycopg.types.json import Jsonb

from sql import Connection
from tests.engines.browser_use_stand_in import KEY as BROWSER_USE_KEY
from tests.engines.browser_use_stand_in import BrowserUse
from tests.engines.browser_use_stand_in import Manner as BrowserUseManner
from tests.engines.ledger import NUMBER
from tests.engines.skyvern_stand_in import KEY as SKYVERN_KEY
from tests.engines.skyvern_stand_in import Manner, Skyvern
from tests.service import until
from tests.worker.contractor import Contractor, by_testid
from tests.worker.plant import Plant, plant
from tests.worker.processes import worker_process

CONFIG: dict[str, dict[str, object]] = {
    "skyvern": {
        "agent_id": "wpid_1",
        "number": NUMBER,
        "steps": [
            {"label": "sign_in", "title": "Sign in"},
            {"label": "details", "title": "Key the form"},
            {"label": "submit", "title": "Submit"},
        ],
    },
    "browser-use": {
        "instructions": "Key the record.",
        "hosts": ["portal.example"],
        "number": NUMBER,
        "workspace_id": "w_1",
    },
}


class DemoPortal:
    """The stand-in's browser at the demo portal: it really keys, and really submits."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._contractor = Contractor(client)
        self._drafts: dict[str, str] = {}

    async def fill(self, reference: str, photos: int) -> None:
        await self._contractor.sign_in()
        self._drafts[reference] = await self._contractor.ready_draft(reference=reference)

    async def submit(self, reference: str) -> str:
        draft = self._drafts[reference]
        await self._contractor.submit(draft)
        page = await self._contractor.get(f"/asbuilt/{draft}/confirmation")
        return by_testid(page.text, "confirmation")[0]


class Mill(msgspec.Struct, kw_only=True):
    """A plant whose portal is keyed by a third party."""

    works: Plant
    skyvern: Skyvern
    browser_use: BrowserUse

    def settings(self, **changed: object) -> Any:
        return msgspec.structs.replace(self.works.settings, **changed)

    async def keyed_by(self, engine: str, **changed: object) -> None:
        config = Jsonb(CONFIG[engine] | changed)
        await self.works.conn.execute(
            "update portal set engine = %s, engine_config = %s where key = 'npl'", [engine, config]
        )

    def creates(self, engine: str) -> int:
        if engine == "skyvern":
            return self.skyvern.faults.count("POST /v1/run/agents")
        return self.browser_use.faults.asked.count("POST /api/v4/runs")


@pytest.fixture
async def mill(database_url: str, redis_url: str, conn: Connection, tmp_path: Path) -> AsyncIterator[Mill]:
    async with running(database_url, redis_url, conn, tmp_path) as made:
        yield made


@asynccontextmanager
async def running(database_url: str, redis_url: str, conn: Connection, folder: Path) -> AsyncIterator[Mill]:
    async with AsyncExitStack() as stack:
        works = await stack.enter_async_context(plant(database_url, redis_url, conn, folder))
        await works.quirks(duplicates="accept")
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=works.portal, timeout=60))
        site = DemoPortal(client)
        skyvern, browser_use = Skyvern(site), BrowserUse(site)
        settings = msgspec.structs.replace(
            works.settings,
            skyvern_url=await stack.enter_async_context(skyvern.running()),
            skyvern_api_key=SKYVERN_KEY,
            browser_use_url=await stack.enter_async_context(browser_use.running()),
            browser_use_api_key=BROWSER_USE_KEY,
            engine_poll_s=0.05,
        )
        works = msgspec.structs.replace(works, settings=settings)
        yield Mill(works=works, skyvern=skyvern, browser_use=browser_use)


SUBMISSION = "select state, confirmation from portal_submission"


@pytest.mark.parametrize("engine", ["skyvern", "browser-use"])
async def test_a_job_reaches_the_portal_once(mill: Mill, engine: str) -> None:
    works = mill.works
    await mill.keyed_by(engine)
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    confirmation = await works.one("select confirmation from automation_job where id = %s", job)
    assert await works.one(SUBMISSION) == ("confirmed", confirmation)
    steps = await (await works.conn.execute("select key, state from automation_step order by index")).fetchall()
    keys = ["sign_in", "details", "submit"] if engine == "skyvern" else ["fill", "submit"]
    assert steps == [(key, "confirmed") for key in keys]
    if engine == "skyvern":
        sizes = await (await works.conn.execute("select size from blob join photo on blob_sha256 = sha256")).fetchall()
        assert sorted(size for _, _, size in mill.skyvern.files) == sorted(size for (size,) in sizes)
        assert await works.one("select count(*) from artifact") == 3
    else:
        assert len(mill.browser_use.files) == 3
        assert all(file["sent"] for file in mill.browser_use.files.values())


@pytest.mark.parametrize(
    "point", [pytest.param("W3", marks=pytest.mark.slow), "W4", pytest.param("W5", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("engine", ["skyvern", "browser-use"])
async def test_a_worker_killed_at_the_gate_after_a_lost_create_reply_submits_once(
    mill: Mill, engine: str, point: str
) -> None:
    works = mill.works
    await mill.keyed_by(engine)
    mill.skyvern.faults.cuts["POST /v1/run/agents"] = 1
    mill.browser_use.faults.cuts["POST /api/v4/runs"] = 1
    job = await works.upload()
    async with worker_process(mill.settings(crashpoint=f"{point}:kill")) as doomed:
        assert await doomed.ended() == -9
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert mill.creates(engine) == (1 if engine == "skyvern" else 2)
    outcomes = await (await works.conn.execute("select outcome from automation_attempt order by attempt")).fetchall()
    assert outcomes == [("lost",), ("completed",)]


@pytest.mark.parametrize("engine", ["skyvern", "browser-use"])
async def test_failed_after_a_real_submission_is_completed_by_the_look_up(mill: Mill, engine: str) -> None:
    works = mill.works
    await mill.keyed_by(engine)
    mill.skyvern.manner = Manner(fails="submit", late=True)
    mill.browser_use.manner = BrowserUseManner(fails="submit", late=True)
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select confirmed_by from portal_submission") == "lookup"


@pytest.mark.parametrize("engine", ["skyvern", "browser-use"])
async def test_a_button_pressed_too_early_is_found_out_at_the_gate(mill: Mill, engine: str) -> None:
    works = mill.works
    await mill.keyed_by(engine)
    mill.skyvern.manner = Manner(hasty=True)
    mill.browser_use.manner = BrowserUseManner(hasty=True)
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1
    assert await works.one("select confirmed_by from portal_submission") == "lookup"


async def test_a_claim_that_the_portal_does_not_confirm_completes_nothing(mill: Mill) -> None:
    works = mill.works
    await mill.keyed_by("skyvern")
    mill.skyvern.manner = Manner(lies=True)
    job = await works.upload()
    async with works.worker():
        await until(lambda: works.one("select outcome from automation_attempt"), lambda outcome: outcome is not None)
        assert await works.one("select confirmation from automation_job") is None
        assert (await works.one(SUBMISSION))[0] == "intent"
    assert await works.submissions(job) == 0


UNGATED = {"gate": "", "steps": [{"label": "details", "title": "Key the form"}, {"label": "submit", "title": "Submit"}]}
BLOCKS = (("details", "navigation"), ("submit", "navigation"))


async def test_without_a_gate_the_intent_stands_before_the_start(mill: Mill) -> None:
    works = mill.works
    await mill.keyed_by("skyvern", **UNGATED)
    mill.skyvern.manner = Manner(blocks=BLOCKS)
    mill.skyvern.faults.busy["POST /v1/run/agents"] = 99
    job = await works.upload()
    async with works.worker():
        await works.reaches(job, "retrying")
        # Too busy to take it: nothing was made, and the intent is taken back.
        assert (await works.one(SUBMISSION))[0] == "absent"
        mill.skyvern.faults.busy.clear()
        await works.conn.execute("select ops.retry(%s, 'it has room again')", [job])
        assert await works.ends(job) == "completed"
    assert await works.submissions(job) == 1


async def test_without_a_gate_a_killed_worker_is_followed_by_one_that_attaches(mill: Mill) -> None:
    works = mill.works
    await mill.keyed_by("skyvern", **UNGATED)
    mill.skyvern.manner = Manner(blocks=BLOCKS)
    job = await works.upload()
    async with worker_process(mill.settings(crashpoint="W3:kill")) as doomed:
        assert await doomed.ended() == -9
    assert (await works.one(SUBMISSION))[0] == "intent"
    async with works.worker():
        assert await works.ends(job) == "completed"
    assert (await works.submissions(job), mill.creates("skyvern")) == (1, 1)


@pytest.mark.parametrize("engine", ["skyvern", "browser-use"])
async def test_an_engine_without_a_key_says_so(mill: Mill, engine: str) -> None:
    works = mill.works
    await mill.keyed_by(engine)
    job = await works.upload()
    async with works.worker(skyvern_api_key="", browser_use_api_key=""):
        assert await works.ends(job) == "failed"
    code, kind, message = await works.one("select error_code, error_class, error_message from automation_job")
    assert (code, kind) == ("ENGINE_NOT_CONFIGURED", "bug")
    assert message.endswith("_API_KEY is not set")


async def test_settings_that_an_engine_cannot_use_are_named(mill: Mill) -> None:
    works = mill.works
    await mill.keyed_by("skyvern", steps="sign_in")
    job = await works.upload()
    async with works.worker():
        assert await works.ends(job) == "failed"
    assert await works.one("select error_code, error_message from automation_job") == (
        "ENGINE_NOT_CONFIGURED",
        "engine_config of portal npl: Expected `array`, got `str` - at `$.steps`",
    )
