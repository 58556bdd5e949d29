"""Uploads by tus from keep-alive clients in a process of their own: `python -m tests.bench.tus_load`.

Reads a `Plan` from standard input and writes a `Tally` to standard output, both as JSON. Each upload is a creation and one
PATCH with all its bytes; only the standard library is used.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
import uuid
from typing import TypedDict


class Plan(TypedDict):
    """What to send, and for how long; sizes in bytes."""

    host: str
    port: int
    path: str
    token: str
    size: int
    clients: int
    seconds: float


class Tally(TypedDict):
    """How long it went on, and the seconds that each upload took."""

    seconds: float
    took: list[float]


async def load(plan: Plan) -> Tally:
    """Run the plan. Raises `RuntimeError` at the first answer that is not the good one."""
    started = time.perf_counter()
    body = os.urandom(plan["size"])
    clients = (_client(plan, body, started + plan["seconds"]) for _ in range(plan["clients"]))
    took = [each for found in await asyncio.gather(*clients) for each in found]
    return {"seconds": time.perf_counter() - started, "took": took}


async def _client(plan: Plan, body: bytes, deadline: float) -> list[float]:
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    took: list[float] = []
    while (began := time.perf_counter()) < deadline:
        pairs = {"record_id": str(uuid.uuid4()), "name": "pole"}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        creation = {"Upload-Length": str(len(body)), "Upload-Metadata": metadata, "Content-Length": "0"}
        _send(writer, plan, "POST", plan["path"], creation)
        location = (await _answer(reader, 201))["location"]
        path = "/" + location.partition("://")[2].partition("/")[2] if "://" in location else location
        piece = {
            "Upload-Offset": "0",
            "Content-Length": str(len(body)),
            "Content-Type": "application/offset+octet-stream",
        }
        _send(writer, plan, "PATCH", path, piece)
        writer.write(body)
        await writer.drain()
        await _answer(reader, 204)
        took.append(time.perf_counter() - began)
    writer.close()
    return took


def _send(writer: asyncio.StreamWriter, plan: Plan, method: str, path: str, headers: dict[str, str]) -> None:
    own = {"Host": plan["host"], "Authorization": f"Bearer {plan['token']}", "Tus-Resumable": "1.0.0", **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in own.items()), "", ""]
    writer.write("\r\n".join(lines).encode())


async def _answer(reader: asyncio.StreamReader, wanted: int) -> dict[str, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.strip().splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    # An answer of 201 may say that its empty body comes in chunks.
    if headers.get("transfer-encoding") == "chunked":
        await reader.readuntil(b"0\r\n\r\n")
    elif int(headers.get("content-length", "0")):
        await reader.readexactly(int(headers["content-length"]))
    if f" {wanted} " not in f"{status} ":
        raise RuntimeError(head)
    return headers


if __name__ == "__main__":
    json.dump(asyncio.run(load(json.load(sys.stdin))), sys.stdout)
