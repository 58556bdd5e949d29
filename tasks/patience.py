"""How a worker waits trouble with its database out: again and again, until it lands or the process gives up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from procrastinate.exceptions import ConnectorException

from app.core import db

log = logging.getLogger("asbuilt.worker")

FIRST_S = 0.2
LAST_S = 10.0

TROUBLE = (*db.TROUBLE, ConnectorException)
"""Our own statements' trouble, and what Procrastinate wraps around its."""

Answer = TypeVar("Answer")


class Patience:
    """One a process. `over` is set when it gives up; until then nothing that must land is dropped."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def insist(self, act: Callable[[], Awaitable[Answer]], *, on: str, longest_s: float = LAST_S) -> Answer:
        """Act until it succeeds. An act may have landed although its answer was lost, so it must bear repetition.

        `on` names it in the log. Raises what went wrong last once the process has given up.
        """
        pause_s = FIRST_S
        while True:
            try:
                return await act()
            except TROUBLE as exc:
                if self.over.is_set():
                    raise
                log.warning("the database is waited for", extra={"event": "database.trouble", "on": on, **told(exc)})
            await first_of(self.over, within_s=pause_s)
            pause_s = min(2 * pause_s, longest_s)


def told(exc: BaseException) -> dict[str, str]:
    """What the log says of a trouble: the kind, never the statement's parameters."""
    return {"error": type(exc.__cause__ or exc).__name__}


async def first_of(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or until the time is over."""
    if any(event.is_set() for event in events):
        return
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
