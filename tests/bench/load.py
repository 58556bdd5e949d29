"""A load of keep-alive clients in a process of their own, as cheap as Python can be: `python -m tests.bench.load`.

Reads a `Plan` from standard input and writes a `Tally` to standard output, both as JSON. Each client sends its next
request when it has the answer to the last. Only the standard library is used, so that it starts at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from functools import partial
from typing import TypedDict, cast

MARK = "00000000-0000-0000-0000-000000000000"
"""Stands in path and body where each request has a new uuid."""


class Plan(TypedDict):
    """What to send, for how long, and which status is the good one."""

    host: str
    port: int
    token: str
    path: str
    body: str
    clients: int
    seconds: float
    status: int


class Tally(TypedDict):
    """What came back: seconds that each good answer took, and how many were put off by a 503."""

    seconds: float
    took: list[float]
    refused: int


class Client(asyncio.Protocol):
    """One connection. An answer that is neither the good one nor a 503 ends the load with an error."""

    def __init__(self, plan: Plan, deadline: float) -> None:
        body = plan["body"].encode()
        head = (
            f"PUT {plan['path']} HTTP/1.1\r\nHost: {plan['host']}\r\nAuthorization: Bearer {plan['token']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._pieces = (head.encode() + body).split(MARK.encode())
        self._good = f"HTTP/1.1 {plan['status']} ".encode()
        self._deadline = deadline
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.took: list[float] = []
        self.refused = 0
        self._answer = b""
        self._whole = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._whole:
            head, found, _ = self._answer.partition(b"\r\n\r\n")
            if not found:
                return
            length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self._whole = len(head) + 4 + int(length)
        if len(self._answer) < self._whole:
            return
        now = time.perf_counter()
        if self._answer.startswith(self._good):
            self.took.append(now - self._sent_at)
        elif self._answer.startswith(b"HTTP/1.1 503 "):
            self.refused += 1
        else:
            self._end(RuntimeError(self._answer.decode(errors="replace")))
            return
        if now < self._deadline:
            self._send()
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._answer, self._whole = b"", 0
        self._sent_at = time.perf_counter()
        self._transport.write(str(uuid.uuid4()).encode().join(self._pieces))

    def _end(self, exc: Exception | None) -> None:
        if not self.done.done():
            if exc is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(exc)
            self._transport.close()


async def load(plan: Plan) -> Tally:
    """Run the plan. Raises at the first answer that is not the good one."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    make = partial(Client, plan, started + plan["seconds"])
    clients = [(await loop.create_connection(make, plan["host"], plan["port"]))[1] for _ in range(plan["clients"])]
    await asyncio.gather(*(client.done for client in clients))
    return {
        "seconds": time.perf_counter() - started,
        "took": [took for client in clients for took in client.took],
        "refused": sum(client.refused for client in clients),
    }


if __name__ == "__main__":
    json.dump(asyncio.run(load(json.load(sys.stdin))), sys.stdout)
