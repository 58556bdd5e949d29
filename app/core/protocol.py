"""uvicorn's fast HTTP parser, with the bound on a request's head that only its slow one has, and our error contract."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import cast
from uuid import uuid4

from litestar.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.errors import IdleTimeout, MalformedRequest, Problem
from app.core.pace import MIN_RATE
from app.core.problems import MEDIA_TYPE, encode
from app.core.settings import Settings

MAX_HEAD = 64 * 1024
MAX_UNWANTED = 256 * 2**20
"""How much of a body is thrown away after its answer: more than twice the largest upload, so that phones read it."""
TURN_S = 0.005
TURNS = 200


class Line:
    """Writes a chunk of an answer that has begun, at once and without its task: a stream's events cost a third that way."""

    __slots__ = ("_cycle", "_protocol")

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._protocol = protocol
        self._cycle = protocol.cycle

    @property
    def free(self) -> bool:
        """Whether a chunk would neither wait nor be lost."""
        cycle, flow = self._cycle, self._protocol.flow
        return bool(
            cycle.response_started
            and cycle.chunked_encoding
            and cycle.scope["method"] != "HEAD"
            and not (cycle.response_complete or cycle.disconnected or flow.write_paused)
        )

    def write(self, chunk: bytes) -> None:
        """Only while it is free."""
        self._protocol.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))


def line_of(scope: Scope) -> Line | None:
    """The line of a request that came by this protocol."""
    return cast("Line | None", (scope.get("extensions") or {}).get("asbuilt.line"))


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 and hangs up on a head of more than `MAX_HEAD` bytes: it would be held in memory to its end.

    It also hangs up on a body that goes on for more than `MAX_UNWANTED` bytes after its answer, or hardly goes on at
    all, on a head that does not come to its end, and on whoever takes nothing of an answer for most of `idle_s`: to close
    such a connection would wait for ever until its buffer is taken.
    """

    head_s = 20.0
    idle_s = 30.0
    _unparsed = 0
    _unwanted = 0
    _turns = TURNS
    _late: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _whole = True
    """Whether the body of the last request has come to its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio promises less than uvicorn takes; of a connection that is listened for it is always this one.
        super().connection_made(cast("asyncio.Transport", transport))
        self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._whole = False
        self._await_head()

    def _await_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_s, self._too_late)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._hang_up(IdleTimeout(f"the head of the request took longer than {self.head_s:g} s"))

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEAD:
            self.send_400_response("The head of the request is too large.")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader(self.transport.get_write_buffer_size(), looks=2)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_awaiting_reader()

    def _await_reader(self, left: int, *, looks: int) -> None:
        self._stuck = self.loop.call_later(self.idle_s / 3, self._look_at_reader, left, looks)

    def _look_at_reader(self, before: int, looks: int) -> None:
        # Nobody writes meanwhile, so what is left becomes less when anything is taken.
        left = self.transport.get_write_buffer_size()
        if left < before:
            self._await_reader(left, looks=2)
        elif looks > 1:
            self._await_reader(left, looks=looks - 1)
        else:
            self.transport.abort()

    def _stop_awaiting_reader(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def on_headers_complete(self) -> None:
        self._head_is_here()
        self._unparsed = self._unwanted = 0
        super().on_headers_complete()
        self.scope["extensions"] = {"asbuilt.line": cast("dict[object, object]", Line(self))}

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)
        if self.cycle.response_complete:
            self._unwanted += len(body)
            if self._unwanted > MAX_UNWANTED:
                self.transport.abort()

    def on_message_complete(self) -> None:
        self._unparsed = 0
        self._whole = True
        self._stop_lingering()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The application hears of a cut when it has taken what arrived before, within a second: uvicorn throws it away."""
        self._head_is_here()
        self._stop_lingering()
        self._stop_awaiting_reader()
        if self._turns and self.cycle is not None and self.cycle.body and not self.cycle.response_complete:
            self._turns -= 1
            self.loop.call_later(TURN_S, self.connection_lost, exc)
            return
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # A second request in the pipe has a body that is still wanted.
        if not self._whole and self.cycle.response_complete:
            self._linger(self._unwanted)

    def _linger(self, before: int) -> None:
        """The rest of a body is read so that its sender sees the answer; one that only holds the line is let go."""

        def look() -> None:
            if self._unwanted - before < MIN_RATE * self.idle_s:
                self.transport.abort()
            else:
                self._linger(self._unwanted)

        self._lingering = self.loop.call_later(self.idle_s, look)

    def _stop_lingering(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None

    def send_400_response(self, msg: str) -> None:
        """What no handler sees is answered like everything else."""
        self._hang_up(MalformedRequest(msg))

    def _hang_up(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        request_id = uuid4().hex
        body = encode(problem, request_id=request_id)
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def protocol(settings: Settings) -> type[BoundedProtocol]:
    """The protocol with the times of these settings, as uvicorn wants it: a class."""
    return type("Protocol", (BoundedProtocol,), {"head_s": settings.head_s, "idle_s": settings.body_idle_s})
