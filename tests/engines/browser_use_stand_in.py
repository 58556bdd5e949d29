"""browser-use's API v4 as documented, over real HTTP: sessions with runs, their events, and a workspace for files."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Litestar, Request, get, post, put
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery

from tests.engines.ledger import Faulty, Site
from tests.worker.rig import listening

KEY = "bu_key"
BASE = "/api/v4"
BODY = {
    "task", "outputSchema", "model", "modelParams", "sessionId", "workspaceId", "browserSettings", "keepAlive",
    "agentmail", "attachedFileIds", "secretBindings", "opVaultId", "opVaultAllowedDomains", "judge", "maxCostUsd",
}  # fmt: skip


class Manner(msgspec.Struct, kw_only=True):
    """How runs go. `fails`: the phase whose run ends `as_status`, after its work if `late`."""

    step_s: float = 0.02
    missing_s: float = 0.0
    """A new run is answered 404 for as long."""
    fails: str = ""
    as_status: str = "failed"
    late: bool = False
    problem: str = ""
    """The fill phase ends well and is not ready, with this code."""
    hasty: bool = False
    lies: bool = False
    number: str = ""
    stuck: str = ""
    """The phase that never ends."""
    repeat_events: bool = False
    silent: bool = False
    """No event says that a run has ended."""
    hidden: bool = False
    as_text: bool = False
    """The output comes as text."""


class Run(msgspec.Struct, kw_only=True):
    id: str
    session: str
    body: dict[str, Any]
    created_at: str
    born: float
    manner: Manner
    status: str = "queued"
    output: Any = None
    error: str | None = None
    updated_at: str = ""
    events: list[dict[str, Any]] = []
    task: asyncio.Task[None] | None = None

    @property
    def phase(self) -> str:
        return "submit" if "phase=submit" in self.body["task"].splitlines()[0] else "fill"

    @property
    def reference(self) -> str:
        found = re.search(r" ref=(\S+)", self.body["task"])
        assert found is not None
        return found[1]

    def emit(self, kind: str, **data: object) -> None:
        number = 3 * len(self.events) + 5
        self.events.append({"runId": self.id, "id": number, "ts": stamp(), "type": kind, "data": data})

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "task": self.body["task"],
            "status": self.status,
            "output": self.output,
            "outputSchema": self.body.get("outputSchema"),
            "error": self.error,
            "sessionId": self.session,
            "workspaceId": self.body.get("workspaceId"),
            "attachedFileIds": self.body.get("attachedFileIds"),
            "totalCostUsd": "0.01",
            "createdAt": self.created_at,
            "updatedAt": self.updated_at or self.created_at,
        }


def stamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class BrowserUse:
    """All runs; `faults` are those of the wire."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.manner = Manner()
        self.runs: dict[str, Run] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.faults = Faulty(self._app())
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with listening(self.faults) as url:
            self.url = url
            try:
                yield url + BASE
            finally:
                for run in self.runs.values():
                    if run.task is not None:
                        run.task.cancel()

    async def play(self, run: Run) -> None:
        manner = run.manner
        for status in ("dispatching", "running"):
            await asyncio.sleep(manner.step_s)
            run.status = status
        run.emit("browser.ready" if run.phase == "fill" else "browser.reattached")
        run.emit("model.step", text="typing the notes: guy wire moved")
        output = None if manner.fails == run.phase and not manner.late else await self._work(run, manner)
        while manner.stuck == run.phase:
            await asyncio.sleep(0.1)
        run.emit("tool.call", name="click")
        failed = manner.fails == run.phase
        run.output = None if failed else json.dumps(output) if manner.as_text else output
        run.error = "out of credits" if failed else None
        run.updated_at = stamp()
        run.status = manner.as_status if failed else "completed"
        if not manner.silent:
            await asyncio.sleep(manner.step_s)
            run.emit(f"run.{run.status}")

    async def _work(self, run: Run, manner: Manner) -> dict[str, Any]:
        await asyncio.sleep(manner.step_s)
        if run.phase == "fill":
            await self.site.fill(run.reference, len(run.body.get("attachedFileIds", [])))
            if manner.hasty:
                await self.site.submit(run.reference)
            code = manner.problem or None
            return {"ready": code is None, "code": code, "message": "the portal says no" if code else None}
        number = "" if manner.lies else await self.site.submit(run.reference)
        return {"confirmation_number": manner.number or number or "NPL-2026-999999"}

    def _found(self, run_id: str) -> Run:
        run = self.runs.get(run_id)
        if run is None or time.monotonic() - run.born < run.manner.missing_s:
            raise NotFoundException(detail="Run not found")
        return run

    def _app(self) -> Litestar:
        @post("/runs", status_code=200)
        async def create(request: Request[Any, Any, Any]) -> dict[str, Any]:
            body = await request.json()
            if not body.keys() <= BODY or "task" not in body:
                raise HTTPException(status_code=422, detail="unknown field")
            assert all(self.files[file]["sent"] for file in body.get("attachedFileIds", []))
            manner = msgspec.structs.replace(self.manner)
            session = body.get("sessionId") or f"s_{secrets.token_hex(4)}"
            run = Run(
                id=f"r_{secrets.token_hex(6)}", session=session, body=body, created_at=stamp(), born=time.monotonic(),
                manner=manner, events=[],
            )  # fmt: skip
            self.runs[run.id] = run
            run.task = asyncio.create_task(self.play(run))
            return {"id": run.id, "status": run.status, "sessionId": session, "eventsUrl": f"/runs/{run.id}/events"}

        @get("/runs/{run_id:str}")
        async def read(run_id: FromPath[str]) -> dict[str, Any]:
            return self._found(run_id).view()

        @get("/runs/{run_id:str}/events")
        async def events(
            run_id: FromPath[str], after: FromQuery[int] = 0, limit: FromQuery[int] = 200
        ) -> dict[str, Any]:
            """Pages of two, so that there is more than one."""
            run = self._found(run_id)
            page = [event for event in run.events if event["id"] > after]
            told = page[: min(2, limit)]
            more = len(page) > len(told)
            return {"events": told * (2 if run.manner.repeat_events else 1), "nextAfter": after, "hasMore": more}

        @get("/runs")
        async def listed(request: Request[Any, Any, Any], cursor: FromQuery[str | None] = None) -> dict[str, Any]:
            """Newest first, in pages of two."""
            runs = [run for run in reversed(self.runs.values()) if not run.manner.hidden]
            session = request.query_params.get("sessionId")
            runs = [run for run in runs if session in (None, run.session)]
            first = int(cursor or 0)
            more = len(runs) > first + 2
            page = [run.view() for run in runs[first : first + 2]]
            return {"runs": page, "nextCursor": str(first + 2) if more else None, "hasMore": more}

        @post("/runs/{run_id:str}/cancel", status_code=200)
        async def cancel(run_id: FromPath[str]) -> dict[str, Any]:
            run = self._found(run_id)
            if run.status not in {"completed", "failed", "cancelled"}:
                assert run.task is not None
                run.task.cancel()
                run.status, run.updated_at = "cancelled", stamp()
                run.emit("run.cancelled")
            return run.view()

        @post("/workspaces/{workspace:str}/files/upload", status_code=200)
        async def upload(workspace: FromPath[str], request: Request[Any, Any, Any]) -> dict[str, Any]:
            wanted = (await request.json())["files"]
            assert 1 <= len(wanted) <= 10
            slots = []
            for file in wanted:
                slot = f"f_{secrets.token_hex(4)}"
                self.files[slot] = {**file, "sent": False}
                slots.append({"id": slot, "name": file["name"], "uploadUrl": f"{self.url}/storage/{slot}"})
            return {"files": slots}

        @put("/storage/{slot:str}", status_code=200, opt={"open": True})
        async def store(slot: FromPath[str], request: Request[Any, Any, Any]) -> None:
            assert "X-Browser-Use-API-Key" not in request.headers
            file, body = self.files[slot], await request.body()
            if request.headers["content-type"] != file["contentType"] or len(body) != file["size"]:
                raise HTTPException(status_code=403, detail="signature does not match")
            file["sent"] = True

        async def guard(connection: Any, handler: Any) -> None:
            if not handler.opt.get("open") and connection.headers.get("X-Browser-Use-API-Key") != KEY:
                raise HTTPException(status_code=403, detail="forbidden")

        own = [create, read, events, listed, cancel, upload]
        for handler in own:
            handler.paths = {BASE + path for path in handler.paths}
        return Litestar([*own, store], guards=[guard])
