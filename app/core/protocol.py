"""uvicorn's fast HTTP parser, with the bound on a request's head that only its slow one has, and our error contract."""

from __future__ import annotations

from http import HTTPStatus
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.errors import MalformedRequest, Problem
from app.core.problems import MEDIA_TYPE, encode

MAX_HEAD = 64 * 1024
MAX_UNWANTED = 256 * 2**20
"""How much of a body is thrown away after its answer: more than twice the largest upload, so that phones read it."""
TURN_S = 0.005
TURNS = 200


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 and hangs up on a head of more than `MAX_HEAD` bytes: it would be held in memory to its end.

    It also hangs up on a body that goes on for more than `MAX_UNWANTED` bytes after its answer.
    """

    _unparsed = 0
    _unwanted = 0
    _turns = TURNS

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEAD:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._unparsed = self._unwanted = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)
        if self.cycle.response_complete:
            self._unwanted += len(body)
            if self._unwanted > MAX_UNWANTED:
                self.transport.abort()

    def on_message_complete(self) -> None:
        self._unparsed = 0
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The application hears of a cut when it has taken what arrived before, within a second: uvicorn throws it away."""
        if self._turns and self.cycle is not None and self.cycle.body and not self.cycle.response_complete:
            self._turns -= 1
            self.loop.call_later(TURN_S, self.connection_lost, exc)
            return
        super().connection_lost(exc)

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
