"""A name for every request, and one log line when it has been answered. Bodies and query strings are never logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from litestar import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from app.core import logs

log = logging.getLogger("asbuilt.http")


def arrived_at(request: Request[Any, Any, Any]) -> datetime:
    """When the head of the request was here: a body takes minutes on a bad network, and a place is waited for."""
    moment: datetime = request.scope["state"]["arrived_at"]
    return moment


Answered = Callable[[str, str, int, float], None]
"""Told when an answer begins: method, the route's template or nothing, status, seconds since the request's last byte."""


class RequestLog:
    """Sets `X-Request-Id` on the answer, and `request_id` and `arrived_at` in the scope's state.

    It stands around the whole application: what the router itself answers (404, 405) would otherwise have no name.
    """

    def __init__(self, app: ASGIApp, *, answered: Answered) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {}).update({"request_id": request_id, "arrived_at": _now()})
        started = whole = time.monotonic()
        status = 0

        async def timed() -> HTTPReceiveMessage:
            nonlocal whole
            message = cast("HTTPReceiveMessage", await receive())
            if message["type"] == "http.request" and not message.get("more_body"):
                whole = time.monotonic()
            return message

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                route = str(scope.get("path_template", ""))
                self._answered(scope["method"], route, status, time.monotonic() - whole)
            await send(message)

        with logs.about(request=request_id):
            try:
                await self._app(scope, timed, named)
            finally:
                said = {"method": scope.get("method"), "path": scope["path"], "status": status}
                ms = round((time.monotonic() - started) * 1000, 1)
                log.info("request answered", extra={"event": "http.request", **said, "ms": ms})


def _now() -> datetime:
    return datetime.now(UTC)
