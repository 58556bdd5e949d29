"""A run of any engine, followed as the worker does."""

from __future__ import annotations

from tasks.engines.contract import CommitGrant, Engine, Event, RunHandle
from tasks.engines.events import CommitRequested


class Following:
    """What the benches of the engines share."""

    async def until(self, engine: Engine, run: RunHandle, kind: str) -> Event:
        async for event in engine.events(run, deadline_s=60):
            if event.type == kind:
                return event
        raise AssertionError(f"the run ended without {kind}")

    async def play(self, engine: Engine, run: RunHandle, *, after: int = 0) -> list[Event]:
        """Follow it to its end, and open the gate whenever it is closed."""
        events: list[Event] = []
        async for event in engine.events(run, after=after, deadline_s=60):
            events.append(event)
            if event.type == "commit.requested":
                await self.let_through(engine, run, event)
        return events

    async def let_through(self, engine: Engine, run: RunHandle, event: Event) -> None:
        if (await engine.run(run.run_id)).status == "awaiting_commit":
            await engine.authorize_commit(run, CommitGrant(token=event.read(CommitRequested).token, attempt=1))
