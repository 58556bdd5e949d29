"""Tries a recipe out: a runner of its own, one run of one record to the gate, every step printed and every frame kept."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO
from uuid import UUID, uuid4

import msgspec
from psycopg import AsyncConnection

from app.core.settings import Settings
from sql.loader import WrongRowCount
from tasks import inputs, store
from tasks.engines.asbuilt import AsbuiltEngine
from tasks.engines.contract import CommitGrant, Event, RunHandle, RunSpec
from tasks.engines.events import CommitRequested
from tasks.runner import server
from tasks.runner.recipe import Recipe
from tasks.runner.recipe_file import Recipes, load
from tasks.runner.samples import Material, of_sample, serving
from tasks.runner.telling import Teller


class Refused(Exception):
    """The try cannot begin; the text says why."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `asbuilt recipe try` was asked; `record` wins over `sample`, `frames` is made when there is a picture."""

    file: Path
    record: UUID | None = None
    sample: str = "pole"
    url: str = ""
    browser: bool = False
    commit: bool = False
    frames: Path = Path("frames")


async def try_out(options: Options, *, settings: Settings, out: TextIO) -> int:
    """0 when the run came to the gate, or with `commit` to its confirmation. Raises `RecipeProblem` and `Refused`."""
    recipe = load(options.file)
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asbuilt-try-")))
        own = _own_settings(settings, recipe, options, work)
        material = await _material(options, own, stack)
        service = await stack.enter_async_context(server.running(own))
        service.runs.recipes = Recipes([recipe])
        _address(service, recipe, options)
        engine = AsbuiltEngine(service.url, token=own.automation_token)
        stack.push_async_callback(engine.close)
        spec = _spec(recipe, material, commit=options.commit)
        run = await engine.start(spec, key=f"{spec.job_id}.1")
        teller = Teller(out, frames=options.frames)
        teller.begin(recipe, browser=service.runs.shop.drivers.name, reference=spec.external_ref)
        last = await _follow(engine, run, teller)
        return teller.end(last, commit=options.commit)


def _own_settings(settings: Settings, recipe: Recipe, options: Options, work: Path) -> Settings:
    wanted = settings.browser if options.browser or recipe.needs == "browser" else "none"
    return msgspec.structs.replace(
        settings,
        runner_port=0,
        runner_dir=work / "runner",
        recipes=Path(),
        browser=wanted,
        portal_url=settings.portal_url or options.url,
        automation_token=settings.automation_token or secrets.token_urlsafe(24),
    )


async def _material(options: Options, settings: Settings, stack: AsyncExitStack) -> Material:
    if options.record is None:
        return await stack.enter_async_context(serving(of_sample(options.sample)))
    if not settings.database_url:
        raise Refused("--record needs a running local stack, or DATABASE_URL and ASBUILT_URL")
    async with await AsyncConnection.connect(settings.database_url, autocommit=True, connect_timeout=30) as conn:
        try:
            row = await store.RUN_INPUTS(conn, record=options.record)
        except WrongRowCount:
            raise Refused(f"there is no record {options.record}") from None
    return Material(inputs=inputs.keyed(row), files=inputs.files(settings, row))


def _address(service: server.Service, recipe: Recipe, options: Options) -> None:
    portals = dict(service.runs.shop.portals)
    if recipe.portal not in portals:
        raise Refused(f"the service knows no portal {recipe.portal!r}: it needs its address and an account")
    if options.url:
        portals[recipe.portal] = msgspec.structs.replace(portals[recipe.portal], base_url=options.url.rstrip("/"))
    service.runs.shop = msgspec.structs.replace(service.runs.shop, portals=portals)


def _spec(recipe: Recipe, material: Material, *, commit: bool) -> RunSpec:
    return RunSpec(
        job_id=uuid4(),
        record_id=uuid4(),
        attempt=1,
        portal=recipe.portal,
        recipe=recipe.recipe,
        recipe_version=recipe.version,
        external_ref=f"TRY-{secrets.token_hex(4).upper()}",
        inputs=material.inputs,
        files=material.files,
        commit="gated" if commit else "dry_run",
    )


async def _follow(engine: AsbuiltEngine, run: RunHandle, teller: Teller) -> Event:
    async for event in engine.events(run, deadline_s=600):
        teller.tell(event)
        if event.type == "frame":
            teller.keep(str(event.data["step"]), await engine.artifact(str(event.data["artifact_id"])))
        elif event.type == "commit.requested":
            grant = CommitGrant(token=event.read(CommitRequested).token, attempt=1)
            await engine.authorize_commit(run, grant)
        elif event.terminal:
            return event
    raise Refused("the run ended without a word")
