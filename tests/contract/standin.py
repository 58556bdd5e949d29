"""The fault programme's stand-in with the manners that the contract asks of a service and faults have no use for.

Token, request ids, one key one content, plain pages, server-sent events, artifacts and dry runs.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.history import Log
from tests.faults.http import Asked, Reply, serve
from tests.faults.service import Run, Service, refusal

_KEYED = ("portal", "account", "recipe", "recipe_version", "external_ref", "inputs", "files", "commit")
_NEEDED = ("job_id", "record_id", "attempt", "portal", "external_ref", "recipe")
_PICTURE = b"\xff\xd8\xff\xd9"


class StandIn(Service):
    """`token` is what a caller must bear."""

    def __init__(self, log: Log, *, token: str) -> None:
        super().__init__(log)
        self.mode = msgspec.structs.replace(self.mode, seconds=0.2)
        self.token = token
        self.contents: dict[str, str] = {}

    async def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            reply = refusal(401, "UNAUTHORIZED")
        else:
            reply = self.refused(asked) or await self.politely(asked)
        headers = {"Request-Id": secrets.token_hex(4), **reply.headers}
        if not isinstance(reply.body, bytes):
            headers |= {"Cache-Control": "no-store"}
        return msgspec.structs.replace(reply, headers=headers)

    def refused(self, asked: Asked) -> Reply | None:
        """What the contract refuses before anything is looked at."""
        if asked.method != "POST":
            return None
        try:
            body = json.loads(asked.body)
        except ValueError:
            body = None
        if not asked.path.endswith("/runs"):
            return None if isinstance(body, dict) else refusal(400, "BAD_REQUEST")
        key = asked.headers.get("idempotency-key", "")
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            return refusal(400, "IDEMPOTENCY_KEY_REQUIRED")
        if not isinstance(body, dict) or not set(_NEEDED) <= set(body):
            return refusal(400, "BAD_REQUEST")
        content = fingerprint(body)
        if self.contents.setdefault(key, content) != content:
            return refusal(422, "IDEMPOTENCY_KEY_REUSED")
        return None

    async def politely(self, asked: Asked) -> Reply:
        rooms = asked.path.strip("/").split("/")
        if "artifacts" in rooms:
            return self.artifacts(rooms)
        if "inputs" in rooms:
            return refusal(404, "INPUT_UNKNOWN")
        reply = await super().__call__(asked)
        started = asked.method == "POST" and rooms[-1] == "runs"
        if started:
            return addressed(reply)
        return self.whole(reply) if rooms[-2:-1] == ["runs"] else reply

    def whole(self, reply: Reply) -> Reply:
        """A run's view with how it ended."""
        body: Any = json.loads(reply.body) if isinstance(reply.body, bytes) else None
        run = self.runs.get(body.get("id", "")) if isinstance(body, dict) else None
        if run is None or not run.over:
            return reply
        return msgspec.structs.replace(reply, body=msgspec.json.encode(body | run.events[-1]["data"]))

    def artifacts(self, rooms: list[str]) -> Reply:
        """Every run has one picture."""
        listing = rooms[-1] == "artifacts"
        run_id = rooms[-2] if listing else rooms[-1].removesuffix("-1")
        if run_id not in self.runs:
            return refusal(404, "NOT_FOUND")
        if not listing:
            return Reply(once(_PICTURE), headers={"Content-Type": "image/jpeg"})
        name = f"{run_id}-1"
        listed = {"id": name, "url": f"/v1/artifacts/{name}", "kind": "frame", "mime": "image/jpeg", "size": 4}
        return Reply(msgspec.json.encode([listed]))

    async def start(self, asked: Asked) -> Reply:
        reply = await super().start(asked)
        run = self.keys[asked.headers["idempotency-key"]]
        if reply.status == 201 and json.loads(asked.body).get("commit") == "dry_run" and run.task is not None:
            run.task.cancel()
            run.status = "succeeded"
            run.emit("run.succeeded", result={"external_ref": run.reference, "how": "dry_run"})
        return reply

    async def follow(self, run: Run, asked: Asked) -> Reply:
        sse = "text/event-stream" in asked.headers.get("accept", "")
        after = int(asked.headers["last-event-id"]) if sse else int(asked.query.get("after", "0"))
        told = [event for event in run.events if event["seq"] > after]
        if sse:
            lines = [f"id: {e['seq']}\nevent: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in told]
            return Reply("".join(lines).encode())
        if asked.query.get("wait") == "0":
            return Reply(b"".join(msgspec.json.encode(event) + b"\n" for event in told))
        return await super().follow(run, asked)


def fingerprint(body: dict[str, Any]) -> str:
    """What would be keyed, without where its photos are."""
    keyed = {name: body.get(name) for name in _KEYED}
    keyed["files"] = [(each["name"], each["sha256"]) for each in body.get("files", [])]
    return json.dumps(keyed, sort_keys=True)


def addressed(reply: Reply) -> Reply:
    """A start's answer with where its run is, and whether it was there before."""
    if reply.status >= 400 or not isinstance(reply.body, bytes):
        return reply
    headers = {"Location": f"/v1/runs/{json.loads(reply.body)['id']}"}
    headers |= {"Idempotent-Replay": "true"} if reply.status == 200 else {}
    return msgspec.structs.replace(reply, headers=headers)


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


@asynccontextmanager
async def standing_in(folder: Path, *, token: str) -> AsyncIterator[str]:
    """The stand-in on a free port; yields its URL."""
    service = StandIn(Log(folder / "effects.jsonl"), token=token)
    async with serve(service) as url:
        yield url
