"""Talks to an automation service in the words of the contract, over plain HTTP and without our own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import msgspec

Body = dict[str, Any]
TERMINAL = {"run.succeeded": "succeeded", "run.failed": "failed", "run.cancelled": "cancelled"}
LIMIT_S = 120.0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The service under test and a record that its recipe can key; `patience_s` is how long a check may wait for time to pass."""

    url: str
    token: str
    portal: str
    recipe: str
    account: str = "default"
    inputs: Body = {}
    files: tuple[Body, ...] = ()
    patience_s: float = 40.0
    lookup: bool = True
    """False where the portal has no look-up."""


class NotChecked(Exception):
    """This service gives no occasion for the check; the text says why."""


class Speaker:
    """One conversation; every reply is checked for what every reply must have."""

    def __init__(self, target: Target, http: httpx.AsyncClient) -> None:
        self.target = target
        self.http = http

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        reply = await self.http.request(method, path, **options)
        assert reply.headers.get("Request-Id"), f"{method} {path}: the reply has no Request-Id"
        if reply.status_code >= 400:
            error = reply.json()["error"]
            assert {"code", "message", "class"} <= set(error), f"{method} {path}: the error lacks a member: {error}"
        return reply

    def spec(self, **changes: Any) -> Body:
        target = self.target
        spec: Body = {
            "job_id": str(uuid4()),
            "record_id": str(uuid4()),
            "attempt": 1,
            "portal": target.portal,
            "account": target.account,
            "recipe": target.recipe,
            "external_ref": f"CT-{uuid4().hex[:8].upper()}",
            "inputs": target.inputs,
            "files": list(target.files),
            "commit": "gated",
        }
        return spec | changes

    async def create(self, spec: Body, *, key: str) -> httpx.Response:
        return await self.ask("POST", "/v1/runs", json=spec, headers={"Idempotency-Key": key})

    async def started(self, **changes: Any) -> Body:
        """A new run's view, with its `spec`."""
        spec = self.spec(**changes)
        reply = await self.create(spec, key=f"{spec['job_id']}.1")
        assert reply.status_code == 201, f"a new key was answered {reply.status_code}: {reply.text}"
        view: Body = reply.json()
        return view | {"spec": spec}

    async def view(self, run_id: str) -> Body:
        reply = await self.ask("GET", f"/v1/runs/{run_id}")
        assert reply.status_code == 200, f"the run was answered {reply.status_code}"
        view: Body = reply.json()
        return view

    async def page(self, run_id: str, *, after: int = 0) -> list[Body]:
        """The events there are now."""
        reply = await self.ask("GET", f"/v1/runs/{run_id}/events", params={"after": after, "wait": 0})
        assert reply.status_code == 200
        return [event for event in map(json.loads, reply.text.splitlines()) if "seq" in event]

    @asynccontextmanager
    async def stream(self, run_id: str, *, after: int = 0) -> AsyncIterator[AsyncIterator[Body]]:
        """Lines of a live stream, heartbeats too."""
        async with self.http.stream("GET", f"/v1/runs/{run_id}/events", params={"after": after}) as reply:
            assert reply.status_code == 200
            assert reply.headers.get("Cache-Control") == "no-store", "a stream of events must not be cached"
            yield (json.loads(line) async for line in reply.aiter_lines() if line)

    async def until(self, run_id: str, kind: str, *, after: int = 0) -> Body:
        """The first event of a kind."""
        async with self.stream(run_id, after=after) as lines:
            async for event in lines:
                if event["type"] == kind:
                    return event
                assert event["type"] not in TERMINAL, f"the run ended with {event} before {kind}"
        raise AssertionError(f"the stream ended before {kind}")

    async def at_gate(self, **changes: Any) -> tuple[Body, Body]:
        """A run that waits for its commit, and the data of its request."""
        run = await self.started(**changes)
        data: Body = (await self.until(run["id"], "commit.requested"))["data"]
        return run, data

    async def commit(self, run_id: str, token: str, *, attempt: int = 1, decision: str = "submit") -> httpx.Response:
        body = {"token": token, "attempt": attempt, "decision": decision}
        return await self.ask("POST", f"/v1/runs/{run_id}/commit", json=body)

    async def cancel(self, run_id: str) -> httpx.Response:
        return await self.ask("POST", f"/v1/runs/{run_id}/cancel", json={"reason": "contract check"})

    async def ending(self, run_id: str) -> list[Body]:
        """All events of a run, once it has ended."""
        async with self.stream(run_id) as lines:
            events = [event async for event in lines if "seq" in event]
        assert events and events[-1]["type"] in TERMINAL, "the stream closed without a terminal event"
        return events

    async def submitted(self) -> tuple[Body, list[Body]]:
        """A run that was let through, with all its events."""
        run, request = await self.at_gate()
        assert (await self.commit(run["id"], request["token"])).status_code == 200
        return run, await self.ending(run["id"])

    async def nothing_left(self, run: Body) -> None:
        """The run never sent its request, by its own word and by the portal's."""
        kinds = [event["type"] for event in await self.page(run["id"])]
        assert "commit.sent" not in kinds, "a request left without permission"
        if self.target.lookup:
            found = await self.look_up(run["spec"]["external_ref"])
            assert found["found"] is False, "the portal has a submission that nobody permitted"

    async def look_up(self, ref: str) -> Body:
        body = {"portal": self.target.portal, "account": self.target.account, "external_ref": ref}
        reply = await self.ask("POST", "/v1/lookups", json=body)
        assert reply.status_code == 200, f"the look-up was answered {reply.status_code}: {reply.text}"
        answer: Body = reply.json()
        return answer


def code(reply: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return reply.status_code, reply.json().get("error", {}).get("code", "")


@asynccontextmanager
async def speaking(target: Target) -> AsyncIterator[Speaker]:
    headers = {"Authorization": f"Bearer {target.token}"}
    async with httpx.AsyncClient(base_url=target.url, headers=headers, timeout=LIMIT_S, trust_env=False) as http:
        yield Speaker(target, http)
