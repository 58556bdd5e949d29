"""uvicorn's fast HTTP parser, with the bound on a request's head that only its slow one has."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Answers 400 and hangs up on a head of more than `MAX_HEAD` bytes: it would be held in memory to its end."""

    _unparsed = 0

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEAD:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        super().on_message_complete()
