"""The portal behind a stand-in: what was really submitted, counted, and our own contract's look-up of it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from litestar import Litestar, Request, Response, post

from tests.worker.rig import listening

NUMBER = r"NPL-\d{4}-\d{6}"

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Site(Protocol):
    """Where a stand-in's browser works."""

    async def fill(self, reference: str, photos: int) -> None: ...

    async def submit(self, reference: str) -> str:
        """Submit what was filled in, and answer the confirmation number."""


class Ledger:
    """A portal that accepts duplicates. `searched` is how its look-up answers: yes, down, none."""

    def __init__(self) -> None:
        self.submissions: list[str] = []
        self.filled: list[tuple[str, int]] = []
        self.searched = "yes"
        self.lookups = 0

    async def fill(self, reference: str, photos: int) -> None:
        self.filled.append((reference, photos))

    async def submit(self, reference: str) -> str:
        self.submissions.append(reference)
        return self.number(reference)

    def number(self, reference: str) -> str:
        return f"NPL-2026-{self.submissions.index(reference) + 1:06d}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Our automation service, as far as look-ups need it."""

        @post("/v1/lookups")
        async def lookup(request: Request[Any, Any, Any]) -> Response[bytes]:
            self.lookups += 1
            reference = (await request.json())["external_ref"]
            if self.searched != "yes":
                status, code = (503, "LOOKUP_FAILED") if self.searched == "down" else (501, "LOOKUP_UNSUPPORTED")
                error = {"error": {"code": code, "message": code, "class": "transient"}}
                return Response(msgspec.json.encode(error), status_code=status)
            if reference in self.submissions:
                answer: dict[str, object] = {"found": True, "confirmation_number": self.number(reference)}
            else:
                answer = {"found": False, "as_of": datetime.now(UTC), "index_lag_s": 0}
            return Response(msgspec.json.encode(answer), status_code=200)

        async with listening(Litestar([lookup])) as url:
            yield url


class Faulty:
    """A stand-in's application, with its connection cut after the work was done, as often as `cuts` says for a path.

    `busy` answers 429 without Retry-After before any work, as often.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.cuts: dict[str, int] = {}
        self.busy: dict[str, int] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = f"{scope['method']} {scope['path']}"
        self.asked.append(asked)
        if self._take(self.busy, asked):
            await send({"type": "http.response.start", "status": 429, "headers": []})
            await send({"type": "http.response.body", "body": b'{"detail": "slow down"}'})
        elif self._take(self.cuts, asked):
            await self._app(scope, receive, _nowhere)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionResetError("cut, as the test asked")
        else:
            await self._app(scope, receive, send)

    def count(self, word: str) -> int:
        """How many requests had the word in method and path."""
        return sum(word in asked for asked in self.asked)

    @staticmethod
    def _take(faults: dict[str, int], asked: str) -> bool:
        for word, left in faults.items():
            if word in asked and left > 0:
                faults[word] = left - 1
                return True
        return False


async def _nowhere(message: Message) -> None:
    """A reply that never arrives."""
