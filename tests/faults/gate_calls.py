"""A run of the real service, brought to its gate by hand; its caller says what happens there, the portal's log what left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from app.core.settings import load
from tasks import naive
from tasks.engines import AsbuiltEngine
from tasks.engines import events as told
from tasks.engines.contract import CommitGrant, RunHandle, RunSpec, RunView
from tests.faults.mutants import Mutant
from tests.faults.portal_house import PortalHouse, portal_house

LOOK_S = 1.5


class Gate:
    """`permit` and `abort` are the grants of an attempt."""

    key = "by-hand.1"

    def __init__(self, house: PortalHouse, engine: AsbuiltEngine, spec: RunSpec, run: RunHandle, token: str) -> None:
        self.engine = engine
        self.spec = spec
        self._house = house
        self._run = run
        self._token = token

    async def permit(self, *, attempt: int = 1) -> RunView:
        return await self.engine.authorize_commit(self._run, CommitGrant(token=self._token, attempt=attempt))

    async def abort(self, *, attempt: int = 1) -> None:
        """After a moment in which nothing may have left."""
        await asyncio.sleep(LOOK_S)
        sent = self._house.effects()
        assert sent == [], f"submitted without permission: {sent}"
        grant = CommitGrant(token=self._token, attempt=attempt, decision="abort")
        await self.engine.authorize_commit(self._run, grant)


@asynccontextmanager
async def at_the_gate(mutant: Mutant) -> AsyncIterator[Gate]:
    """No workers: the record's own job waits meanwhile."""
    code = msgspec.json.encode(mutant.code) if mutant.code else b""
    async with portal_house(workers=0, code=code) as house:
        await house.send()
        settings = load("database_url", "automation_url", env=house.env())
        engine = AsbuiltEngine(settings.automation_url, token=settings.automation_token)
        try:
            (spec,) = await naive.specs(settings)
            run = await engine.start(spec, key=Gate.key)
            async for event in engine.events(run, deadline_s=60):
                if event.type == "commit.requested":
                    yield Gate(house, engine, spec, run, event.read(told.CommitRequested).token)
                    return
                assert not event.terminal, event
        finally:
            await engine.close()
