"""A name for every request, and one log line when it has been answered. Bodies and query strings are never logged."""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("asbuilt.http")


class RequestLog(ASGIMiddleware):
    """Sets `X-Request-Id` on the answer and `request_id` in the scope's state."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await next_app(scope, receive, named)
        finally:
            log.info(
                "request answered",
                extra={
                    "event": "http.request",
                    "request": request_id,
                    "method": scope.get("method"),
                    "path": scope["path"],
                    "status": status,
                    "ms": round((time.monotonic() - started) * 1000, 1),
                },
            )
