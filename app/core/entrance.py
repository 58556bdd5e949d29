"""Where every request comes in: no more at once than can be answered in time, and none whose body never ends."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import Overloaded
from app.core.pace import Pace, PacedReceive
from app.core.problems import MEDIA_TYPE, encode
from app.core.settings import Settings

_STREAMS = "/api/events"
_UNCOUNTED = ("/health/", "/metrics", _STREAMS)
"""A load balancer and whoever looks why we are slow are always answered, and streams have limits of their own."""

BEGINNING = 20
"""How many streams begin at once. Thousands come back in one moment, and an upload shall not wait for all of them."""


class Entrance:
    """Answers 503 `overloaded` beyond `requests_at_once`; whoever reads a body that stops gets `IdleTimeout`."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limit = settings.requests_at_once
        self._idle_s = settings.body_idle_s
        self._total_s = settings.body_total_s
        self._open = 0
        self._beginning = asyncio.Semaphore(BEGINNING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        paced = PacedReceive(receive, Pace(idle_s=self._idle_s, total_s=self._total_s))
        if scope["path"] == _STREAMS:
            await self._begin(scope, paced, send)
        elif scope["path"].startswith(_UNCOUNTED):
            await self._app(scope, paced, send)
        elif self._limit and self._open >= self._limit:
            await _refuse(scope, send)
        else:
            self._open += 1
            try:
                await self._app(scope, paced, send)
            finally:
                self._open -= 1

    async def _begin(self, scope: Scope, receive: Receive, send: Send) -> None:
        """In line, until the first bytes of the body have been sent."""
        waits = True

        def over() -> None:
            nonlocal waits
            if waits:
                waits = False
                self._beginning.release()

        async def begun(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body":
                over()

        await self._beginning.acquire()
        try:
            await self._app(scope, receive, begun)
        finally:
            over()


async def _refuse(scope: Scope, send: Send) -> None:
    problem = Overloaded(retry_after_s=2)
    body = encode(problem, request_id=scope["state"]["request_id"])
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(problem.retry_after_s).encode()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
