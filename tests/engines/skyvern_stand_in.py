"""Skyvern's REST API as documented, over real HTTP: agents run block by block, and pause at a `human_interaction` block."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery
from PIL import Image

from tests.engines.ledger import Faulty, Site
from tests.worker.rig import listening

KEY = "sky-key"
BLOCKS = (("sign_in", "login"), ("details", "navigation"), ("gate", "human_interaction"), ("submit", "navigation"))
BODY = frozenset(
    [
        "agent_id",
        "workflow_id",
        "parameters",
        "title",
        "proxy_location",
        "webhook_url",
        "totp_url",
        "totp_identifier",
        "browser_session_id",
        "reuse_browser_session",
        "browser_profile_id",
        "start_fresh_browser",
        "max_elapsed_time_minutes",
        "max_screenshot_scrolls",
        "extra_http_headers",
        "cdp_connect_headers",
        "browser_address",
        "ai_fallback",
        "run_with",
        "run_metadata",
    ]
)


class Manner(msgspec.Struct, kw_only=True):
    """How runs go. `fails`: the label of the block at which the run ends `as_status`, after the block's work if `late`."""

    block_s: float = 0.02
    blocks: tuple[tuple[str, str], ...] = BLOCKS
    fails: str = ""
    as_status: str = "failed"
    late: bool = False
    output_error: str = ""
    hasty: bool = False
    """The model presses the button in the fill phase."""
    lies: bool = False
    """It claims a number and has submitted nothing."""
    number: str = ""
    """What it claims instead of what the portal told."""
    stuck: bool = False
    """Never terminal."""
    hidden: bool = False
    """A run cannot be found by searching."""
    code: str = ""
    """The sign-in waits for this one-time code."""


class Run(msgspec.Struct, kw_only=True):
    run_id: str
    body: dict[str, Any]
    created_at: str
    status: str = "created"
    output: Any = None
    failure_reason: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    hidden: bool = False
    blocks: list[dict[str, Any]] = []
    gone_on: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    coded: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def reference(self) -> str:
        return str(self.body["parameters"]["external_ref"])

    def view(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "run_type": "workflow_run",
            "status": self.status,
            "created_at": self.created_at,
            "modified_at": stamp(),
            "output": self.output,
            "failure_reason": self.failure_reason,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "screenshot_urls": None,
            "errors": None,
            "run_with": "agent",
            "run_request": self.body,
        }


def stamp() -> str:
    """UTC without an offset, as theirs are."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat()


class Skyvern:
    """All runs; `faults` are those of the wire."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.manner = Manner()
        self.runs: dict[str, Run] = {}
        self.files: list[tuple[str, str, int]] = []
        self.codes: list[dict[str, Any]] = []
        self.faults = Faulty(self._app())
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with listening(self.faults) as url:
            self.url = url
            try:
                yield url
            finally:
                for run in self.runs.values():
                    if run.task is not None:
                        run.task.cancel()

    async def play(self, run: Run, manner: Manner) -> None:
        run.status, run.started_at = "running", stamp()
        number = ""
        for label, kind in manner.blocks:
            block = self._begin(run, label, kind)
            if kind == "human_interaction":
                run.status = "paused"
                await run.gone_on.wait()
                run.status = "running"
            if manner.fails == label and not manner.late:
                self._end(run, manner.as_status, block, manner)
                return
            if label == "sign_in" and manner.code:
                await run.coded.wait()
            await asyncio.sleep(manner.block_s)
            if label == "details":
                await self.site.fill(run.reference, len(run.body["parameters"]["photos"]))
            if (label == "details" and manner.hasty) or (label == "submit" and not manner.lies):
                number = await self.site.submit(run.reference)
            if manner.fails == label:
                self._end(run, manner.as_status, block, manner)
                return
            block |= {"status": "completed", "modified_at": stamp()}
        while manner.stuck:
            await asyncio.sleep(0.1)
        run.output = {"confirmation_number": manner.number or number or "NPL-2026-999999"}
        run.status, run.finished_at = "completed", stamp()

    def _begin(self, run: Run, label: str, kind: str) -> dict[str, Any]:
        block: dict[str, Any] = {
            "workflow_run_block_id": f"wrb_{secrets.token_hex(4)}",
            "label": label,
            "block_type": kind,
            "status": "running",
            "created_at": stamp(),
            "modified_at": stamp(),
            "failure_reason": None,
            "actions": [],
        }
        run.blocks.append(block)
        return block

    def _end(self, run: Run, status: str, block: dict[str, Any], manner: Manner) -> None:
        block |= {"status": status, "modified_at": stamp()}
        run.status, run.finished_at, run.failure_reason = status, stamp(), "it did not work"
        run.output = {"error": manner.output_error} if manner.output_error else None

    def _found(self, run_id: str) -> Run:
        if run_id not in self.runs:
            raise NotFoundException(detail="run not found")
        return self.runs[run_id]

    def _app(self) -> Litestar:
        @post("/v1/run/agents", status_code=200)
        async def create(request: Request[Any, Any, Any]) -> dict[str, Any]:
            body = await request.json()
            assert body.keys() <= BODY, body.keys() - BODY
            assert "webhook_url" not in body
            run = Run(
                run_id=f"wr_{secrets.token_hex(6)}", body=body, created_at=stamp(), blocks=[], hidden=self.manner.hidden
            )
            self.runs[run.run_id] = run
            run.task = asyncio.create_task(self.play(run, msgspec.structs.replace(self.manner)))
            return run.view()

        @get("/v1/runs/{run_id:str}")
        async def read(run_id: FromPath[str]) -> dict[str, Any]:
            return self._found(run_id).view()

        @get("/v1/runs/{run_id:str}/timeline")
        async def timeline(run_id: FromPath[str]) -> list[dict[str, Any]]:
            """Newest first, and with a thought between."""
            run = self._found(run_id)
            told = [{"type": "block", "block": dict(block), "children": []} for block in reversed(run.blocks)]
            return [{"type": "thought", "thought": {"answer": "hm"}, "children": []}, *told]

        @get("/v1/runs/{run_id:str}/artifacts")
        async def artifacts(run_id: FromPath[str]) -> list[dict[str, Any]]:
            return [
                {
                    "artifact_id": f"a_{block['workflow_run_block_id']}",
                    "artifact_type": "screenshot_final",
                    "workflow_run_block_id": block["workflow_run_block_id"],
                    "created_at": block["modified_at"],
                }
                for block in self._found(run_id).blocks
            ]

        @get("/v1/artifacts/{artifact_id:str}/content")
        async def content(artifact_id: FromPath[str]) -> Response[bytes]:
            out = BytesIO()
            Image.new("RGBA", (32, 24), (10, 120, 60, 255)).save(out, "PNG")
            return Response(out.getvalue(), media_type="image/png")

        async def search(search_key: FromQuery[str] = "") -> list[dict[str, Any]]:
            """Case-insensitive, in the parameters' values."""
            wanted = search_key.lower()
            return [
                {"task_run_id": run.run_id, "run_id": run.run_id, "status": run.status, "created_at": run.created_at}
                for run in reversed(self.runs.values())
                if not run.hidden and wanted in str(run.body["parameters"].values()).lower()
            ]

        @post("/v1/workflows/runs/{run_id:str}/continue", status_code=200)
        async def go_on(run_id: FromPath[str]) -> None:
            run = self._found(run_id)
            if run.status != "paused":
                raise NotFoundException(detail="not paused")
            run.status = "running"
            run.gone_on.set()

        @post("/v1/runs/{run_id:str}/cancel", status_code=200)
        async def cancel(run_id: FromPath[str]) -> None:
            """A pause that ends in any way counts as let through."""
            run = self._found(run_id)
            if run.status == "paused":
                run.gone_on.set()
            elif run.finished_at is None:
                assert run.task is not None
                run.task.cancel()
                run.status, run.finished_at = "canceled", stamp()

        @post("/v1/upload_file", status_code=200)
        async def upload(request: Request[Any, Any, Any]) -> dict[str, str]:
            file = (await request.form())["file"]
            assert isinstance(file, UploadFile)
            name, body = file.filename, await file.read()
            self.files.append((name, file.content_type, len(body)))
            return {"s3_uri": f"s3://x/{name}", "presigned_url": f"{self.url}/files/{name}", "file_id": name}

        @post("/v1/credentials/totp", status_code=200)
        async def totp(request: Request[Any, Any, Any]) -> dict[str, str]:
            body = await request.json()
            self.codes.append(body)
            for run in self.runs.values():
                if run.body["totp_identifier"] == body["totp_identifier"]:
                    run.coded.set()
            return {}

        async def guard(connection: Any, _: Any) -> None:
            if connection.headers.get("x-api-key") != KEY:
                raise HTTPException(status_code=403, detail="Invalid credentials")

        searches = [get(path)(search) for path in ("/v1/agents/runs", "/v1/runs")]
        return Litestar(
            [create, read, timeline, artifacts, content, go_on, cancel, upload, totp, *searches], guards=[guard]
        )
