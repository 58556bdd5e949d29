"""What counts as proof of how a third party's run ended: the number's form, and the portal's own look-up. Never a claim.

A model may press the button while it is still to fill in, so that a run which ended without success has submitted nothing
only when the portal says so.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable
from typing import Protocol

import msgspec

from tasks.engines.contract import Absent, Found, Lookup, Result, RunFailure, Unsupported
from tasks.engines.errors import AlreadySubmitted, CannotTell

log = logging.getLogger("asbuilt.engines")

LONGEST_LAG_S = 60.0
"""A portal whose index lags more cannot be waited for here; the outcome stays unknown, and the worker looks again."""


class Lookups(Protocol):
    """Who can ask a portal: our own automation service, by the portal's recipe."""

    def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Awaitable[Lookup]: ...


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """For one reference at one portal; `number` is the whole pattern of its confirmation numbers."""

    lookups: Lookups
    portal: str
    account: str
    external_ref: str
    number: str

    async def nothing_yet(self) -> None:
        """Before a gate is opened. Raises `AlreadySubmitted` and `CannotTell`."""
        match await self._ask():
            case Found():
                raise AlreadySubmitted
            case Absent() | Unsupported():
                return
            case _:
                raise CannotTell

    async def of_success(self, claimed: object) -> Result | RunFailure:
        """A run says that it has submitted, and got this number."""
        good = isinstance(claimed, str) and re.fullmatch(self.number, claimed) is not None
        answer = await self._ask()
        if isinstance(answer, Found):
            if answer.confirmation_number != claimed:
                log.warning("a run told another number than the portal", extra={"event": "engine.number_differs"})
            return self._adopt(answer)
        if good and isinstance(answer, Unsupported):
            return Result(external_ref=self.external_ref, confirmation_number=str(claimed), how="page")
        said = "the portal does not confirm it" if good else "its number has not the portal's form"
        return unknown(f"the run says that it has submitted, and {said}")

    async def of_failure(self, failure: RunFailure, *, let_through: bool) -> Result | RunFailure:
        """A run ended so; `let_through` says that its gate was open."""
        answer = await self._ask()
        if isinstance(answer, Absent) and not let_through and answer.index_lag_s <= LONGEST_LAG_S:
            # What was pressed a moment ago need not be in the portal's index yet.
            await asyncio.sleep(answer.index_lag_s)
            answer = await self._ask() if answer.index_lag_s else answer
            if isinstance(answer, Absent):
                return msgspec.structs.replace(failure, outcome="not_submitted")
        if isinstance(answer, Found):
            return self._adopt(answer)
        return msgspec.structs.replace(failure, outcome="unknown")

    async def _ask(self) -> Lookup:
        return await self.lookups.lookup(portal=self.portal, external_ref=self.external_ref, account=self.account)

    def _adopt(self, found: Found) -> Result:
        return Result(
            external_ref=self.external_ref,
            confirmation_number=found.confirmation_number,
            submitted_at=found.submitted_at,
            how="lookup",
            portal_url=found.evidence_url,
        )


class NoLookups:
    """For a portal that is declared to have none."""

    async def lookup(self, *, portal: str, external_ref: str, account: str = "default") -> Lookup:  # noqa: ARG002
        return Unsupported(reason=f"portal {portal} is declared to have no look-up")


def unknown(message: str) -> RunFailure:
    """Nobody can tell whether it was submitted."""
    return RunFailure.of("SUBMIT_OUTCOME_UNKNOWN", message, outcome="unknown")
