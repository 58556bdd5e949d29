"""An automation service whose every run has succeeded as soon as it is asked: only the worker's own work is left.

It speaks just enough of the contract (`tasks/engines/contract.py`) for a run without a gate, and knows no errors.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

AT = "2026-01-01T00:00:00Z"


class Connection(asyncio.Protocol):
    """A client's connection: requests with a Content-Length or without a body."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        request, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(body) < length:
            return
        self._data = body[length:]
        method, path, _ = request.split(" ")
        if method == "POST":
            self._reply(201, _view(headers["idempotency-key"]))
        else:
            self._reply(200, _succeeded(path.split("/")[3]))

    def _reply(self, status: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode() + b"\n"
        self._transport.write(
            f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )


def _view(key: str) -> dict[str, object]:
    return {"id": key, "key": key, "attempt": 1, "status": "running", "last_seq": 0, "created_at": AT}


def _succeeded(run_id: str) -> dict[str, object]:
    result = {"external_ref": run_id, "confirmation_number": f"C-{run_id}"}
    return {"seq": 1, "run_id": run_id, "type": "run.succeeded", "at": AT, "attempt": 1, "data": {"result": result}}


@contextmanager
def service() -> Iterator[str]:
    """The service on a free port, in a thread of this process; yields its URL."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Connection, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()
