"""A third party's run told as our events: facts in the order they happened, counted from 1, and followed by polling.

Nothing is kept. The same facts give the same events with the same numbers, and more facts only make the story longer, so
that whoever attaches to a run, after whatever restart, finds the events where they were.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from tasks.engines import events as told
from tasks.engines.contract import Event, Result, RunFailure
from tasks.engines.errors import ServiceUnavailable, StreamLost

log = logging.getLogger("asbuilt.engines")

LONGEST_PAUSE_S = 10.0

Ending = Result | RunFailure | None
"""How a run ended; None: it was cancelled, and nothing was submitted."""


class Story:
    """The events of one run so far; `over` once there is nothing to come but its end."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.events: list[Event] = []
        self.over = False

    def tell(self, kind: str, at: datetime, data: msgspec.Struct | dict[str, object]) -> None:
        """The next event. The attempt of all is 1: a third party does not know ours."""
        self.events.append(self._event(len(self.events) + 1, kind, at, data))

    def step(self, at: datetime, *, index: int, total: int, key: str, label: str) -> None:
        """A step begins, and with it its one action: that is all that is known of its progress."""
        self.tell("step.started", at, told.StepStarted(index=index, total=total, id=key, label=label))
        self.tell("action.started", at, told.ActionStarted(index=index, total=total, label=label))

    def end(self, ending: Ending, *, after: int) -> Event:
        """The terminal event, beyond what the reader has seen."""
        seq = max(len(self.events), after) + 1
        now = datetime.now(UTC)
        if ending is None:
            return self._event(seq, "run.cancelled", now, told.RunCancelled(stage="running"))
        if isinstance(ending, Result):
            return self._event(seq, "run.succeeded", now, told.RunSucceeded(result=ending))
        return self._event(seq, "run.failed", now, told.RunFailed(error=ending))

    def stop_at_gate(self) -> None:
        """It was cancelled: nobody is asked to open its gate, and there is nothing to wait for."""
        if self.events[-1].type == "commit.requested":
            self.events.pop()
        self.over = True

    def _event(self, seq: int, kind: str, at: datetime, data: msgspec.Struct | dict[str, object]) -> Event:
        plain: dict[str, object] = msgspec.to_builtins(data)
        return Event(seq=seq, run_id=self.run_id, type=kind, at=at, attempt=1, data=plain)


async def follow(
    look: Callable[[], Awaitable[Story]],
    end: Callable[[], Awaitable[Ending]],
    *,
    after: int,
    deadline_s: float | None,
    poll_s: float,
) -> AsyncGenerator[Event, None]:
    """The events above `after` as they are told, ending after the terminal one.

    Raises `StreamLost` at the deadline, and what `look` raises, except trouble that passes.
    """
    clock = asyncio.get_running_loop()
    deadline = None if deadline_s is None else clock.time() + deadline_s
    seen, failures, cause = after, 0, ""
    while True:
        try:
            story = await look()
        except ServiceUnavailable as exc:
            failures, cause = failures + 1, str(exc)
            log.info("a run could not be looked at", extra={"event": "engine.poll_failed", "failures": failures})
        else:
            failures = 0
            for event in story.events[seen:]:
                yield event
                seen = event.seq
            if story.over:
                yield story.end(await end(), after=seen)
                return
        pause_s = poll_s if not failures else min(LONGEST_PAUSE_S, poll_s * 2**failures) * random.uniform(0.5, 1)  # noqa: S311
        if deadline is not None and clock.time() + pause_s >= deadline:
            raise StreamLost(cause or "the run did not end in time")
        await asyncio.sleep(pause_s)


def utc(moment: datetime) -> datetime:
    """Times come without an offset, and mean UTC."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
